// Owns what one download is given by the engine: the workers, the clock, and how it tells of what it has.
import type { WorkerPool } from '../data-plane/worker-pool.ts';
import type { FileStamp } from '../storage/content-files.ts';
import type { PlacedApart } from '../storage/content-layout.ts';
import type { ContentHashing } from './content-hashing.ts';
import type { LaneFleet } from './lane-fleet.ts';

/** What a download needs of the engine. */
export interface DownloadContext {
  readonly number: number;
  readonly fleet: LaneFleet;
  readonly pool: WorkerPool;
  readonly hashing: ContentHashing;
  readonly now: () => number;
  readonly random: () => number;
  readonly nextConnection: () => number;
  /** Whether a limit holds for what this download fetches. */
  readonly isRateLimited: () => boolean;
  readonly countPiece: (outcome: 'verified' | 'failed') => void;
  readonly countWriteFailure: (code: 'disk_full' | 'destination_unwritable') => void;
  /** The lanes serve what is verified from now on. */
  readonly servePart: (part: ServedPart) => void;
  /** The same once it is complete, with what its files are. */
  readonly serveWhole: (whole: Pick<ServedPart, 'manifestBytes' | 'roots'> & { readonly stamps: Float64Array }) => void;
  readonly withdrawPart: () => void;
  readonly onEnd: () => void;
}

/** Content that lanes serve while it is downloaded. */
export interface ServedPart {
  readonly manifestBytes: Uint8Array;
  readonly roots: readonly string[];
  readonly identity: string | null;
  /** What files were when their pieces were verified; null where the download writes. */
  readonly stamps: readonly (FileStamp | null)[] | null;
  /** Files that are in their final place already, while the others are at the part. */
  readonly placed: PlacedApart | null;
  readonly verified: Uint8Array;
  /** Nothing is written to it any more: that it was changed is news. */
  readonly isAtRest: boolean;
}
