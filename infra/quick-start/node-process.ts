// Owns one running tracker or peer as a child process: started through the launcher as a person would, known to be ready by
// the line that it prints, and gone with this process however that ends (the launcher notices the closed channel).
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** The checkout. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** What `cohort` runs. */
export const LAUNCHER = fileURLToPath(new URL('../launcher/cohort.mjs', import.meta.url));

const OUTPUT_LINES_MAX = 2_000;
const READY_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 5_000;

export interface NodeProcessOptions {
  /** What it is called in messages: `tracker 1`, `alice`. */
  readonly name: string;
  /** The words behind `cohort`. */
  readonly words: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** How long it may take to be ready; a minute by default. */
  readonly readyTimeoutMs?: number;
}

/** How a process ended. */
export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The process ended, or said nothing for too long, before it was ready. */
export class StartFailed extends Error {
  constructor(name: string, why: string, output: string) {
    super(`${name} ${why}${output === '' ? '' : `:\n${output}`}`);
  }
}

/** A tracker or a peer in a process of its own. */
export class NodeProcess {
  readonly name: string;
  readonly exited: Promise<ProcessExit>;
  readonly #child: ChildProcess;
  readonly #readyTimeoutMs: number;
  readonly #output: string[] = [];
  #readyLine = '';
  #isEndAsked = false;

  constructor({ name, words, environment, readyTimeoutMs = READY_TIMEOUT_MS }: NodeProcessOptions) {
    this.name = name;
    this.#readyTimeoutMs = readyTimeoutMs;
    this.#child = spawn(process.execPath, [LAUNCHER, ...words], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...cleanEnvironment(), ...environment },
      // A Ctrl-C typed at the terminal goes to this process alone, which ends its children in order.
      detached: true,
    });
    this.exited = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('exit', (code, signal) => resolve({ code, signal }));
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The last lines that it printed, on either stream. */
  get output(): string {
    return this.#output.join('\n');
  }

  /** The line that it printed when it was ready. */
  get readyLine(): string {
    return this.#readyLine;
  }

  /** Resolves when it has printed the line that says `ready`. Throws `StartFailed`. */
  async ready(): Promise<void> {
    const said = new Promise<string>((resolve) => {
      for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
        createInterface({ input: stream }).on('line', (line) => {
          if (this.#output.push(line) > OUTPUT_LINES_MAX) this.#output.shift();
          if (stream === this.#child.stdout && /\bready\b/.test(line)) resolve(line);
        });
      }
    });
    const timeout = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      timeout.reject(new StartFailed(this.name, `was not ready after ${this.#readyTimeoutMs / 1000} s`, this.output));
    }, this.#readyTimeoutMs);
    const ended = this.exited.then(({ code, signal }) => {
      throw new StartFailed(this.name, `ended with ${signal ?? code} before it was ready`, this.output);
    });
    try {
      this.#readyLine = await Promise.race([said, ended, timeout.promise]);
    } catch (error) {
      this.signal('SIGKILL');
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** What it printed before it ended by itself, or null. */
  get crash(): string | null {
    return this.isRunning || this.#isEndAsked ? null : `${this.name} has ended by itself:\n${this.output}`;
  }

  signal(signal: NodeJS.Signals): void {
    if (!this.isRunning) return;
    this.#isEndAsked = true;
    this.#child.kill(signal);
  }

  /** Ends it as Ctrl-C does; what does not end within five seconds is killed. */
  async stop(): Promise<ProcessExit> {
    this.signal('SIGTERM');
    const timer = setTimeout(() => this.signal('SIGKILL'), STOP_TIMEOUT_MS);
    try {
      return await this.exited;
    } finally {
      clearTimeout(timer);
    }
  }

  /** How it ends by itself, where that is what has to come. */
  endsByItself(): Promise<ProcessExit> {
    this.#isEndAsked = true;
    return this.exited;
  }

  /** Ends it as a power cut does. */
  kill(): Promise<ProcessExit> {
    this.signal('SIGKILL');
    return this.exited;
  }
}

/** Runs a `cohort` command to its end and returns what it printed on standard output. Throws with what it complained of. */
export async function runCohort(words: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [LAUNCHER, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: cleanEnvironment(),
  });
  const [out, complaint] = [collect(child.stdout), collect(child.stderr)];
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new StartFailed(`cohort ${words.join(' ')}`, `ended with ${code}`, complaint());
  return out();
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString('utf8');
}

/** This environment without what would change the flags of a process, or how Node runs it. */
function cleanEnvironment(): Record<string, string> {
  const entries = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('COHORT_') && name !== 'NODE_OPTIONS',
  );
  return Object.fromEntries(entries) as Record<string, string>;
}
