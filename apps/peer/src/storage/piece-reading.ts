// Owns reading a part of a piece for somebody who must get no byte that is not verified: all of the piece is read and hashed, and
// what is handed out is what was hashed, whatever happens to the file meanwhile. The part is bounded, and so is the memory, however
// long a piece is.
import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { PieceHash } from '#domain/command';
import { threadBuffers } from './buffer-pool.ts';
import { ContentFiles } from './content-files.ts';
import { type PlacedApart, fileTable, type RunFiles } from './content-layout.ts';
import { StorageFailure } from './storage-problem.ts';

const SLICE_BYTES = 1024 * 1024;

/** A run of bytes of the content. */
interface Run {
  readonly begin: number;
  readonly length: number;
}

/** Which part of which piece, and where it is. */
export interface PieceReading {
  /** At least those that the piece lies in. */
  readonly files: RunFiles;
  /** Where they are, tried in order. */
  readonly roots: readonly string[];
  /** Which root is meant, as `identityOf` has it; null for any. */
  readonly identity: string | null;
  /** Those of the files that are in their final place already. */
  readonly placed?: PlacedApart | null;
  readonly hash: PieceHash;
  readonly digest: Uint8Array;
  readonly piece: Run;
  /** In shared memory: gets the bytes of the content from `begin` on. */
  readonly target: Uint8Array;
  readonly begin: number;
  /** Shared: not 0 once nobody wants it any more. */
  readonly calledOff: Int32Array;
}

/** Fills the target. False when the piece is another one than the digest says: then the target holds nothing of it. */
export async function readPiece(reading: PieceReading): Promise<boolean> {
  const { files, roots, identity, placed = null, piece, target, calledOff } = reading;
  const access = { flags: 'r', identity, placed, firstFile: files.first } as const;
  const content = new ContentFiles(fileTable(files), roots, access);
  const buffer = threadBuffers.take(Math.min(SLICE_BYTES, piece.length));
  const hash = createHash(reading.hash);
  try {
    for (let done = 0; done < piece.length; done += buffer.length) {
      if (done > 0) await nextTurn();
      if (Atomics.load(calledOff, 0) !== 0) throw new StorageFailure('aborted', 'reading was called off');
      const slice = buffer.subarray(0, Math.min(buffer.length, piece.length - done));
      content.read(piece.begin + done, slice);
      hash.update(slice);
      keepWanted(reading, slice, piece.begin + done);
    }
    if (hash.digest().equals(reading.digest)) return true;
    target.fill(0);
    return false;
  } finally {
    content.close();
    threadBuffers.give(buffer);
  }
}

/** Takes over what a slice, which begins at `at`, has of the wanted bytes. */
function keepWanted({ target, begin }: PieceReading, slice: Uint8Array, at: number): void {
  const from = Math.max(begin, at);
  const to = Math.min(begin + target.length, at + slice.length);
  if (from < to) target.set(slice.subarray(from - at, to - at), from - begin);
}
