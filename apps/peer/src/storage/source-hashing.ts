// Owns the finite tasks that read and hash content on disk. They run in pool workers beside the transfers of the same
// worker, so each yields to the event loop after every slice. A file that changes while it is read is noticed by its stamp.
import { createHash } from 'node:crypto';
import { lstatSync, statSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { PieceHash } from '#domain/command';
import { threadBuffers } from './buffer-pool.ts';
import { ContentFiles, type FileAccess, type FileStamp, isSameStamp, stampFile } from './content-files.ts';
import { pathOnDisk, type PlacedApart, fileTable, type RunFiles } from './content-layout.ts';
import type { ScannedFile } from './source-scan.ts';
import { StorageFailure } from './storage-problem.ts';

const SLICE_BYTES = 1024 * 1024;
const READ_ONLY: FileAccess = { flags: 'r', identity: null };

/** Shared counters of a hashing job: bytes done so far, and whether somebody called it off. */
export interface HashJob {
  /** Index 0: bytes hashed, added to by all tasks. Index 1: 1 when the job was aborted. */
  readonly counters: BigInt64Array;
}

/** The stamps of a manifest's files under a root, in the manifest's order. */
export function stampSource(request: {
  readonly root: string;
  readonly files: readonly { readonly path: string }[];
}): FileStamp[] {
  return request.files.map((file) => stampFile(pathOnDisk(request.root, file)));
}

/** What there is of a manifest's files under a root, in the manifest's order. */
export interface FoundFiles {
  /** Whether there is anything at the root itself. */
  readonly rootIsThere: boolean;
  /** Null for what is not there, or is no file. */
  readonly stamps: readonly (FileStamp | null)[];
}

/** Looks for a manifest's files; never fails. */
export function findFiles(request: {
  readonly root: string;
  readonly files: readonly { readonly path: string }[];
}): FoundFiles {
  return {
    rootIsThere: mayBeThere(request.root),
    stamps: request.files.map((file) => stampIfFile(pathOnDisk(request.root, file))),
  };
}

/** What cannot be looked at may be there. */
function mayBeThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ENOTDIR';
  }
}

function stampIfFile(path: string): FileStamp | null {
  try {
    return statSync(path).isFile() ? stampFile(path) : null;
  } catch {
    return null;
  }
}

/**
 * Digests of a run of pieces, one after the other. A piece that `wanted` leaves out, or that cannot be read while
 * `skipUnreadable`, has a digest of zeros.
 */
export async function hashPieces(request: {
  readonly root: string;
  readonly run: RunFiles;
  /** Those of the files that are in their final place already. */
  readonly placed?: PlacedApart | null;
  readonly hash: PieceHash;
  readonly pieceBytes: number;
  readonly totalBytes: number;
  readonly firstPiece: number;
  readonly pieceCount: number;
  /** One byte a piece of the run; 0 leaves it out. */
  readonly wanted?: Uint8Array;
  readonly skipUnreadable?: boolean;
  /** How much is read at once, and what comes after each of these slices; by default a mebibyte and the next turn of the event loop. */
  readonly sliceBytes?: number;
  readonly pause?: (bytes: number) => Promise<void>;
  readonly job: HashJob;
}): Promise<Uint8Array> {
  const digestBytes = request.hash === 'sha1' ? 20 : 32;
  const digests = new Uint8Array(request.pieceCount * digestBytes);
  const { run, placed = null } = request;
  const access = { ...READ_ONLY, placed, firstFile: run.first };
  const content = new ContentFiles(fileTable(run), [request.root], access);
  const buffer = threadBuffers.take(Math.min(request.sliceBytes ?? SLICE_BYTES, request.pieceBytes));
  const about = { buffer, content, job: request.job, ...(request.pause && { pause: request.pause }) };
  try {
    for (let number = 0; number < request.pieceCount; number++) {
      const begin = (request.firstPiece + number) * request.pieceBytes;
      const end = Math.min(begin + request.pieceBytes, request.totalBytes);
      if (request.wanted?.[number] === 0) continue;
      const digest = await hashRun(request.hash, { begin, end }, about).catch((error: unknown) => {
        if (request.skipUnreadable === true && isUnreadable(error)) return null;
        throw error;
      });
      if (digest !== null) digests.set(digest, number * digestBytes);
    }
    return digests;
  } finally {
    content.close();
    threadBuffers.give(buffer);
  }
}

function isUnreadable(error: unknown): boolean {
  return error instanceof StorageFailure && error.problem.code !== 'aborted';
}

async function hashRun(
  algorithm: PieceHash,
  run: { readonly begin: number; readonly end: number },
  about: {
    readonly buffer: Buffer;
    readonly job: HashJob;
    readonly content: ContentFiles;
    readonly pause?: (bytes: number) => Promise<void>;
  },
): Promise<Buffer> {
  const { buffer, job, content, pause = () => nextTurn() } = about;
  const hash = createHash(algorithm);
  for (let at = run.begin; at < run.end; at += buffer.length) {
    if (Atomics.load(job.counters, 1) !== 0n) throw new StorageFailure('aborted', 'hashing was called off');
    const slice = buffer.subarray(0, Math.min(buffer.length, run.end - at));
    content.read(at, slice);
    hash.update(slice);
    Atomics.add(job.counters, 0, BigInt(slice.length));
    await pause(slice.length);
  }
  return hash.digest();
}

/**
 * SHA-1 of whole files as hex. A file whose stamp is another one than at the scan is `source_changed`; with `skipUnreadable`
 * one that cannot be read has an empty digest instead.
 */
export async function hashWholeFiles(request: {
  readonly root: string;
  readonly files: readonly ScannedFile[];
  readonly skipUnreadable?: boolean;
  readonly job: HashJob;
  /** Between two slices; the next turn of the event loop by default. */
  readonly pause?: () => Promise<void>;
}): Promise<string[]> {
  const digests: string[] = [];
  const buffer = threadBuffers.take(SLICE_BYTES);
  try {
    for (const file of request.files) {
      const digest = await hashWholeFile(pathOnDisk(request.root, file), file, { ...request, buffer }).catch(
        (error: unknown) => {
          if (request.skipUnreadable === true && isUnreadable(error)) return '';
          throw error;
        },
      );
      digests.push(digest);
    }
    return digests;
  } finally {
    threadBuffers.give(buffer);
  }
}

async function hashWholeFile(
  path: string,
  { bytes, stamp }: ScannedFile,
  { buffer, job, pause }: { readonly buffer: Buffer; readonly job: HashJob; readonly pause?: () => Promise<void> },
): Promise<string> {
  const content = new ContentFiles(fileTable({ begin: 0, files: [{ path: '', bytes }] }), [path], READ_ONLY);
  try {
    const digest = await hashRun('sha1', { begin: 0, end: bytes }, { buffer, job, content, ...(pause && { pause }) });
    if (isSameStamp(stampFile(path), stamp)) return digest.toString('hex');
  } finally {
    content.close();
  }
  throw new StorageFailure('source_changed', `${path} was changed while it was read`);
}

/** Throws `source_changed` when any file has another stamp than at the scan. */
export function checkUnchanged(request: { readonly root: string; readonly files: readonly ScannedFile[] }): void {
  for (const file of request.files) {
    const path = pathOnDisk(request.root, file);
    if (!isSameStamp(stampFile(path), file.stamp)) {
      throw new StorageFailure('source_changed', `${path} was changed while it was read`);
    }
  }
}
