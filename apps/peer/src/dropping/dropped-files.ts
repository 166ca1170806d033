// Owns files that come in through the page: each is written as it comes into a folder of its own below the data directory, from where it is
// shared like anything else on this machine. A broken upload leaves nothing, and what no transfer refers to goes an hour after it came, or
// was last seen to be referred to: the time of its folder says when that was, also after a restart. When in doubt it stays, as what is here
// may be the only copy that there is.
import { randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rm, rmdir, stat, statfs, utimes } from 'node:fs/promises';
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
/** Folders that are left empty may be taken away while another file comes into them. */
const OPENED_AGAIN_MOST = 5;
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
  /** Whether there are transfers of which nobody can tell any more what they refer to. */
  readonly areSomeUnknown: () => Promise<boolean>;
}

/** Files that were dropped on the page. */
export class DroppedFiles {
  readonly #root: string;
  readonly #parts: DroppedFilesParts;
  /** How many files are coming into a folder, by its id. */
  readonly #coming = new Map<string, number>();
  /** Folders that something came into since the start: no transfer that was lost before can refer to them. */
  readonly #cameHere = new Set<string>();
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
    this.#coming.set(folder, (this.#coming.get(folder) ?? 0) + 1);
    this.#cameHere.add(folder);
    try {
      return await this.#write({ ...place, folder }, body, bytes);
    } finally {
      await this.#note(folder);
      const others = this.#coming.get(folder)! - 1;
      if (others > 0) this.#coming.set(folder, others);
      else this.#coming.delete(folder);
      this.#comingCount--;
    }
  }

  /** Takes a folder away, unless a transfer refers to it. Whether it did. */
  async remove(folder: string): Promise<boolean> {
    const isUsed = this.#usedFolders().has(folder.toLowerCase());
    if (!isUsed) await rm(join(this.#root, folder.toLowerCase()), { recursive: true, force: true });
    return !isUsed;
  }

  /** Removes what no transfer has referred to for an hour. */
  async sweep(): Promise<void> {
    const folders = await foldersIn(this.#root);
    if (folders.length === 0) return;
    const areSomeUnknown = await this.#parts.areSomeUnknown();
    const used = this.#usedFolders();
    for (const folder of folders) {
      if (used.has(folder)) await this.#note(folder);
      else if (this.#cameHere.has(folder) || !areSomeUnknown) await this.#removeIfOld(folder);
    }
  }

  async #removeIfOld(folder: string): Promise<void> {
    const path = join(this.#root, folder);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Infinity }));
    const isOld = mtimeMs <= this.#parts.now() - KEPT_MS;
    if (!isOld) return;
    // Asked at last: something may have begun to come, or to be shared, meanwhile.
    const isUsed = this.#parts.usedPaths().some((used) => used.toLowerCase().includes(folder));
    if (isUsed || this.#coming.has(folder)) return;
    this.#cameHere.delete(folder);
    await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }

  /** Notes that something came into a folder, or is referred to, just now. */
  async #note(folder: string): Promise<void> {
    const seconds = this.#parts.now() / 1000;
    await utimes(join(this.#root, folder), seconds, seconds).catch(() => undefined);
  }

  /**
   * The ids of folders that stand in paths of transfers. How the way to them is spelled does not count: a data directory is moved, or
   * named through a link.
   */
  #usedFolders(): ReadonlySet<string> {
    const names = this.#parts.usedPaths().flatMap((path) => path.toLowerCase().split(/[\\/]/));
    return new Set(names.filter((name) => UUID.test(name)));
  }

  async #write(
    { name, folder, path }: DroppedPlace & { readonly folder: string },
    body: Readable,
    bytes: number | null,
  ): Promise<DroppedFile | Refused> {
    const shared = join(this.#root, folder, name);
    const file = path === undefined ? shared : join(shared, ...path.split('/'));
    try {
      await mkdir(this.#root, { recursive: true, mode: 0o700 });
      if (bytes !== null && !(await hasRoom(this.#root, bytes))) return refusedForRoom(this.#root);
      const handle = await openedNew(file);
      await pipeline(body, handle.createWriteStream({ flush: true }));
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

/** A new file in a folder that is made for it. */
async function openedNew(file: string): Promise<FileHandle> {
  for (let round = 0; ; round++) {
    try {
      await mkdir(dirname(file), { recursive: true, mode: 0o700 });
      return await open(file, 'wx', 0o600);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || round === OPENED_AGAIN_MOST) throw error;
    }
  }
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
