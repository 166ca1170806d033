// Trackers as real processes on one machine: started from the build, killed by their own id, cleaned up with their folder.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { HostPort } from '#wire/host-port';
import { freePorts } from '../../infra/quick-start/ports.mjs';
import type { Cleanup } from './tracker-harness.ts';

const MAIN = fileURLToPath(new URL('../../dist/programs/tracker.js', import.meta.url));

/** What a finished process left. */
export interface Finished {
  readonly code: number | null;
  readonly out: string;
  readonly errors: string;
}

/** The status page of a tracker, as far as these tests read it. */
export interface Status {
  readonly ready: boolean;
  readonly appliedOffset: number;
  readonly digest: string;
  readonly root: string;
  readonly logId: string;
  readonly checkpointSize: number;
  readonly snapshots: readonly { readonly offset: number; readonly hash: string }[];
}

/** Runs `cohort <words>` to its end. */
export async function cohort(words: readonly string[], input = ''): Promise<Finished> {
  const child = spawnMain(words);
  const [out, errors] = [textOf(child.stdout!), textOf(child.stderr!)];
  child.stdin!.end(input);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out: out(), errors: errors() };
}

/** A folder with a tracker_info.txt and the trackers that run from it. */
export class TrackerFolder {
  readonly directory: string;
  readonly infoFile: string;
  readonly #cleanup: Cleanup;
  readonly #logUrl: string | null;

  private constructor(directory: string, cleanup: Cleanup, logUrl: string | null) {
    this.directory = directory;
    this.infoFile = join(directory, 'tracker_info.txt');
    this.#cleanup = cleanup;
    this.#logUrl = logUrl;
  }

  /** Lists `count` trackers on free ports of this machine. Their log is the embedded one unless an address is given. */
  static async create(cleanup: Cleanup, count: number, logUrl: string | null = null): Promise<TrackerFolder> {
    const folder = new TrackerFolder(await cleanup.directory(), cleanup, logUrl);
    const ports = await freePorts('127.0.0.1', Array<number>(count).fill(0));
    await writeFile(folder.infoFile, ports.map((port) => `127.0.0.1:${port}\n`).join(''));
    return folder;
  }

  dataDirectory(n: number): string {
    return join(this.directory, `tracker-${n}`);
  }

  /** Starts the n-th tracker and waits until it says that it is ready. */
  async start(n: number): Promise<TrackerProcess> {
    const log = this.#logUrl === null ? [] : ['--log', this.#logUrl];
    const child = spawnMain(['tracker', this.infoFile, String(n), '--data-dir', this.dataDirectory(n), ...log]);
    const tracker = new TrackerProcess(child);
    this.#cleanup.add(() => tracker.kill());
    await tracker.untilReady();
    return tracker;
  }
}

export class TrackerProcess {
  readonly #child: ChildProcess;
  readonly #out: () => string;
  readonly #errors: () => string;
  readonly #closed: Promise<unknown>;

  constructor(child: ChildProcess) {
    this.#child = child;
    this.#out = textOf(child.stdout!);
    this.#errors = textOf(child.stderr!);
    this.#closed = once(child, 'close');
  }

  get errors(): string {
    return this.#errors();
  }

  /** Where peers connect. */
  get rpc(): HostPort {
    return { host: '127.0.0.1', port: this.#port(/ready on 127\.0\.0\.1:(\d+)/) };
  }

  /** Base URL of its own HTTP port. */
  get http(): string {
    return `http://127.0.0.1:${this.#port(/http 127\.0\.0\.1:(\d+)/)}`;
  }

  async untilReady(): Promise<void> {
    while (!this.#out().includes('ready on')) {
      const more = once(this.#child.stdout!, 'data');
      const [event] = (await Promise.race([more, this.#closed.then(() => ['closed'])])) as [unknown];
      if (event === 'closed') throw new Error(`the tracker ended before it was ready: ${this.errors}`);
    }
  }

  async status(): Promise<Status> {
    return (await this.#get('/status')) as Status;
  }

  async digestAt(offset: number): Promise<string> {
    return ((await this.#get(`/digest?at=${offset}`)) as { digest: string }).digest;
  }

  async rootAt(offset: number): Promise<string> {
    return ((await this.#get(`/digest?at=${offset}`)) as { root: string }).root;
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#closed;
  }

  /** Asks it to stop; its exit code and how long that took. */
  async stop(signal: 'SIGINT' | 'SIGTERM'): Promise<{ code: number | null; milliseconds: number }> {
    const startedAt = performance.now();
    this.#child.kill(signal);
    await this.#closed;
    return { code: this.#child.exitCode, milliseconds: performance.now() - startedAt };
  }

  /** Waits until it ends by itself; its exit code and what it said. */
  async ended(): Promise<{ code: number | null; errors: string }> {
    await this.#closed;
    return { code: this.#child.exitCode, errors: this.errors };
  }

  async #get(path: string): Promise<unknown> {
    const response = await fetch(`${this.http}${path}`);
    return response.json();
  }

  #port(pattern: RegExp): number {
    return Number(pattern.exec(this.#out())![1]);
  }
}

function spawnMain(words: readonly string[]): ChildProcess {
  if (!existsSync(MAIN)) throw new Error('there is no build: run npm run build first');
  const environment = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('COHORT_') && name !== 'NODE_OPTIONS',
  );
  return spawn(process.execPath, [MAIN, ...words], { env: Object.fromEntries(environment) });
}

function textOf(stream: NodeJS.ReadableStream): () => string {
  let text = '';
  stream.setEncoding('utf8');
  stream.on('data', (more: string) => (text += more));
  return () => text;
}
