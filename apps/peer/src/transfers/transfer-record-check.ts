// Owns whether what a file holds is the record of a transfer: a disk can spoil it, and then nothing may be built on it.
import type { SharedContent } from '#domain/outcome';
import { type FieldType, hasFields } from '#identity/durable-file';
import { CORRELATION_ID } from '#wire/correlation-id';
import type { RecheckView, TransferPeerView, TransferReasonView } from '#wire/control-api';
import type { ReasonSince } from './reason-since.ts';
import type { CopyDamage, DownloadRecord, TransferFacts, TransferRecord, UploadRecord } from './transfer-record.ts';
import { isSelection } from './wanted-files.ts';

type FieldTypes<Of> = Readonly<Record<keyof Of, FieldType>>;
/** Fields that came later, and are there only when there is something to say. */
type Optional<Of> = { [Field in keyof Of as undefined extends Of[Field] ? Field : never]-?: Of[Field] };
type Always<Of> = Omit<Of, keyof Optional<Of>>;

const FACTS: FieldTypes<Always<TransferFacts>> = {
  ...{ transferId: 'string', commandId: 'string', logId: 'string?', user: 'string', group: 'string', file: 'string' },
  ...{ path: 'string', startedAtMs: 'number', completedAtMs: 'number?', offset: 'number?', state: 'string' },
  ...{ reason: 'object?', share: 'object?', sha1: 'string?', stamp: 'string?' },
};
const UPLOAD_FACTS: FieldTypes<Omit<Always<UploadRecord>, keyof TransferFacts>> = {
  ...{ direction: 'string', command: 'string', hash: 'string', pieceBytes: 'number?', expectedContentId: 'string?' },
};
const DOWNLOAD_FACTS: FieldTypes<Omit<Always<DownloadRecord>, keyof TransferFacts>> = {
  ...{ direction: 'string', strategy: 'string', overwrite: 'boolean', seedCommandId: 'string', isRecorded: 'boolean' },
  ...{ isServed: 'boolean', verifiedBytes: 'number', bitfield: 'string', peers: 'object' },
};
const ADDITIONS: FieldTypes<Optional<UploadRecord> & Optional<DownloadRecord>> = {
  ...{ reasonSince: 'object', sha1Matches: 'boolean', recheck: 'object', damage: 'object', temporary: 'boolean' },
  ...{ exclude: 'object', likelyContentId: 'string', replaces: 'number', version: 'number' },
  ...{ selection: 'object', wantedBytes: 'number', isPartial: 'boolean', reusedBytes: 'number' },
  ...{ isPrivate: 'boolean', forGroup: 'boolean', correlationId: 'string' },
};
const SHARE: FieldTypes<Omit<SharedContent, 'version'>> = {
  ...{ groupId: 'number', shareId: 'number', contentId: 'string', hash: 'string' },
  ...{ totalBytes: 'number', pieceBytes: 'number', pieceCount: 'number' },
};
const REASON: FieldTypes<TransferReasonView> = { code: 'string', detail: 'string', action: 'string' };
const REASON_SINCE: FieldTypes<ReasonSince> = { code: 'string', atMs: 'number', verifiedBytes: 'number' };
const DAMAGE: FieldTypes<CopyDamage> = { soundBytes: 'number', bitfield: 'string' };
const PEER: FieldTypes<TransferPeerView> = {
  ...{ peerId: 'string', user: 'string', address: 'string', state: 'string' },
  ...{ deliveredBytes: 'number', corruptPieces: 'number' },
};
/** Older builds kept no differences of a tree. */
const RECHECK: FieldTypes<Omit<RecheckView, 'treeDifferences'>> = {
  ...{ startedAt: 'string', endedAt: 'string?', verdict: 'string?', checkedPieces: 'number', damagedPieces: 'number' },
  ...{ repairedPieces: 'number', absentFiles: 'object', misfitFiles: 'object', sha1Mismatches: 'object' },
};

/** What a field has to be beyond its type. */
const CHECKS: Readonly<Record<string, (value: unknown) => boolean>> = {
  ...{ startedAtMs: isTime, completedAtMs: (value) => value === null || isTime(value) },
  reason: (value) => value === null || hasFields(value, REASON),
  reasonSince: (value) => hasFields(value, REASON_SINCE) && isTime((value as ReasonSince).atMs),
  share: (value) => value === null || (hasFields(value, SHARE) && hasWholeVersion(value)),
  recheck: (value) => hasFields(value, RECHECK) && hasTexts(value, RECHECK_TEXTS),
  damage: (value) => hasFields(value, DAMAGE),
  peers: (value) => Array.isArray(value) && value.every((peer) => hasFields(peer, PEER)),
  ...{ exclude: areTexts, selection: isSelection, correlationId: (value) => CORRELATION_ID.test(value as string) },
  ...{ replaces: Number.isSafeInteger, version: Number.isSafeInteger, reusedBytes: Number.isSafeInteger },
};
const RECHECK_TEXTS = ['absentFiles', 'misfitFiles', 'treeDifferences', 'sha1Mismatches'];

/** Whether a value is the record of a transfer. */
export function isTransferRecord(value: unknown): value is TransferRecord {
  if (!hasFields(value, FACTS)) return false;
  const record = value as TransferRecord & Record<string, unknown>;
  const { direction, share } = record;
  if (direction !== 'upload' && direction !== 'download') return false;
  if (!hasFields(record, direction === 'download' ? DOWNLOAD_FACTS : UPLOAD_FACTS)) return false;
  const additions = Object.entries(ADDITIONS).filter(([field]) => Object.hasOwn(record, field));
  if (!hasFields(record, Object.fromEntries(additions))) return false;
  const isRight = ([field, check]: [string, (value: unknown) => boolean]): boolean =>
    !Object.hasOwn(record, field) || check(record[field]);
  return Object.entries(CHECKS).every(isRight) && (direction === 'upload' || share !== null);
}

/** Shares had no versions once. */
function hasWholeVersion(share: unknown): boolean {
  const { version } = share as Partial<SharedContent>;
  return version === undefined || Number.isSafeInteger(version);
}

function hasTexts(holder: unknown, fields: readonly string[]): boolean {
  return fields.every((field) => {
    const texts = (holder as Record<string, unknown>)[field];
    return texts === undefined || areTexts(texts);
  });
}

function areTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((text) => typeof text === 'string');
}

/** Whether a number of milliseconds since 1970 can be shown as a time. */
function isTime(timeMs: unknown): boolean {
  return typeof timeMs === 'number' && !Number.isNaN(new Date(timeMs).getTime());
}
