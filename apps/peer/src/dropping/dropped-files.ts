// Owns files that come in through the page: each is written as it comes into a folder of its own below the data directory, from where it is
// shared like anything else on this machine. A broken upload leaves nothing, and what no transfer refers to goes: at the start of the peer,
// and an hour after it came.
import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rm, rmdir, statfs } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { flushFolder } from '#identity/durable-file';
import { DROPS_AT_ONCE_MAX } from '#wire/limits';
import type { Refused } from '#wire/tracker-api';

/** Nest's name for them. */
export const DROPPED_FILES = Symbol('DroppedFiles');

const FOLDER_NAME = 'dropped';
const KEPT_MS = 3_600_000;
const LOOK_EVERY_MS = 600_000;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** What a file is called, and where it belongs. Names have been checked. */
export interface DroppedPlace {
  readonly name: string;
  /** A UUID; undefined for a folder of its own. */
  readonly folder: string | undefined;
  /** Of a file in a folder called `name`, below that. */
  readonly path: string | undefined;
}

/** A file that is there, synced. */
export interface DroppedFile {
  readonly status: 'kept';
  readonly folder: string;
  /** Of the file, or of the folder called `name`. */
  readonly path: string;
}

/** What it is made from. */
export interface DroppedFilesParts {
  readonly dataDirectory: string;
  readonly now: () => number;
  /** Paths that transfers refer to. */
  readonly usedPaths: () => readonly string[];
}

/** Files that were dropped on the page. */
export class DroppedFiles {
  readonly #root: string;
  readonly #parts: DroppedFilesParts;
  /** When a file came last into a folder, by its id; of those from before the start nothing is known. */
  readonly #cameAt = new Map<string, number>();
  #comingCount = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(parts: DroppedFilesParts) {
    this.#parts = parts;
    this.#root = join(parts.dataDirectory, FOLDER_NAME);
  }

  /** Removes what nothing refers to, and goes on looking. Transfers have to be known by then. */
  async start(): Promise<void> {
    await this.sweep();
    this.#timer = setInterval(() => void this.sweep(), LOOK_EVERY_MS).unref();
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  /** Writes a file to its end. `bytes` is how long it says to be; null when it does not say. */
  async keep(place: DroppedPlace, body: Readable, bytes: number | null): Promise<DroppedFile | Refused> {
    if (this.#comingCount >= DROPS_AT_ONCE_MAX) return { status: 'failed', code: 'busy' };
    this.#comingCount++;
    const folder = place.folder?.toLowerCase() ?? randomUUID();
    this.#cameAt.set(folder, Infinity);
    try {
      return await this.#write({ ...place, folder }, body, bytes);
    } finally {
      this.#comingCount--;
      this.#cameAt.set(folder, this.#parts.now());
    }
  }

  /** Takes a folder away, unless a transfer refers to it. Whether it did. */
  async remove(folder: string): Promise<boolean> {
    const isUsed = this.#isUsed(folder.toLowerCase());
    if (!isUsed) await rm(join(this.#root, folder.toLowerCase()), { recursive: true, force: true });
    return !isUsed;
  }

  /** Removes what no transfer refers to and has been there for an hour. */
  async sweep(): Promise<void> {
    const oldestMs = this.#parts.now() - KEPT_MS;
    for (const folder of await foldersIn(this.#root)) {
      if ((this.#cameAt.get(folder) ?? 0) > oldestMs || this.#isUsed(folder)) continue;
      this.#cameAt.delete(folder);
      await rm(join(this.#root, folder), { recursive: true, force: true }).catch(() => undefined);
    }
  }

  #isUsed(folder: string): boolean {
    const inside = `${join(this.#root, folder)}${sep}`;
    return this.#parts.usedPaths().some((path) => path.startsWith(inside));
  }

  async #write(
    { name, folder, path }: DroppedPlace & { readonly folder: string },
    body: Readable,
    bytes: number | null,
  ): Promise<DroppedFile | Refused> {
    const shared = join(this.#root, folder, name);
    const file = path === undefined ? shared : join(shared, ...path.split('/'));
    try {
      await mkdir(dirname(file), { recursive: true, mode: 0o700 });
      if (bytes !== null && !(await hasRoom(this.#root, bytes))) return refusedForRoom(this.#root);
      await pipeline(body, createWriteStream(file, { flags: 'wx', mode: 0o600, flush: true }));
      await flushFolder(dirname(file));
      return { status: 'kept', folder, path: shared };
    } catch (error) {
      const refused = this.#refusalOf(error as NodeJS.ErrnoException, path === undefined ? 'name' : 'path');
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') await rm(file, { force: true }).catch(() => undefined);
      return refused;
    } finally {
      await removeEmpty(dirname(file), this.#root);
    }
  }

  /** Whatever ended it: what the sender can do something about is a refusal. */
  #refusalOf(error: NodeJS.ErrnoException, field: string): Refused {
    switch (error.code) {
      case 'EEXIST':
      case 'ENOTDIR':
      case 'EISDIR':
        return invalid(field, 'names what was dropped into this folder already');
      case 'ENAMETOOLONG':
        return invalid(field, 'is longer than this disk takes');
      case 'ENOSPC':
      case 'EDQUOT':
        return refusedForRoom(this.#root);
      case 'ERR_STREAM_PREMATURE_CLOSE':
      case 'ECONNRESET':
        return { status: 'failed', code: 'invalid_request', detail: 'The file did not come to its end.' };
      default:
        return { status: 'failed', code: 'busy', detail: `The file could not be written: ${error.message}.` };
    }
  }
}

function invalid(field: string, message: string): Refused {
  return { status: 'failed', code: 'invalid_request', errors: [{ field, message }] };
}

function refusedForRoom(root: string): Refused {
  const detail = `The disk of ${root} has no room for this file. Make room there, or share the file by its path on this machine: then it is not copied.`;
  return { status: 'failed', code: 'too_large', detail };
}

async function hasRoom(folder: string, bytes: number): Promise<boolean> {
  const { bavail, bsize } = await statfs(folder);
  return bytes <= bavail * bsize;
}

async function foldersIn(root: string): Promise<string[]> {
  try {
    return (await readdir(root)).filter((name) => UUID.test(name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Takes away the folders that a file which did not come would have been in. Those that hold something stay. */
async function removeEmpty(folder: string, root: string): Promise<void> {
  for (let path = folder; path.startsWith(`${root}${sep}`); path = dirname(path)) {
    try {
      await rmdir(path);
    } catch {
      return;
    }
  }
}
