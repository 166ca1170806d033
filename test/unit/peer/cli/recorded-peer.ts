// Owns a control endpoint for tests of the command line: a real HTTP server on loopback that notes every request and answers
// what the test has prepared, with the files in a data directory that lead to it.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import type { Terminal } from '../../../../apps/peer/src/cli/terminal.ts';
import { runLine } from '../../../../apps/peer/src/cli/program.ts';

export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  readonly headers: IncomingMessage['headers'];
}

/** What a route answers: a status and a JSON body, or a cut connection. */
export type PreparedAnswer = { readonly status: number; readonly body: unknown } | 'cut';

export interface RecordedPeer {
  readonly dataDirectory: string;
  readonly requests: RecordedRequest[];
  /** Answers by `METHOD path` without the query; a list answers one after the other and stays with its last. */
  readonly answers: Map<string, PreparedAnswer | PreparedAnswer[]>;
  close(): Promise<void>;
}

export const TOKEN = 'token-of-the-test';
const API = '/api/v1';

/** One peer for all tests of a file; each begins with nothing noted and nothing prepared. */
export function peerOfThisFile(): RecordedPeer {
  const peer = {} as RecordedPeer;
  beforeAll(async () => void Object.assign(peer, await startRecordedPeer()));
  afterAll(() => peer.close());
  beforeEach(() => {
    peer.requests.length = 0;
    peer.answers.clear();
  });
  return peer;
}

export async function startRecordedPeer(): Promise<RecordedPeer> {
  const requests: RecordedRequest[] = [];
  const answers = new Map<string, PreparedAnswer | PreparedAnswer[]>();
  const server = createServer((request, response) => {
    void text(request).then((payload) => {
      const path = request.url!.slice(API.length);
      const body: unknown = payload === '' ? null : JSON.parse(payload);
      requests.push({ method: request.method!, path, body, headers: request.headers });
      const answer = nextAnswer(answers, `${request.method} ${path.split('?')[0]}`);
      if (answer === 'cut') return request.socket.destroy();
      return response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const dataDirectory = await mkdtemp(join(tmpdir(), 'cohort-cli-'));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await writeFile(join(dataDirectory, 'control.json'), JSON.stringify({ url, pid: process.pid }));
  await writeFile(join(dataDirectory, 'control-token'), `${TOKEN}\n`);
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(dataDirectory, { recursive: true });
  };
  return { dataDirectory, requests, answers, close };
}

function nextAnswer(answers: RecordedPeer['answers'], route: string): PreparedAnswer {
  const answer = answers.get(route) ?? { status: 200, body: { commandId: 'id', offset: 7, result: {} } };
  if (!Array.isArray(answer)) return answer;
  return answer.length > 1 ? answer.shift()! : answer[0]!;
}

/** What a command left behind. */
export interface Ran {
  readonly exitCode: number;
  readonly out: string;
  readonly note: string;
}

export interface RunOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly workingDirectory?: string;
  /** Lines that the person types, or that stand in a pipe. */
  readonly input?: readonly string[];
  readonly isTyped?: boolean;
  /** Whether the words are arguments of a process. */
  readonly isProcess?: boolean;
  readonly interrupt?: AbortSignal;
}

/** Runs words as `cohort` does, on a terminal that keeps what is written. */
export async function runWords(words: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const { InputEnded } = await import('../../../../apps/peer/src/cli/line-question.ts');
  const written = { out: '', note: '' };
  const input = [...(options.input ?? [])];
  const next = async (): Promise<string> => {
    const line = input.shift();
    if (line === undefined) throw new InputEnded(false);
    return line;
  };
  const terminal: Terminal = {
    out: (part) => void (written.out += part),
    note: (part) => void (written.note += part),
    canRedraw: false,
    columns: 80,
    isTyped: options.isTyped ?? false,
    readLine: next,
    readSecret: next,
    standsInProcessList: (word) => options.isProcess === true && words.includes(word),
    workingDirectory: options.workingDirectory ?? tmpdir(),
    environment: options.environment ?? {},
  };
  const interrupt = options.interrupt ?? new AbortController().signal;
  const exitCode = await runLine(words, { terminal, interruptible: () => interrupt, inherited: {} });
  return { exitCode, ...written };
}
