// Owns the open files of one content in one worker: positional reads and writes at offsets of the content, with a bound on
// how many files are open. Synchronous on purpose: one system call for 128 KiB or more costs less than a trip to a thread pool.
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readSync,
  type Stats,
  statSync,
  writeSync,
} from 'node:fs';
import { foldersAround } from '#domain/manifest';
import { hasStamp } from '../data-plane/shared-memory.ts';
import {
  type FileTable,
  modeOf,
  pathOnDisk,
  type PlacedApart,
  PLACES,
  type Segment,
  segmentsOf,
} from './content-layout.ts';
import { readFailure, StorageFailure, writeFailure } from './storage-problem.ts';

const OPEN_FILES_MAX = 32;
/** Files that are opened together, and then looked at once for what lies around them. */
const OPENED_AT_ONCE_MAX = 16;

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

/** The stamp in what the file system tells of a file. */
export function stampOf({ size, mtimeMs, ino }: Stats): FileStamp {
  return { bytes: size, modifiedMs: mtimeMs, inode: ino };
}

/** The stamp of a file; throws StorageFailure source_missing, source_unreadable. */
export function stampFile(path: string): FileStamp {
  try {
    return stampOf(statSync(path));
  } catch (error) {
    throw readFailure(error, path);
  }
}

/**
 * What tells a file or folder from another one that came to its place, whatever is written into it meanwhile; null when
 * nothing is there. Throws when it cannot be looked at.
 */
export function identityOf(path: string): string | null {
  const found = statSync(path, { throwIfNoEntry: false, bigint: true });
  return found === undefined ? null : `${found.dev}:${found.ino}`;
}

/** How files are opened. With an identity, of their root, only as long as the root is that one. */
export interface FileAccess {
  readonly flags: 'r' | 'r+';
  readonly identity: string | null;
  /** A file of a folder that is not there is made when its first bytes come, below the first root. */
  readonly makes?: boolean;
  /** Those that are in their final place already are read there, whatever that is now, and never written. */
  readonly placed?: PlacedApart | null;
  /** Position of the first of the files among all of the content; 0 when left out. */
  readonly firstFile?: number;
}

export function isSameStamp(left: FileStamp, right: FileStamp): boolean {
  return left.bytes === right.bytes && left.modifiedMs === right.modifiedMs && left.inode === right.inode;
}

/** How files are opened, and what an error means. */
interface Opening {
  readonly toFailure: ToFailure;
  readonly access: FileAccess;
}

type ToFailure = (error: unknown, path: string) => StorageFailure;
/** `isFresh` when the file was opened just now. */
type ActOnSegment = (file: number, segment: Segment, isFresh: boolean) => void;

/** Files of one content. `roots` are tried in order: a download is at its part path until it is renamed. */
export class ContentFiles {
  readonly #files: FileTable;
  readonly #roots: readonly string[];
  readonly #access: FileAccess;
  /** Least recently used first. */
  readonly #opened = new Map<number, number>();

  constructor(files: FileTable, roots: readonly string[], access: FileAccess) {
    this.#files = files;
    this.#roots = roots;
    this.#access = access;
  }

