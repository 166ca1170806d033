// Owns a shell in a terminal of its own in which a script types as a person would: what comes is noted with its time, and the
// next line is typed when the shell asks for it. Nothing is made up: what is noted is what the programs wrote.
import { spawn, type IPty } from '@lydell/node-pty';
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../quick-start/until.ts';
import type { CastOutput } from './cast.ts';
import { TerminalScreen } from './terminal-screen.ts';

export interface TypedTerminalOptions {
  readonly columns: number;
  readonly rows: number;
  readonly workingDirectory: string;
  /** Seconds since the recording began. */
  readonly now: () => number;
  readonly environment: Readonly<Record<string, string>>;
}

const PROMPT = '$ ';
const KEY_PAUSE_MS = 20;
const COMMAND_TIMEOUT_MS = 60_000;

/** A bash that runs until `close`. */
export class TypedTerminal {
  readonly outputs: CastOutput[] = [];
  readonly #pty: IPty;
  readonly #ended: Promise<void>;
  readonly #screen: TerminalScreen;
  /** The line at which was typed last. */
  #typedAt = -1;

  constructor({ columns, rows, workingDirectory, now, environment }: TypedTerminalOptions) {
    this.#screen = new TerminalScreen({ columns, rows });
    this.#pty = spawn('bash', ['--noprofile', '--norc', '-i'], {
      name: 'xterm-256color',
      cols: columns,
      rows,
      cwd: workingDirectory,
      env: { ...environment, PS1: `\\[\\e[92m\\]${PROMPT.trim()}\\[\\e[0m\\] `, HISTFILE: '' },
    });
    this.#pty.onData((text) => {
      this.#screen.write(text);
      this.outputs.push({ atSeconds: now(), text });
    });
    this.#ended = new Promise((resolve) => this.#pty.onExit(() => resolve()));
  }

  /** Types a line when the shell asks for one, key by key, and returns when it has begun. */
  async type(line: string): Promise<void> {
    await this.untilAsked();
    for (const key of line) {
      this.#pty.write(key);
      await delay(KEY_PAUSE_MS);
    }
    this.#enter('');
  }

  /** Types a command and waits for its end; each time that a password is asked for, it is typed. */
  async run(line: string, password: string): Promise<void> {
    await this.type(line);
    for (;;) {
      const asked = await this.#next(`"${line}" has ended`, () => this.#asked());
      if (asked === PROMPT) return;
      await delay(10 * KEY_PAUSE_MS);
      this.#enter(password);
    }
  }

  /** Waits for words in the output of what was typed last. */
  async untilText(words: string): Promise<void> {
    await this.#next(`"${words}" is printed`, () => this.#linesSinceTyped().some((line) => line.includes(words)));
  }

  async untilAsked(): Promise<void> {
    await this.#next('the shell asks for a command', () => this.#asked() === PROMPT);
  }

  interrupt(): void {
    this.#enter('\u0003');
  }

  /** Ends the shell and what runs in it. */
  async close(): Promise<void> {
    this.#pty.kill('SIGHUP');
    await this.#ended;
  }

  /** Sends keys and, unless they end something, Enter; what is asked from then on is another question. */
  #enter(keys: string): void {
    this.#typedAt = this.#screen.cursor.row;
    this.#pty.write(keys === '\u0003' ? keys : `${keys}\r`);
  }

  /** What stands below where was typed last. */
  #linesSinceTyped(): string[] {
    return this.#screen.lines.slice(this.#typedAt + 1).map((parts) => parts.map(({ text }) => text).join(''));
  }

  /** The shell's prompt or a question for a password, when the cursor stands behind one below what was typed; null otherwise. */
  #asked(): string | null {
    const { row, column } = this.#screen.cursor;
    if (row === this.#typedAt) return null;
    const line = (this.#linesSinceTyped().at(row - this.#typedAt - 1) ?? '').padEnd(column);
    if (line === PROMPT) return PROMPT;
    return /(?:[Pp]assword.*|Again): $/.test(line) ? line : null;
  }

  async #next<Found>(what: string, look: () => Found | null | false): Promise<Found> {
    try {
      return await until(what, look, COMMAND_TIMEOUT_MS);
    } catch (error) {
      throw new Error(`the last that was seen: ${JSON.stringify(this.#linesSinceTyped().slice(-10))}`, {
        cause: error,
      });
    }
  }
}
