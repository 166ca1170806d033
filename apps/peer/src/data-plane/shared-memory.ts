// Owns putting bytes where all threads of this process see the same ones, instead of a copy for each.

import type { FileStamp } from '../storage/content-files.ts';

const STAMP_NUMBERS = 3;

/** A copy of the bytes in shared memory. */
export function inSharedMemory(bytes: Uint8Array): Uint8Array {
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
  shared.set(bytes);
  return shared;
}

/** Stamps that all threads read: three numbers for each file, its bytes, when it was modified, its inode; of one that is not there NaN. */
export function stampsInSharedMemory(stamps: readonly (FileStamp | null)[]): Float64Array {
  const shared = new Float64Array(
    new SharedArrayBuffer(stamps.length * STAMP_NUMBERS * Float64Array.BYTES_PER_ELEMENT),
  );
  for (const [position, stamp] of stamps.entries()) {
    const { bytes, modifiedMs, inode } = stamp ?? { bytes: NaN, modifiedMs: NaN, inode: NaN };
    shared.set([bytes, modifiedMs, inode], position * STAMP_NUMBERS);
  }
  return shared;
}

/** The stamps one after the other, as `stampsInSharedMemory` took them; null for a file that is not there. */
export function* stampsIn(shared: Float64Array): Generator<FileStamp | null> {
  for (let at = 0; at < shared.length; at += STAMP_NUMBERS) {
    const [bytes, modifiedMs, inode] = [shared[at]!, shared[at + 1]!, shared[at + 2]!];
    yield Number.isNaN(bytes) ? null : { bytes, modifiedMs, inode };
  }
}

/** Whether a file is what its stamp among those says. */
export function hasStamp(shared: Float64Array, position: number, { bytes, modifiedMs, inode }: FileStamp): boolean {
  const at = position * STAMP_NUMBERS;
  return shared[at] === bytes && shared[at + 1] === modifiedMs && shared[at + 2] === inode;
}
