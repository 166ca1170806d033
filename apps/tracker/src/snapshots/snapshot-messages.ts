// What the thread of a tracker and the one that takes a snapshot tell each other. The log stays with the first: which kind it is
// is nobody else's concern, so it hands over the records, one batch for each time that it is asked.
import type { StoredRecord } from '../command-log/command-log.ts';
import type { SnapshotOrder, SnapshotTaken } from './snapshot-taking.ts';

/** What the thread is started with. */
export interface SnapshotWorkerData {
  /** The folder of the snapshots. */
  readonly folder: string;
  readonly order: SnapshotOrder;
}

/** To the thread: the next records. */
export type SnapshotFeed = readonly StoredRecord[];

/** From the thread. `read` begins at an offset, `more` asks for what follows, `taken` is the last. */
export type SnapshotNews =
  | { readonly kind: 'read'; readonly fromOffset: number }
  | { readonly kind: 'more' }
  | { readonly kind: 'warning'; readonly message: string }
  | { readonly kind: 'taken'; readonly taken: SnapshotTaken };
