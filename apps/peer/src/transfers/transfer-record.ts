// Owns what is kept of a transfer over restarts, and how it is shown. Everything else about a transfer is found out anew:
// from the trackers, from the disk, from the engine.
import { fullBitfield } from '#domain/bitfield';
import type { PieceHash } from '#domain/command';
import type { SharedContent } from '#domain/outcome';
import type { PieceStrategy } from '#domain/source-choice';
import type { RecheckView, TransferPeerView, TransferReasonView, TransferState, TransferView } from '#wire/control-api';
import type { ShareRef } from '../swarm/transfer-engine.ts';
import { datedReason, type ReasonSince } from './reason-since.ts';
import { NO_SELECTION, type Selection } from './wanted-files.ts';

export interface TransferFacts {
  readonly transferId: string;
  /** The command that began it. */
  readonly commandId: string;
  /** Of the request that began it; left out when it was begun without one. */
  readonly correlationId?: string;
  /** The log that its share belongs to; null until a tracker answered for the first time. */
  readonly logId: string | null;
  /** Who began it: it runs while this user is logged in. */
  readonly user: string;
  readonly group: string;
  readonly file: string;
  /** What is shared, or the finished download's place. */
  readonly path: string;
  readonly startedAtMs: number;
  completedAtMs: number | null;
  /** Of the command's record; null while an upload is being hashed. */
  offset: number | null;
  state: TransferState;
  reason: TransferReasonView | null;
  /** When the reason began, or the last one that may come back; absent while nothing is known. */
  reasonSince?: ReasonSince;
  /** As the trackers describe it; null while an upload is being hashed. */
  share: SharedContent | null;
  sha1: string | null;
  /** Lengths and times of what is at `path` when it was last known to be whole; null before. */
  stamp: string | null;
  /** Whether the SHA-1 of the whole files is what the sharer said; absent until it was looked at. */
  sha1Matches?: boolean;
  /** The last recheck; absent before the first one. */
  recheck?: RecheckView;
  /** What is sound of a copy that is known to be damaged; absent while it is whole as far as is known. */
  damage?: CopyDamage;
  /** True of a download that is there for who reads it alone; absent of all others. */
  temporary?: true;
}

/** The sound part of a damaged copy. */
export interface CopyDamage {
  readonly soundBytes: number;
  /** Base64: the pieces that are sound. */
  readonly bitfield: string;
}

/** A file or folder that this peer shares: new in the group, or as a copy of what is there. */
export interface UploadRecord extends TransferFacts {
  readonly direction: 'upload';
  readonly command: 'upload_file' | 'seed_file';
  readonly hash: PieceHash;
  /** How the content is cut when the group has it already; null for the usual way. */
  readonly pieceBytes: number | null;
  /** What a copy has to be; null when anything will do. */
  readonly expectedContentId: string | null;
  /** Globs of what is left out of a folder; absent where nothing is. */
  readonly exclude?: readonly string[];
  /** What the group has under this name when it begins: only that may differ in what old versions of manifests do not know. */
  readonly likelyContentId?: string;
  /** The version that this is to be the next one of; absent when it is none's. */
  readonly replaces?: number;
  /** Which version a copy is of; absent for the newest of its content. */
  readonly version?: number;
}

/** A file or folder that this peer fetches. */
export interface DownloadRecord extends TransferFacts {
  readonly direction: 'download';
  readonly strategy: PieceStrategy;
  readonly overwrite: boolean;
  /** Id of the `seed_file` that records the finished copy. */
  readonly seedCommandId: string;
  /** Whether that command has been decided. */
  isRecorded: boolean;
  /** Whether the finished copy is served to others. */
  isServed: boolean;
  /** Of the files that are wanted, as the bitfield says. */
  verifiedBytes: number;
  bitfield: string;
  /** What was on this disk already in earlier runs; absent while nothing was. */
  reusedBytes?: number;
  /** Which files are wanted, and how much; absent when nobody said. */
  selection?: Selection;
  /** Bytes of the files that are wanted; absent while that is not known, or everything is. */
  wantedBytes?: number;
  /** What is in place are some of the files: those that were wanted. Absent before that, and once all of it is there. */
  isPartial?: true;
  /** Some of it came, or may have come, of a copy of another group: nobody else gets anything of it. */
  isPrivate?: true;
  /** It was begun so that its group has one copy more: nothing of it comes of a copy of another group. Absent of all others. */
  readonly forGroup?: true;
  /** What other peers delivered in earlier runs. */
  peers: readonly TransferPeerView[];
}

export type TransferRecord = UploadRecord | DownloadRecord;

/** What moves while a transfer runs. */
export type TransferProgress = Pick<
  TransferView,
  | 'totalBytes'
  | 'wantedBytes'
  | 'verifiedBytes'
  | 'reusedBytes'
  | 'bytesPerSecond'
  | 'etaSeconds'
  | 'bitfield'
  | 'peers'
>;

/** What a recheck that runs shows in place of the transfer's own state and progress. */
export type LiveRecheck = Pick<TransferView, 'state'> &
  Partial<TransferProgress> & { readonly reason: TransferReasonView | null; readonly recheck: RecheckView };

