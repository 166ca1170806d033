// Owns how a small file of a data directory changes: replaced as a whole, or appended to by lines. A crash leaves the old
// or the new text, never a mixture; a line that was cut off by one is dropped when the file is read.
import { appendFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';

/** Only its owner reads what a data directory holds. */
const FILE_MODE = 0o600;

/** The text of a file, or null when it is not there. */
export async function readTextIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** One file that is replaced as a whole. Writes follow each other; of those that wait only the latest is done. */
export class ReplacedFile {
  readonly #path: string;
  #waiting: string | Uint8Array | null = null;
  #writing: Promise<void> | null = null;

  constructor(path: string) {
    this.#path = path;
  }

  /** Resolves when this text, or a later one, is on the disk. */
  write(content: string | Uint8Array): Promise<void> {
    this.#waiting = content;
    this.#writing ??= this.#writeWaiting().finally(() => (this.#writing = null));
    return this.#writing;
  }

  /** Resolves when nothing is being written. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  async #writeWaiting(): Promise<void> {
    while (this.#waiting !== null) {
      const content = this.#waiting;
      this.#waiting = null;
      await writeFile(`${this.#path}.new`, content, { mode: FILE_MODE, flush: true });
      await rename(`${this.#path}.new`, this.#path);
    }
  }
}

/** A file of JSON lines. Appending is synchronous, so that a line is there before what it announces happens. */
export class LineFile<Line> {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Every whole line, oldest first; none when the file is not there. */
  readAll(): Line[] {
    let text: string;
    try {
      text = readFileSync(this.#path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
    return text.split('\n').flatMap((line) => parseLine<Line>(line));
  }

  append(line: Line): void {
    appendFileSync(this.#path, `${JSON.stringify(line)}\n`, { mode: FILE_MODE });
  }

  /** Replaces all lines by these. */
  replace(lines: readonly Line[]): void {
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    writeFileSync(`${this.#path}.new`, text, { mode: FILE_MODE, flush: true });
    renameSync(`${this.#path}.new`, this.#path);
  }
}

function parseLine<Line>(text: string): Line[] {
  if (text === '') return [];
  try {
    return [JSON.parse(text) as Line];
  } catch {
    return [];
  }
}
