// Owns how a small file of a data directory changes: replaced as a whole, or appended to by lines. A crash leaves the old
// or the new text, never a mixture; a line that was cut off by one is dropped when the file is read.
import { appendFileSync, closeSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { open, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Only its owner reads what a data directory holds. */
const FILE_MODE = 0o600;
/** About how much is written at once of a file that is written by lines. */
const WRITTEN_CHARACTERS = 64 * 1024;
/** A rename is on the disk when its folder is. Windows opens no folder, and its file system keeps a log of renames. */
const CAN_FLUSH_FOLDER = process.platform !== 'win32';

/** Is told of a file that could not be written: a full disk, a directory that was made read-only. */
export type WriteFailed = (path: string, error: Error) => void;

/** Is told of a file that could not be understood: its old text is beside it, under the name with `.damaged`. */
export type FileDamaged = (path: string) => void;

/** What is told of the files of a data directory. */
export interface FileReports {
  readonly writeFailed: WriteFailed;
  readonly damaged: FileDamaged;
}

/** The text of a file, or null when it is not there. */
export async function readTextIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/**
 * What a JSON file holds, or null when it is not there. Text that is no JSON, or of which `isSound` is false, is put aside
 * and told: a bad disk costs what one file held, and not the start of the process.
 */
export async function readJsonIfSound<Value>(
  path: string,
  { isSound, damaged }: { readonly isSound: (value: unknown) => value is Value; readonly damaged: FileDamaged },
): Promise<Value | null> {
  const text = await readTextIfThere(path);
  if (text === null) return null;
  const [value] = parseLine<unknown>(text);
  if (isSound(value)) return value;
  await rename(path, `${path}.damaged`);
  damaged(path);
  return null;
}

/** What a field may hold; `?` also takes null. */
export type FieldType = 'string' | 'string?' | 'number' | 'number?' | 'boolean' | 'object' | 'object?';

/** Whether a value is an object with all of these fields. */
export function hasFields(value: unknown, fields: Readonly<Record<string, FieldType>>): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(fields).every(([field, type]) => {
    const held: unknown = Object.hasOwn(value, field) ? (value as Record<string, unknown>)[field] : undefined;
    return held === null ? type.endsWith('?') : typeof held === type.replace('?', '');
  });
}

/**
 * One file that is replaced as a whole. Writes follow each other; of those that wait only the latest is done. With
 * `writeFailed` a write never rejects: what is in memory holds, and the next write tries again.
 */
export class ReplacedFile {
  readonly #path: string;
  readonly #writeFailed: WriteFailed | undefined;
  #waiting: string | Uint8Array | null = null;
  #writing: Promise<boolean> | null = null;

  constructor(path: string, writeFailed?: WriteFailed) {
    this.#path = path;
    this.#writeFailed = writeFailed;
  }

  /** Resolves when this text, or a later one, is on the disk; with false when it could not be written. */
  write(content: string | Uint8Array): Promise<boolean> {
    this.#waiting = content;
    this.#writing ??= this.#writeWaiting();
    return this.#writing;
  }

  /** Resolves when nothing is being written. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  async #writeWaiting(): Promise<boolean> {
    try {
      while (this.#waiting !== null) {
        const content = this.#waiting;
        this.#waiting = null;
        await writeFile(`${this.#path}.new`, content, { mode: FILE_MODE, flush: true });
        await rename(`${this.#path}.new`, this.#path);
        await flushFolder(dirname(this.#path));
      }
      return true;
    } catch (error) {
      if (this.#writeFailed === undefined) throw error;
      this.#writeFailed(this.#path, error as Error);
      return false;
    } finally {
      // In the same turn as the last look at what waits, so that nothing comes to wait unseen.
      this.#writing = null;
    }
  }
}

/**
 * A file of JSON lines. Appending is synchronous, so that a line is there before what it announces happens; one that
 * cannot be written is reported, and missing after a restart.
 */
export class LineFile<Line> {
  readonly #path: string;
  readonly #writeFailed: WriteFailed;

  constructor(path: string, writeFailed: WriteFailed) {
    this.#path = path;
    this.#writeFailed = writeFailed;
  }

  /** Every whole line, oldest first; none when the file is not there. What a crash cut off is ended, and left out. */
  readAll(): Line[] {
    let text: string;
    try {
      text = readFileSync(this.#path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
    if (text !== '' && !text.endsWith('\n')) this.#report(() => appendFileSync(this.#path, '\n'));
    return text
      .split('\n')
      .flatMap((line) => parseLine<Line>(line))
      .filter(isObject);
  }

  append(line: Line): void {
    this.appendText(JSON.stringify(line));
  }

  /** The same of a line that is JSON already. */
  appendText(line: string): void {
    this.#report(() => appendFileSync(this.#path, `${line}\n`, { mode: FILE_MODE }));
  }

  /** Replaces all lines by these. They are taken as they are written: many of them need no memory at once. */
  replace(lines: Iterable<Line>): void {
    this.#report(() => {
      writeLinesSync(`${this.#path}.new`, lines);
      renameSync(`${this.#path}.new`, this.#path);
      flushFolderSync(dirname(this.#path));
    });
  }

  #report(write: () => void): void {
    try {
      write();
    } catch (error) {
      this.#writeFailed(this.#path, error as Error);
    }
  }
}

function writeLinesSync(path: string, lines: Iterable<unknown>): void {
  const file = openSync(path, 'w', FILE_MODE);
  try {
    let text = '';
    for (const line of lines) {
      text += `${JSON.stringify(line)}\n`;
      if (text.length < WRITTEN_CHARACTERS) continue;
      writeFileSync(file, text);
      text = '';
    }
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Makes what was renamed in a folder last. */
export async function flushFolder(path: string): Promise<void> {
  if (!CAN_FLUSH_FOLDER) return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function flushFolderSync(path: string): void {
  if (!CAN_FLUSH_FOLDER) return;
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function parseLine<Line>(text: string): Line[] {
  if (text === '') return [];
  try {
    return [JSON.parse(text) as Line];
  } catch {
    return [];
  }
}
