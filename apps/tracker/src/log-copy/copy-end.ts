// Owns what both ends of a copy are for whoever copies: something that is read from offset 0, and something that takes records in
// their order; a log, or a backup in a file. Nothing of it knows which.
import type { TrackerEntry } from '#domain/state';
import type { SignedExtent } from '../audit/last-checkpoint.ts';
import type { AuditSource } from '../audit/replay.ts';
import type { StoredRecord } from '../command-log/command-log.ts';

/** Where records are taken from. */
export interface CopySource extends AuditSource {
  /** Reads all of it when it has to be looked at before it is copied. Rejects with BadInput when it is not to be. */
  prove(): Promise<void>;
  /** Rejects with BadInput when it has more by now than was copied, or somebody is there who may add to it. */
  refuseUse(copied: CopiedUse): Promise<void>;
}

/** What was copied, as far as it says who may still add to it. */
export interface CopiedUse {
  readonly records: number;
  readonly trackers: readonly TrackerEntry[];
}

/** How far what was copied is signed. */
export type CopiedExtent = Pick<SignedExtent, 'last' | 'cosigned'>;

/** Where they go. */
export interface CopyTarget {
  /** As it was named, for messages. */
  readonly name: string;
  /** Whether trackers go on from it, so that it has to have all that the source has. */
  readonly isLog: boolean;
  /** How many of the records stood there before. */
  readonly heldCount: number;
  /** Takes the next ones. Rejects with BadInput when others stand in their place. */
  take(records: readonly StoredRecord[]): Promise<void>;
  /** There are no more: how far what was taken is signed. Rejects with BadInput when it holds more than that. */
  finish(extent: CopiedExtent): Promise<void>;
  /** What stands there now. */
  written(): AuditSource;
  /** It is proven: from now on it counts. */
  keep(): Promise<void>;
  close(): Promise<void>;
}

const FILE = /^file:(.*)$/s;

/** The path that `file:<path>` names, or null for a log. */
export function backupPathIn(url: string): string | null {
  return FILE.exec(url)?.[1] ?? null;
}
