// The port of the transfers: uploads and downloads of this peer, kept over restarts. Refusals are data, as those of trackers.
import type { CommandResult } from '#domain/outcome';
import type { TransferView } from '#wire/control-api';
import type { LimitsBody } from '#wire/control-limits';
import type { SelectionBody } from '#wire/control-selection';
import type { ScrubView } from '#wire/control-upkeep';
import type {
  DownloadFileBody,
  ListQuery,
  RecheckBody,
  SeedFileBody,
  StopShareBody,
  UploadFileBody,
} from '#wire/control-requests';
import type { TransferFileListView } from '#wire/control-transfer-files';
import type { Refused } from '#wire/tracker-api';
import type { CommandAnswer, CommandStamp } from '../tracker-link/tracker-link.ts';
import type { ProgressListener } from './progress-feed.ts';

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

/** What a download is for, beside having it. */
export interface DownloadPurpose {
  /** The group is to have one copy more: nothing is taken of a copy of another group, which nobody here could be given. */
  readonly forGroup?: boolean;
}

/** A recheck that runs, or that is over. */
export interface RecheckAnswer {
  readonly status: 'running' | 'over';
  readonly transfer: TransferView;
}

/** Which file of which share is to be read. */
export interface ContentRequest {
  readonly group: string;
  readonly file: string;
  /** Within a folder. */
  readonly path: string | undefined;
  /** Undefined for the newest. */
  readonly version: number | undefined;
  /** What has to be fetched for it stays, as if it had been downloaded. */
  readonly keep: boolean;
}

/** A file of a share that is open for reading. Has to be closed. */
export interface OpenContent {
  readonly contentId: string;
  /** Which of the files of the content it is, from 0. */
  readonly position: number;
  /** The last component of its path, or the name of a share that is one file. */
  readonly name: string;
  readonly totalBytes: number;
  /** Aborted once it may not be read any more. */
  readonly ended: AbortSignal;
  /** Reads a part of it. Offsets are of this file; `end` is the first byte that is not read. */
  read(range: { readonly begin: number; readonly end: number }): ContentReader;
  close(): void;
}

/** Reads bytes in order. */
export interface ContentReader {
  /**
   * The next bytes, all of them verified, once they are there; null at the end; a refusal when they cannot be had. They are good
   * until the call after the next one.
   */
  next(): Promise<Uint8Array | Refused | null>;
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
  download(body: DownloadFileBody, stamp: CommandStamp, purpose?: DownloadPurpose): Promise<StartedTransfer | Refused>;
  /** Serves a copy that is on disk already, once it is verified and the log has it. */
  seed(body: SeedFileBody, stamp: CommandStamp): Promise<StartedTransfer | Refused>;
  /** Ends this peer's seeding of a file, or with `everywhere` the share. */
  stopShare(body: StopShareBody, stamp: CommandStamp): Promise<CommandAnswer>;
  /** Whether the command is an upload whose record is still to be written. */
  isUndecided(commandId: string): boolean;
  /** Waits until an upload is served, or a download is complete and recorded as a seeder. */
  end(transferId: string, timeoutMs: number): Promise<TransferEnd>;
  /** Opens a file of a share for reading: a copy of this peer, one that is being fetched, or one that is fetched for this. */
  openContent(request: ContentRequest): Promise<OpenContent | Refused>;
  /** Somebody looks: has trackers asked how many others have all of each, when what is known of that is old. */
  refreshCopyCounts(): void;
  /** Oldest first. */
  list(): readonly TransferView[];
  find(transferId: string): TransferView | null;
  /** A page of the files of one, with how much of each is there. */
  files(transferId: string, query: ListQuery): Promise<TransferFileListView | Refused>;
  pause(transferId: string): Promise<TransferView | Refused>;
  resume(transferId: string): Promise<TransferView | Refused>;
  cancel(transferId: string): Promise<TransferView | Refused>;
  /** Changes which files of a download are wanted, and how much. */
  prioritize(transferId: string, change: SelectionBody): Promise<TransferView | Refused>;
  /** Checks a copy on disk and repairs it; with `wait` answered when that is over. */
  recheck(transferId: string, body: RecheckBody): Promise<RecheckAnswer | Refused>;
  /** Forgets it; `delete` also removes what a download wrote. */
  remove(transferId: string, data: 'keep' | 'delete'): Promise<Refused | null>;
  /** How far the search for damage is. */
  scrub(): ScrubView;
  limits(): LimitsBody;
  /** Replaces all limits, also for what is under way. Resolves with what holds now, and after a restart. */
  setLimits(limits: LimitsBody): Promise<LimitsBody>;
  /** Tells how transfers move, at most twice a second of each. Returns the way to stop. */
  onProgress(listener: ProgressListener): () => void;
  /** Returns the way to stop. */
  onEvent(listener: (event: TransferEvent) => void): () => void;
}
