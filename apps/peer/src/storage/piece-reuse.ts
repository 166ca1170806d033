// Owns taking pieces of a download from copies on this disk: every one is hashed on its way into the part, like one that came over
// the wire, and counts only when its digest fits. A copy that was changed, or is gone, costs nothing but that its pieces are fetched.
import { createHash, type Hash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { bitfieldBytes, hasBit, setBit } from '#domain/bitfield';
import { ContentReuse, type ReusableRun } from '#domain/content-reuse';
import { type Manifest, manifestGeometry, pieceDigest } from '#domain/manifest';
import { type PieceIndex, pieceIndex, pieceRange } from '#domain/piece-geometry';
import { decodeManifest } from '#wire/manifest-codec';
import { threadBuffers } from './buffer-pool.ts';
import { ContentFiles } from './content-files.ts';
import { fileTable, partPath, type PlacedApart } from './content-layout.ts';
import { JournalWriter } from './part-journal.ts';
import type { HashJob } from './source-hashing.ts';
import { StorageFailure } from './storage-problem.ts';

const SLICE_BYTES = 1024 * 1024;

/** Complete content that this peer has, as far as is known. */
export interface CopyAtHand {
  readonly manifestBytes: Uint8Array;
  readonly path: string;
}

interface ReuseRequest {
  readonly destination: string;
  readonly contentId: string;
  /** Of the part, as `preparePart` returned it. */
  readonly identity: string | null;
  readonly manifestBytes: Uint8Array;
  /** Those that come first are taken first. */
  readonly copies: readonly CopyAtHand[];
  /** Files of the part that are in their final place already. */
  readonly placed: PlacedApart | null;
  /** Pieces that are there already, or that nobody wants. */
  readonly passed: Uint8Array;
  /** The pieces of this task, the last one excluded. */
  readonly range: { readonly first: number; readonly end: number };
  readonly job: HashJob;
}

/**
 * Puts what copies have of a range of pieces into the part and its journal; a bitfield of those that are there now. Throws
 * StorageFailure disk_full, destination_unwritable, aborted.
 */
export async function reusePieces(request: ReuseRequest): Promise<Uint8Array> {
  const manifest = manifestOf(request.manifestBytes);
  if (manifest === null) throw new Error(`manifest of ${request.contentId} was accepted and does not decode`);
  const geometry = manifestGeometry(manifest);
  const reused = new Uint8Array(bitfieldBytes(geometry.pieceCount));
  const reuse = new ContentReuse(manifest, request.range);
  const part = new ContentFiles(fileTable({ begin: 0, files: manifest.files }), [partPath(request.destination)], {
    flags: 'r+',
    identity: request.identity,
    placed: request.placed,
    makes: true,
  });
  const journal = new JournalWriter(request.destination, request.contentId);
  const copies = await openCopies(request, reuse);
  const buffer = threadBuffers.take(Math.min(SLICE_BYTES, manifest.pieceBytes));
  try {
    for (let number = request.range.first; number < request.range.end; number++) {
      const piece = pieceIndex(geometry, number);
      if (piece === undefined || hasBit(request.passed, piece)) continue;
      const runs = reuse.runsOf(piece);
      if (runs === null) continue;
      const hash = createHash(manifest.hash);
      const { begin } = pieceRange(geometry, piece);
      const isCopied = await copyRuns(runs, { copies, part, begin, buffer, hash, job: request.job });
      if (!isCopied || !isDigest(manifest, piece, hash.digest())) continue;
      // As with a piece that came: first its bytes, then the journal.
      journal.append(piece);
      setBit(reused, piece);
    }
    return reused;
  } finally {
    for (const files of copies.values()) files.close();
    part.close();
    journal.close();
    threadBuffers.give(buffer);
  }
}

/** By their positions among those that were given. One whose manifest does not decode has nothing to give. */
async function openCopies({ copies, job }: ReuseRequest, reuse: ContentReuse): Promise<Map<number, ContentFiles>> {
  const opened = new Map<number, ContentFiles>();
  for (const [number, { manifestBytes, path }] of copies.entries()) {
    const manifest = manifestOf(manifestBytes);
    if (manifest === null) continue;
    reuse.add(number, manifest);
    opened.set(
      number,
      new ContentFiles(fileTable({ begin: 0, files: manifest.files }), [path], { flags: 'r', identity: null }),
    );
    await turn(job);
  }
  return opened;
}

/** Whether all of it could be read. */
async function copyRuns(
  runs: readonly ReusableRun[],
  to: {
    readonly copies: ReadonlyMap<number, ContentFiles>;
    readonly part: ContentFiles;
    readonly begin: number;
    readonly buffer: Buffer;
    readonly hash: Hash;
    readonly job: HashJob;
  },
): Promise<boolean> {
  const { copies, part, buffer, hash, job } = to;
  let written = to.begin;
  for (const { copy, begin, length } of runs) {
    for (let at = 0; at < length; at += buffer.length) {
      const slice = buffer.subarray(0, Math.min(buffer.length, length - at));
      if (!isRead(copies.get(copy)!, begin + at, slice)) return false;
      hash.update(slice);
      part.write(written, slice);
      written += slice.length;
      Atomics.add(job.counters, 0, BigInt(slice.length));
      await turn(job);
    }
  }
  return true;
}

function isRead(files: ContentFiles, begin: number, target: Uint8Array): boolean {
  try {
    files.read(begin, target);
    return true;
  } catch (error) {
    if (error instanceof StorageFailure) return false;
    throw error;
  }
}

async function turn({ counters }: HashJob): Promise<void> {
  if (Atomics.load(counters, 1) !== 0n) throw new StorageFailure('aborted', 'copying was called off');
  await nextTurn();
}

function isDigest(manifest: Manifest, piece: PieceIndex, digest: Buffer): boolean {
  return digest.equals(pieceDigest(manifest, piece));
}

function manifestOf(bytes: Uint8Array): Manifest | null {
  const decoded = decodeManifest(bytes);
  return decoded.ok ? decoded.manifest : null;
}