  /**
   * Fills `target` from offset `begin` of the content. Throws StorageFailure source_*; with stamps, in shared memory, also when a file
   * is not what its stamp says. Where some are in their final place and the others are still written, those in place are looked at.
   */
  read(begin: number, target: Uint8Array, stamps: Float64Array | null = null): void {
    this.#each({ begin, length: target.length }, readFailure, (file, segment, isFresh) => {
      if (stamps !== null) this.#checkStamp(isFresh ? file : null, segment.fileNumber, stamps);
      readSegment(file, segment, target);
    });
  }

  /**
   * Writes all of `bytes` at offset `begin` of the content; what is in its final place already has to be these bytes. Throws
   * StorageFailure disk_full, destination_unwritable, placed_changed.
   */
  write(begin: number, bytes: Uint8Array): void {
    this.#each({ begin, length: bytes.length }, writeFailure, (file, segment) => {
      if (this.#isPlaced(segment.fileNumber)) this.#compare(file, segment, bytes);
      else writeSegment(file, segment, bytes);
    });
  }

  close(): void {
    for (const file of this.#opened.values()) closeSync(file);
    this.#opened.clear();
  }

  /** Does something to every part of a run, with its file open. */
  #each(run: { readonly begin: number; readonly length: number }, toFailure: ToFailure, act: ActOnSegment): void {
    const segments = segmentsOf(this.#files, run.begin, run.length);
    for (let from = 0; from < segments.length; from += OPENED_AT_ONCE_MAX) {
      const group = segments.length <= OPENED_AT_ONCE_MAX ? segments : segments.slice(from, from + OPENED_AT_ONCE_MAX);
      const opened = this.#open(group, toFailure);
      for (const segment of group) {
        try {
          act(this.#opened.get(segment.fileNumber)!, segment, opened.includes(segment.fileNumber));
        } catch (error) {
          if (error instanceof StorageFailure) throw error;
          throw toFailure(error, this.#pathOf(segment.fileNumber, this.#roots[0] ?? ''));
        }
      }
    }
  }

  /** Opens what is not open; which files that were. */
  #open(segments: readonly Segment[], toFailure: ToFailure): readonly number[] {
    const missing: number[] = [];
    for (const { fileNumber } of segments) {
      const file = this.#opened.get(fileNumber);
      if (file === undefined) missing.push(fileNumber);
      else if (this.#opened.size > 1) {
        this.#opened.delete(fileNumber);
        this.#opened.set(fileNumber, file);
      }
    }
    if (missing.length === 0) return missing;
    while (this.#opened.size > OPEN_FILES_MAX - missing.length) this.#closeOldest();
    const apart = missing.filter((fileNumber) => this.#isPlaced(fileNumber));
    if (apart.length > 0) this.#openApart(apart, toFailure);
    if (apart.length < missing.length)
      this.#openAtRoots(apart.length === 0 ? missing : without(missing, apart), toFailure);
    return missing;
  }

  #openApart(fileNumbers: readonly number[], toFailure: ToFailure): void {
    const root = this.#access.placed?.root ?? '';
    const toPlaced: ToFailure = (error, path) =>
      toFailure === writeFailure ? placedChanged(path, error) : toFailure(error, path);
    this.#openBelow(root, fileNumbers, { toFailure: toPlaced, access: { flags: 'r', identity: null } });
  }

  #openAtRoots(fileNumbers: readonly number[], toFailure: ToFailure): void {
    let firstError: unknown;
    for (const root of this.#roots) {
      try {
        return this.#openBelow(root, fileNumbers, { toFailure, access: this.#access });
      } catch (error) {
        firstError ??= error;
      }
    }
    throw firstError;
  }

  /** All of them or none. */
  #openBelow(root: string, fileNumbers: readonly number[], { toFailure, access }: Opening): void {
    const makes = access.makes === true && root === this.#roots[0];
    const files = fileNumbers.map((fileNumber) => this.#files.fileOf(fileNumber));
    const folders = Array.from(foldersAround({ files }), (path) => pathOnDisk(root, { path }));
    // Nothing is made in what another process has put there.
    if (makes) checkPlace(root, folders, access);
    const opened: number[] = [];
    try {
      for (const file of files) {
        const path = pathOnDisk(root, file);
        try {
          opened.push(openFile(path, file, { flags: FLAGS[access.flags], makes }));
        } catch (error) {
          throw toFailure(error, path);
        }
      }
      // Looked at after the opening: what was opened in a root that is the same now was opened in that one.
      checkPlace(root, folders, access);
    } catch (error) {
      for (const file of opened) closeSync(file);
      throw error;
    }
    for (const [at, fileNumber] of fileNumbers.entries()) this.#opened.set(fileNumber, opened[at]!);
  }

  #closeOldest(): void {
    for (const [fileNumber, file] of this.#opened) {
      this.#opened.delete(fileNumber);
      closeSync(file);
      return;
    }
  }

  /** What was opened just now is what is at its path, and a look at it takes a third of the time; with null the path is looked at. */
  #checkStamp(file: number | null, fileNumber: number, stamps: Float64Array): void {
    if (this.#access.placed && !this.#isPlaced(fileNumber)) return;
    const path = this.#pathOf(fileNumber, this.#roots[0] ?? '');
    if (hasStamp(stamps, fileNumber, file === null ? stampFile(path) : stampOf(fstatSync(file)))) return;
    throw new StorageFailure('source_changed', `${path} was changed after it was shared`);
  }

  #isPlaced(fileNumber: number): boolean {
    const { placed, firstFile = 0 } = this.#access;
    return placed?.files[fileNumber + firstFile] === PLACES.inPlace;
  }

  #compare(file: number, segment: Segment, bytes: Uint8Array): void {
    const there = Buffer.allocUnsafe(segment.length);
    const path = this.#pathOf(segment.fileNumber, '');
    try {
      readSegment(file, { ...segment, offset: 0 }, there);
    } catch (error) {
      throw placedChanged(path, error);
    }
    if (there.equals(bytes.subarray(segment.offset, segment.offset + segment.length))) return;
    throw placedChanged(path);
  }

  #pathOf(fileNumber: number, root: string): string {
    const { placed } = this.#access;
    return pathOnDisk(placed && this.#isPlaced(fileNumber) ? placed.root : root, this.#files.fileOf(fileNumber));
  }
}

/** Whoever opens the download anew finds out what became of a file that was put in place. */
export function placedChanged(path: string, cause?: unknown): StorageFailure {
  const text = `${path} was changed after it was put in place`;
  return new StorageFailure('placed_changed', text, { cause });
}

function without(all: readonly number[], some: readonly number[]): number[] {
  return all.filter((one) => !some.includes(one));
}

function openFile(
  path: string,
  file: ReturnType<FileTable['fileOf']>,
  { flags, makes }: { readonly flags: number; readonly makes: boolean },
): number {
  if (file.path === '') return openSync(path, flags);
  return openSync(path, flags | NO_LINK | (makes ? constants.O_CREAT : 0), modeOf(file));
}

/** Throws when the root is another one, or a folder around the files is a link. */
function checkPlace(root: string, folders: readonly string[], { flags, identity }: FileAccess): void {
  const isReplaced = identity !== null && identityOf(root) !== identity;
  const link = isReplaced ? undefined : folders.find(isLink);
  if (!isReplaced && link === undefined) return;
  const code = flags === 'r' ? 'source_changed' : 'destination_unwritable';
  throw new StorageFailure(code, `${link ?? root} was replaced by something else meanwhile`);
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
