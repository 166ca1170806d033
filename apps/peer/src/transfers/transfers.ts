// The port of the transfers: uploads and downloads of this peer, kept over restarts. Refusals are data, as those of trackers.
import type { CommandResult } from '#domain/outcome';
import type { TransferView } from '#wire/control-api';
import type { LimitsBody } from '#wire/control-limits';
import type { ScrubView } from '#wire/control-upkeep';
import type {
  DownloadFileBody,
  RecheckBody,
  SeedFileBody,
  StopShareBody,
  UploadFileBody,
} from '#wire/control-requests';
import type { Refused } from '#wire/tracker-api';
import type { CommandAnswer, CommandStamp } from '../tracker-link/tracker-link.ts';

/** Nest's name for the port. */
export const TRANSFERS = Symbol('Transfers');

/** Work that a command began. `offset` is null while an upload is being hashed, so its command is not in the log yet. */
export interface StartedTransfer {
  readonly status: 'started';
  readonly transferId: string;
  readonly offset: number | null;
  readonly result: CommandResult;
}

/** What waiting for a transfer came to; `running` when the time was over first. Offsets are those of its command. */
export type TransferEnd =
  | { readonly state: 'complete' | 'running'; readonly offset: number | null }
  | { readonly state: 'failed'; readonly detail: string };

/** A recheck that runs, or that is over. */
export interface RecheckAnswer {
  readonly status: 'running' | 'over';
  readonly transfer: TransferView;
}

/** What became of a transfer, for whoever follows them. */
export type TransferEvent =
  | { readonly type: 'transfer_changed'; readonly transfer: TransferView }
  | { readonly type: 'transfer_removed'; readonly transferId: string }
  /** Pieces on this disk are not what was shared, although nobody touched them. */
  | {
      readonly type: 'damage_found';
      readonly transferId: string;
      readonly group: string;
      readonly file: string;
      readonly path: string;
      readonly pieces: readonly number[];
    };

/** The uploads and downloads of this peer. What cannot be is answered as a refusal with its code. */
export interface Transfers {
  /** Hashes what is at a path and shares it. Resolves when the log has decided, or after a while without `wait`. */
  upload(body: UploadFileBody, stamp: CommandStamp): Promise<StartedTransfer | Refused>;
  /** Asks the log for permission, and begins to fetch. */
  download(body: DownloadFileBody, stamp: CommandStamp): Promise<StartedTransfer | Refused>;
  /** Serves a copy that is on disk already, once it is verified and the log has it. */
  seed(body: SeedFileBody, stamp: CommandStamp): Promise<StartedTransfer | Refused>;
  /** Ends this peer's seeding of a file, or with `everywhere` the share. */
  stopShare(body: StopShareBody, stamp: CommandStamp): Promise<CommandAnswer>;
  /** Whether the command is an upload whose record is still to be written. */
  isUndecided(commandId: string): boolean;
  /** Waits until an upload is served, or a download is complete and recorded as a seeder. */
  end(transferId: string, timeoutMs: number): Promise<TransferEnd>;
  /** Oldest first. */
  list(): readonly TransferView[];
  find(transferId: string): TransferView | null;
  pause(transferId: string): Promise<TransferView | Refused>;
  resume(transferId: string): Promise<TransferView | Refused>;
  cancel(transferId: string): Promise<TransferView | Refused>;
  /** Checks a copy on disk and repairs it; with `wait` answered when that is over. */
  recheck(transferId: string, body: RecheckBody): Promise<RecheckAnswer | Refused>;
  /** Forgets it; `delete` also removes what a download wrote. */
  remove(transferId: string, data: 'keep' | 'delete'): Promise<Refused | null>;
  /** How far the search for damage is. */
  scrub(): ScrubView;
  limits(): LimitsBody;
  /** Replaces all limits, also for what is under way. Resolves with what holds now, and after a restart. */
  setLimits(limits: LimitsBody): Promise<LimitsBody>;
  /** Returns the way to stop. */
  onEvent(listener: (event: TransferEvent) => void): () => void;
}
