// Owns the lines that the prompt remembers: in a file for its owner alone, which several prompts append to, over sessions. A line
// with a password is remembered nowhere, and one that begins with a blank, or with no command, only until the prompt ends.
import { access, appendFile, chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

const LINES_MAX = 1000;
const OWNER_MODE = 0o600;

/** What becomes of a line: `kept` over sessions, or `known` until the prompt ends, or `forgotten` at once. */
export type Remembrance = 'kept' | 'known' | 'forgotten';

/** Earlier lines, the last one first. */
export class ShellHistory {
  readonly #path: string;
  readonly #lines: string[];

  private constructor(path: string, lines: string[]) {
    this.#path = path;
    this.#lines = lines;
  }

  /** What earlier prompts kept in a file, which is made when there is a line for it. One that cannot be read holds nothing. */
  static async open(path: string): Promise<ShellHistory> {
    const text = await readFile(path, 'utf8').catch(() => '');
    const kept = text.split('\n').filter((line) => line !== '');
    const history = new ShellHistory(path, kept.slice(-LINES_MAX).toReversed());
    if (kept.length > 2 * LINES_MAX) await history.#shorten();
    return history;
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  /** Remembers a line that was typed, unless it is the one before it again. A file that cannot be written costs no command. */
  async add(line: string, remembrance: Remembrance): Promise<void> {
    if (remembrance === 'forgotten' || line === this.#lines[0]) return;
    this.#lines.unshift(line);
    this.#lines.splice(LINES_MAX);
    if (remembrance === 'known') return;
    try {
      await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
      await appendFile(this.#path, `${line}\n`, { mode: OWNER_MODE });
      // It may be older than this prompt, with other permissions.
      await chmod(this.#path, OWNER_MODE);
    } catch {
      // A disk that is full, or a folder that is somebody else's: the line is known until the prompt ends.
    }
  }

  async #shorten(): Promise<void> {
    const text = this.#lines.toReversed().map((line) => `${line}\n`);
    try {
      await writeFile(`${this.#path}.new`, text, { mode: OWNER_MODE });
      await rename(`${this.#path}.new`, this.#path);
    } catch {
      // It stays as long as it is.
    }
  }
}

/** Where the lines typed for a peer are kept: in its data directory, or in the user's state folder while there is none. */
export async function historyPath(
  dataDirectory: string,
  { XDG_STATE_HOME, HOME }: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  try {
    await access(dataDirectory);
    return join(dataDirectory, 'shell-history');
  } catch {
    return join(XDG_STATE_HOME || join(HOME || homedir(), '.local', 'state'), 'cohort', 'shell-history');
  }
}
