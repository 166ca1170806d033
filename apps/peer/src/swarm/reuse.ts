// Owns what a download takes of copies on this disk: the pieces are shared out among the workers, which copy and verify them.
import { bitfieldBytes } from '#domain/bitfield';
import { type Manifest, manifestGeometry } from '#domain/manifest';
import type { WorkerPool } from '../data-plane/worker-pool.ts';
import { inSharedMemory } from '../data-plane/shared-memory.ts';
import type { PlacedApart } from '../storage/content-layout.ts';
import type { CopyAtHand } from '../storage/piece-reuse.ts';
import { valueOf } from './content-hashing.ts';

/** The part that is filled, and with what. */
export interface ReusePlan {
  readonly destination: string;
  readonly contentId: string;
  readonly identity: string | null;
  readonly manifest: Manifest;
  readonly manifestBytes: Uint8Array;
  readonly copies: readonly CopyAtHand[];
  /** Files of the part that are in their final place already. */
  readonly placed: PlacedApart | null;
  /** Pieces that are there already, or that nobody wants. */
  readonly passed: Uint8Array;
}

/** Fills a part as far as copies have its pieces; a bitfield of those. Throws TransferFailure: destination_unwritable, disk_full, aborted. */
export async function reuseCopies(
  { pool, workers }: { readonly pool: WorkerPool; readonly workers: number },
  plan: ReusePlan,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const { manifest, ...request } = plan;
  const { pieceCount } = manifestGeometry(manifest);
  const copies = plan.copies.map(({ manifestBytes, path }) => ({ manifestBytes: inSharedMemory(manifestBytes), path }));
  const job = { counters: new BigInt64Array(new SharedArrayBuffer(16)) };
  const callOff = (): void => void Atomics.store(job.counters, 1, 1n);
  signal.addEventListener('abort', callOff, { once: true });
  const reused = new Uint8Array(bitfieldBytes(pieceCount));
  try {
    const works = rangesOf(pieceCount, workers).map(async (range) => {
      const part = valueOf(await pool.run('reusePieces', { ...request, copies, range, job }));
      for (const [at, byte] of part.entries()) reused[at]! |= byte;
    });
    await Promise.all(works).finally(callOff);
    return reused;
  } finally {
    signal.removeEventListener('abort', callOff);
  }
}

function rangesOf(pieceCount: number, parts: number): { first: number; end: number }[] {
  const length = Math.max(1, Math.ceil(pieceCount / parts));
  const firsts = Array.from({ length: Math.ceil(pieceCount / length) }, (_, number) => number * length);
  return firsts.map((first) => ({ first, end: Math.min(first + length, pieceCount) }));
}
