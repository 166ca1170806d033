// Owns what a checkpoint says: a tracker's digests of the log so far. Whether they are right is for each tracker to compare
// with its own; whether the record counts as one is decided like everything else, on the log.

/** How many records may stand between the size of a checkpoint and its own record; what lies further back is not compared. */
export const CHECKPOINT_WINDOW_RECORDS = 1_000_000;

/** The log's first `size` records as a tracker has applied them. Digests and ids are 64 lowercase hex characters. */
export interface Checkpoint {
  readonly logId: string;
  /** Number of records from offset 0. */
  readonly size: number;
  /** RFC 6962 Merkle root over their bytes. */
  readonly root: string;
  /** Effect digest after the last of them. */
  readonly digest: string;
  /** The rules in force after the last of them. */
  readonly rulesVersion: number;
  /** Name and version of the program that computed this. */
  readonly build: string;
}

/** What an operator rules about a checkpoint that trackers disagree with: it counts, or what the log replays to. */
export type CheckpointRuling = 'checkpoint' | 'log';
