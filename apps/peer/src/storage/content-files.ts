// Owns the open files of one content in one worker: positional reads and writes at offsets of the content, with a bound on
// how many files are open. Synchronous on purpose: one system call for 128 KiB or more costs less than a trip to a thread pool.
import { closeSync, constants, lstatSync, openSync, readSync, statSync, writeSync } from 'node:fs';
import { ancestorsOf } from '#domain/manifest';
import { type PlacedFile, pathOnDisk, type Segment, segmentsOf } from './content-layout.ts';
import { readFailure, StorageFailure, writeFailure } from './storage-problem.ts';

const OPEN_FILES_MAX = 32;

/**
 * What has come to the place of a file and waits for somebody at its other end does not hold up who opens it. Windows has
 * neither flag, where they are undefined and count as 0.
 */
const FLAGS = { r: constants.O_RDONLY | constants.O_NONBLOCK, 'r+': constants.O_RDWR | constants.O_NONBLOCK };
/** Opens no link. */
export const NO_LINK = constants.O_NOFOLLOW | 0;

/** What identifies a file as it was: when any of it differs the file is another one. */
export interface FileStamp {
  readonly bytes: number;
  readonly modifiedMs: number;
  readonly inode: number;
}

/** The stamp of a file; throws StorageFailure source_missing, source_unreadable. */
export function stampFile(path: string): FileStamp {
  try {
    const { size, mtimeMs, ino } = statSync(path);
    return { bytes: size, modifiedMs: mtimeMs, inode: ino };
  } catch (error) {
    throw readFailure(error, path);
  }
}

/**
 * What tells a file or folder from another one that came to its place, whatever is written into it meanwhile; null when
 * nothing is there. Throws when it cannot be looked at.
 */
export function identityOf(path: string): string | null {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? null : `${found.dev}:${found.ino}`;
}

/** How files are opened. With an identity, of their root, only as long as the root is that one. */
export interface FileAccess {
  readonly flags: 'r' | 'r+';
  readonly identity: string | null;
}

export function isSameStamp(left: FileStamp, right: FileStamp): boolean {
  return left.bytes === right.bytes && left.modifiedMs === right.modifiedMs && left.inode === right.inode;
}

/** Files of one content. `roots` are tried in order: a download is at its part path until it is renamed. */
export class ContentFiles {
  readonly #files: readonly PlacedFile[];
  readonly #roots: readonly string[];
  readonly #access: FileAccess;
  /** Least recently used first. */
  readonly #open = new Map<number, number>();

  constructor(files: readonly PlacedFile[], roots: readonly string[], access: FileAccess) {
    this.#files = files;
    this.#roots = roots;
    this.#access = access;
  }

  /** Fills `target` from offset `begin` of the content. Throws StorageFailure source_*. */
  read(begin: number, target: Uint8Array): void {
    for (const segment of segmentsOf(this.#files, begin, target.length)) {
      this.#guard(segment, readFailure, (file) => readSegment(file, segment, target));
    }
  }

  /** Writes all of `bytes` at offset `begin` of the content. Throws StorageFailure disk_full, destination_unwritable. */
  write(begin: number, bytes: Uint8Array): void {
    for (const segment of segmentsOf(this.#files, begin, bytes.length)) {
      this.#guard(segment, writeFailure, (file) => writeSegment(file, segment, bytes));
    }
  }

  /** Throws StorageFailure source_missing or source_changed when a file under this run is not what its stamp says. */
  checkStamps(begin: number, length: number, stamps: readonly (FileStamp | null)[]): void {
    for (const { fileNumber } of segmentsOf(this.#files, begin, length)) {
      const path = this.#pathOf(fileNumber, this.#roots[0] ?? '');
      const stamp = stamps[fileNumber] ?? null;
      if (stamp === null || !isSameStamp(stampFile(path), stamp)) {
        throw new StorageFailure('source_changed', `${path} was changed after it was shared`);
      }
    }
  }

  close(): void {
    for (const file of this.#open.values()) closeSync(file);
    this.#open.clear();
  }

  #guard(
    segment: Segment,
    toFailure: (error: unknown, path: string) => StorageFailure,
    act: (file: number) => void,
  ): void {
    try {
      act(this.#fileOf(segment.fileNumber));
    } catch (error) {
      if (error instanceof StorageFailure) throw error;
      throw toFailure(error, this.#pathOf(segment.fileNumber, this.#roots[0] ?? ''));
    }
  }

  #fileOf(fileNumber: number): number {
    const open = this.#open.get(fileNumber);
    if (open !== undefined) {
      if (this.#open.size > 1) {
        this.#open.delete(fileNumber);
        this.#open.set(fileNumber, open);
      }
      return open;
    }
    if (this.#open.size >= OPEN_FILES_MAX) this.#closeOldest();
    const file = this.#openFile(fileNumber);
    this.#open.set(fileNumber, file);
    return file;
  }

  #openFile(fileNumber: number): number {
    let firstError: unknown;
    for (const root of this.#roots) {
      try {
        return this.#openBelow(root, fileNumber);
      } catch (error) {
        firstError ??= error;
      }
    }
    throw firstError;
  }

  #openBelow(root: string, fileNumber: number): number {
    const { flags, identity } = this.#access;
    const { path } = this.#files[fileNumber] ?? { path: '' };
    const file = openSync(pathOnDisk(root, { path }), FLAGS[flags] | (path === '' ? 0 : NO_LINK));
    // Looked at after the opening: what was opened in a root that is the same now was opened in that one.
    const isReplaced = identity !== null && identityOf(root) !== identity;
    const link = ancestorsOf(path).find((folder) => isLink(pathOnDisk(root, { path: folder })));
    if (!isReplaced && link === undefined) return file;
    closeSync(file);
    const code = flags === 'r' ? 'source_changed' : 'destination_unwritable';
    const what = link === undefined ? root : pathOnDisk(root, { path: link });
    throw new StorageFailure(code, `${what} was replaced by something else meanwhile`);
  }

  #closeOldest(): void {
    for (const [fileNumber, file] of this.#open) {
      this.#open.delete(fileNumber);
      closeSync(file);
      return;
    }
  }

  #pathOf(fileNumber: number, root: string): string {
    return pathOnDisk(root, this.#files[fileNumber] ?? { path: '' });
  }
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}

function readSegment(file: number, segment: Segment, target: Uint8Array): void {
  let done = 0;
  while (done < segment.length) {
    const count = readSync(file, target, segment.offset + done, segment.length - done, segment.position + done);
    if (count === 0) throw new StorageFailure('source_changed', 'the file is shorter than when it was shared');
    done += count;
  }
}

function writeSegment(file: number, segment: Segment, bytes: Uint8Array): void {
  let done = 0;
  while (done < segment.length) {
    done += writeSync(file, bytes, segment.offset + done, segment.length - done, segment.position + done);
  }
}