/** A transfer as a person sees it. */
export function transferView(
  record: TransferRecord,
  progress: TransferProgress & Pick<TransferView, 'completeCopies'>,
  live: LiveRecheck | null,
): TransferView {
  const { transferId, direction, group, file, share, sha1, state, path, damage } = record;
  return {
    ...{ transferId, direction, group, file, contentId: share?.contentId ?? null, sha1, state },
    version: share === null ? null : versionOf(share),
    sha1Matches: record.sha1Matches ?? null,
    ...progress,
    ...(damage !== undefined && { verifiedBytes: damage.soundBytes, bitfield: damage.bitfield }),
    path,
    served: isServed(record),
    temporary: record.temporary ?? false,
    private: isPrivate(record),
    ...selectionView(record),
    startedAt: new Date(record.startedAtMs).toISOString(),
    completedAt: record.completedAtMs === null ? null : new Date(record.completedAtMs).toISOString(),
    // Older builds kept no differences of a tree.
    recheck:
      record.recheck === undefined
        ? null
        : { ...record.recheck, treeDifferences: record.recheck.treeDifferences ?? [] },
    ...live,
    reason: shownReason(record, live),
  };
}

function shownReason(record: TransferRecord, live: LiveRecheck | null): TransferView['reason'] {
  const { reason, reasonSince, startedAtMs } = record;
  if (live !== null) return live.reason && datedReason(live.reason, Date.parse(live.recheck.startedAt));
  return reason && datedReason(reason, reasonSince?.atMs ?? startedAtMs);
}

function selectionView(record: TransferRecord): Pick<TransferView, 'only' | 'priorities'> {
  const { only, priorities } = (record.direction === 'download' ? record.selection : undefined) ?? NO_SELECTION;
  return { only: only === null ? null : [...only], priorities: [...priorities] };
}

/** Whether others are to be served what there is of it: not while it is on its way, and not any more once that was stopped. */
function isServed(record: TransferRecord): boolean {
  return record.direction === 'upload' ? record.state === 'seeding' : record.state === 'complete' && record.isServed;
}

/** Whether a copy on disk is served, and was whole when it was looked at last. */
export function isSeeded(record: TransferRecord): boolean {
  const { direction, state, share, stamp, damage, reason } = record;
  if (share === null || stamp === null || damage !== undefined) return false;
  return direction === 'upload' ? state === 'seeding' : state === 'complete' && record.isServed && reason === null;
}

/** Whether a copy to which the log sends others cannot be served, as far as is known: it waits for somebody, or for what repairs it. */
export function isBroken(record: TransferRecord): boolean {
  // Copies that go on by themselves are served at once when they can be, or say then why not.
  if (record.direction === 'upload') return !goesOnByItself(record);
  return record.state === 'complete' && record.reason !== null;
}

/** The copy is whole: nothing is left to say of damage. */
export function noteWhole(record: TransferRecord, stamp: string): void {
  record.stamp = stamp;
  delete record.damage;
  if (record.direction === 'download') delete record.isPartial;
}

/** All that was wanted is there, and not all of the content. */
export function notePart(record: DownloadRecord, completedAtMs: number): void {
  record.isPartial = true;
  record.isServed = !isPrivate(record);
  record.completedAtMs = completedAtMs;
}

/** Whether nothing more becomes of it by itself. */
export function isOver({ state }: TransferRecord): boolean {
  return state === 'complete' || state === 'failed' || state === 'cancelled';
}

/** How waiting for a download is over, once it is. */
export function endOf(record: DownloadRecord): 'complete' | 'failed' | null {
  const { state, isRecorded } = record;
  if (state === 'complete') return isRecorded || isResting(record) ? 'complete' : null;
  return state === 'failed' || state === 'cancelled' ? 'failed' : null;
}

/** Whether a download is under way, with or without bytes that move. */
export function goesOnNow({ state }: DownloadRecord): boolean {
  return state === 'queued' || state === 'downloading' || state === 'stalled';
}

/** What a login, or a start of the peer, goes on with: everything that nobody stopped. */
export function goesOnByItself(record: TransferRecord): boolean {
  const { state, reason } = record;
  if (state === 'complete') return record.direction === 'download' && record.isServed;
  if (state === 'paused') return reason?.code === 'logged_out';
  return state !== 'failed' && state !== 'cancelled';
}

/** Whether another download writes to the same place, or wrote there later: what is there is not this one's. */
export function isReplacedBy(record: TransferRecord, other: TransferRecord): boolean {
  if (other === record || other.direction !== 'download' || other.path !== record.path) return false;
  return !isOver(other) || (other.completedAtMs ?? 0) > (record.completedAtMs ?? Infinity);
}

/** Before rules version 3 there was only the first. */
export function versionOf({ version }: SharedContent): number {
  return version ?? 1;
}

/** The share as commands and views of the trackers name it: with its version once there are any. */
export function namedShare({ group, file, share }: TransferRecord): { group: string; file: string; version?: number } {
  return { group, file, ...(share?.version !== undefined && { version: share.version }) };
}

/** Whether all that is wanted of it is in place, and that is not everything. */
export function isResting(record: TransferRecord): boolean {
  return record.direction === 'download' && record.state === 'complete' && record.isPartial === true;
}

/** Whether others are served what there is of it, of some files or parts of them. */
export function isServedPart(record: TransferRecord): boolean {
  return isResting(record) && (record as DownloadRecord).isServed;
}

/** Whether what is on disk is for this peer's user alone, although it is in a group: it came of another one's copy. */
export function isPrivate(record: TransferRecord): boolean {
  return record.direction === 'download' && record.isPrivate === true;
}

/** The share as the engine names it. */
export function shareRef({ groupId, shareId }: SharedContent): ShareRef {
  return { groupId, shareId };
}

/** Base64 of the bitfield of content that is whole. */
export function wholeBitfield(pieceCount: number): string {
  return Buffer.from(fullBitfield(pieceCount)).toString('base64');
}
