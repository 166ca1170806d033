// Owns reading pieces of a copy at a pace that nobody notices. A file that is another one than when the copy was whole was
// changed, which is no damage: it is told apart by its stamp, after its bytes were read.
import { type FileStamp, isSameStamp, stampFile } from './content-files.ts';
import { pathOnDisk, type RunFiles } from './content-layout.ts';
import { type PaceClock, ReadingPace } from './reading-pace.ts';
import { hashPieces } from './source-hashing.ts';
import { StorageFailure } from './storage-problem.ts';

/** Pieces of a copy, and the files that they lie in. */
export type ScrubTask = Omit<Parameters<typeof hashPieces>[0], 'wanted' | 'skipUnreadable' | 'pause' | 'sliceBytes'> & {
  readonly bytesPerSecond: number;
  /** Of the files, as they were when the copy was whole. */
  readonly stamps: readonly FileStamp[];
};

/** Digests of a run of pieces; zeros for one that the disk does not give. Throws StorageFailure source_changed, source_missing, aborted. */
export async function scrubPieces(task: ScrubTask, clock?: PaceClock): Promise<Uint8Array> {
  const { bytesPerSecond, stamps, ...pieces } = task;
  const pace = new ReadingPace(bytesPerSecond, () => Atomics.load(task.job.counters, 1) !== 0n, clock);
  const digests = await hashPieces({
    ...pieces,
    skipUnreadable: true,
    sliceBytes: pace.sliceBytes,
    pause: (bytes) => pace.spent(bytes),
  });
  refuseChanged(task.root, task.run.files, stamps);
  return digests;
}

function refuseChanged(root: string, files: RunFiles['files'], stamps: readonly FileStamp[]): void {
  for (const [position, file] of files.entries()) {
    const path = pathOnDisk(root, file);
    const stamp = stamps[position];
    if (stamp === undefined || !isSameStamp(stampFile(path), stamp)) {
      throw new StorageFailure('source_changed', `${path} was changed after it was shared`);
    }
  }
}
