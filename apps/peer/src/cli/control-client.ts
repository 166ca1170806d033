// Owns how the command line finds and talks to the running peer: address and token from its data directory, one HTTP
// request a call. What goes wrong comes out as one of three error classes, each of which says what to do.
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type IncomingMessage, request, type RequestOptions } from 'node:http';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { dataDirectoryFor } from '#identity/start-input';
import type { ListPage } from '#wire/control-api';
import type { Problem } from '#wire/wire-error';
import { quotedWord } from './words.ts';

/** Where a running peer answers, and the secret that it asks for. */
export interface ControlAddress {
  readonly url: string;
  readonly token: string;
  readonly dataDirectory: string;
  /** The tracker_info.txt that the peer was started with; null when it does not say. */
  readonly trackerInfo: string | null;
}

/** Where to look for a peer: its data directory, and its token when that is kept elsewhere. */
export interface PeerPlace {
  readonly dataDirectory: string;
  readonly tokenFile: string;
}

/** An answer: 200 or 202 with its JSON body. */
export interface ControlReply {
  readonly status: number;
  readonly body: unknown;
}

/** A list read to its end. */
export interface WholeList<Item> {
  readonly items: readonly Item[];
  /** How much of the log the last page reflects; null where the list does not come from the log. */
  readonly asOfOffset: number | null;
}

/** No peer runs on this data directory. */
export class NoRunningPeer extends Error {
  constructor(dataDirectory: string, cause: unknown) {
    super(
      `No peer is running on ${dataDirectory}. Start one with: cohort peer <ip>:<port> <tracker_info.txt> ` +
        `--data-dir ${quotedWord(dataDirectory)}\nor name the data directory of a running one with --data-dir or COHORT_DATA_DIR.`,
      { cause },
    );
  }
}

/** The peer answered with a problem document. */
export class CommandRefused extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

/** No answer will come to a request that was sent: for a command, nobody knows whether it ran. */
export class AnswerLost extends Error {
  /** Null for a view. */
  readonly commandId: string | null;
  /** Whether the person gave up waiting; otherwise the connection broke. */
  readonly isInterrupt: boolean;
  constructor({ commandId, isInterrupt, cause }: { commandId: string | null; isInterrupt: boolean; cause: unknown }) {
    super(isInterrupt ? 'Interrupted before the peer answered.' : 'The peer went away before it answered.', { cause });
    this.commandId = commandId;
    this.isInterrupt = isInterrupt;
  }
}

const LIST_PAGE_ITEMS = 1000;

/** The place of a peer as flags and environment name it. */
export function peerPlace(
  flags: { dataDir?: string; controlTokenFile?: string },
  environment: Readonly<Record<string, string | undefined>>,
): PeerPlace {
  const dataDirectory = dataDirectoryFor(
    'peer',
    flags.dataDir ?? setOrNot(environment['COHORT_DATA_DIR']),
    environment,
  );
  const tokenFile = flags.controlTokenFile ?? setOrNot(environment['COHORT_CONTROL_TOKEN_FILE']);
  return { dataDirectory, tokenFile: tokenFile ?? join(dataDirectory, 'control-token') };
}

/** An empty variable is not set. */
function setOrNot(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}

/** Reads where the peer of a place answers. Throws `NoRunningPeer` when none has ever run there. */
export async function findPeer({ dataDirectory, tokenFile }: PeerPlace): Promise<ControlAddress> {
  try {
    const text = await readFile(join(dataDirectory, 'control.json'), 'utf8');
    const { url, trackerInfo = null } = JSON.parse(text) as { url: string; trackerInfo?: string };
    const token = (await readFile(tokenFile, 'utf8')).trim();
    return { url, token, dataDirectory, trackerInfo };
  } catch (error) {
    throw new NoRunningPeer(dataDirectory, error);
  }
}

/** One peer's control endpoint. */
export class ControlClient {
  readonly #address: ControlAddress;
  readonly #interrupt: AbortSignal;

  /** `interrupt` gives up waiting for whatever is asked. */
  constructor(address: ControlAddress, interrupt: AbortSignal) {
    this.#address = address;
    this.#interrupt = interrupt;
  }

  /** `http://host:port`, as the peer listens there. */
  get url(): string {
    return this.#address.url;
  }

  /** Sends a command; the id makes it the same command when it is sent again. */
  command(name: string, body: object, commandId: string): Promise<ControlReply> {
    return this.#send('POST', `/commands/${name}`, { body, commandId });
  }

  /** Changes something of this peer's own: a transfer, a key, a session, its limits. */
  change(method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: object): Promise<ControlReply> {
    return this.#send(method, path, { body, commandId: null });
  }

  /** Reads one document. */
  async view<View>(path: string): Promise<View> {
    return (await this.#send('GET', path, { body: undefined, commandId: null })).body as View;
  }

  /** Reads a list to its end, page by page. */
  async list<Item>(path: string): Promise<WholeList<Item>> {
    const items: Item[] = [];
    let after = '';
    for (;;) {
      const query = `${path.includes('?') ? '&' : '?'}limit=${LIST_PAGE_ITEMS}${after}`;
      const page = await this.view<ListPage & { items: Item[] }>(`${path}${query}`);
      items.push(...page.items);
      if (page.next === null) return { items, asOfOffset: page.asOfOffset };
      after = `&after=${encodeURIComponent(page.next)}`;
    }
  }

  async #send(method: string, path: string, { body, commandId }: Sent): Promise<ControlReply> {
    const { url, token, dataDirectory } = this.#address;
    const payload = body === undefined ? null : JSON.stringify(body);
    const headers = {
      authorization: `Bearer ${token}`,
      ...(payload !== null && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }),
      ...(commandId !== null && { 'idempotency-key': commandId }),
    };
    let reply: { status: number; text: string };
    try {
      reply = await exchange(`${url}/api/v1${path}`, { method, headers, signal: this.#interrupt }, payload);
    } catch (error) {
      if (isRefusedConnection(error)) throw new NoRunningPeer(dataDirectory, error);
      throw new AnswerLost({ commandId, isInterrupt: this.#interrupt.aborted, cause: error });
    }
    const answer = parseJson(reply.text);
    if (reply.status < 300) return { status: reply.status, body: answer };
    if (isProblem(answer)) throw new CommandRefused(answer);
    throw new NoRunningPeer(dataDirectory, new Error(`${url} answered ${reply.status} and is no peer`));
  }
}

interface Sent {
  readonly body: object | undefined;
  readonly commandId: string | null;
}

/** One request and its whole answer. Without a deadline: verifying a large file takes as long as it takes. */
async function exchange(
  url: string,
  options: RequestOptions,
  payload: string | null,
): Promise<{ status: number; text: string }> {
  const sent = request(url, options);
  sent.end(payload);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return { status: response.statusCode ?? 0, text: await textOf(response) };
}

function isRefusedConnection(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ECONNREFUSED' || code === 'EADDRNOTAVAIL';
}

function parseJson(text: string): unknown {
  try {
    return text === '' ? null : JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isProblem(answer: unknown): answer is Problem {
  return typeof answer === 'object' && answer !== null && 'code' in answer && 'detail' in answer;
}
