// Owns a program at a terminal of its own, as a person sits before it: keys go in, and what is waited for is what stands on the
// screen. Nothing is waited for by time.
import { type IPty, spawn } from '@lydell/node-pty';
import { TerminalScreen } from './terminal-screen.ts';

export interface PseudoTerminalOptions {
  readonly columns?: number;
  readonly workingDirectory: string;
  readonly environment?: Readonly<Record<string, string>>;
}

const WAIT_TIMEOUT_MS = 20_000;
const ROWS = 24;

/** Keys that have no letter. */
export const KEY = {
  enter: '\r',
  tab: '\t',
  up: '\u001b[A',
  ctrlC: '\u0003',
  ctrlD: '\u0004',
  ctrlU: '\u0015',
} as const;

/** A terminal in which one program runs. */
export class PseudoTerminal {
  readonly screen: TerminalScreen;
  /** Everything that was written to it. */
  written = '';
  readonly exitCode: Promise<number>;
  readonly #pty: IPty;
  readonly #changed = new Set<() => void>();

  constructor(program: string, words: readonly string[], options: PseudoTerminalOptions) {
    const { columns = 80, workingDirectory, environment = {} } = options;
    this.screen = new TerminalScreen(columns);
    const env = { ...process.env, TERM: 'xterm-256color', ...environment };
    this.#pty = spawn(program, [...words], {
      name: 'xterm-256color',
      cols: columns,
      rows: ROWS,
      cwd: workingDirectory,
      env,
    });
    this.#pty.onData((text) => {
      this.written += text;
      this.screen.write(text);
      for (const look of this.#changed) look();
    });
    this.exitCode = new Promise((resolve) => this.#pty.onExit(({ exitCode }) => resolve(exitCode)));
  }

  type(keys: string): void {
    this.#pty.write(keys);
  }

  resize(columns: number): void {
    this.screen.columns = columns;
    this.#pty.resize(columns, ROWS);
  }

  /** Waits until the screen is as wanted. */
  async until(what: string, isSo: (screen: TerminalScreen) => boolean): Promise<void> {
    const seen = Promise.withResolvers<void>();
    const look = (): void => {
      if (isSo(this.screen)) seen.resolve();
    };
    const timer = setTimeout(() => {
      seen.reject(new Error(`never seen: ${what}\non the screen:\n${this.screen.lines.join('\n')}`));
    }, WAIT_TIMEOUT_MS);
    this.#changed.add(look);
    look();
    try {
      await seen.promise;
    } finally {
      clearTimeout(timer);
      this.#changed.delete(look);
    }
  }

  /** Waits until a line of the screen from a row on matches. */
  sees(pattern: RegExp, fromRow = 0): Promise<void> {
    return this.until(String(pattern), ({ lines }) => lines.slice(fromRow).some((line) => pattern.test(line)));
  }

  /** Waits until the program asks for a line, below a row. */
  prompts(prompt: RegExp, belowRow = -1): Promise<void> {
    return this.until(
      `${prompt} below row ${belowRow}`,
      ({ row, lineToCursor }) => row > belowRow && prompt.test(lineToCursor),
    );
  }

  /** Types a line at a prompt, waits for the next one, and returns what stands between the two. */
  async line(text: string, prompt: RegExp): Promise<string> {
    const { row } = this.screen;
    this.type(`${text}${KEY.enter}`);
    await this.prompts(prompt, row);
    return this.screen.lines.slice(row + 1, this.screen.row).join('\n');
  }

  /** Ends what still runs. */
  async close(): Promise<void> {
    this.#pty.kill('SIGKILL');
    await this.exitCode;
  }
}
