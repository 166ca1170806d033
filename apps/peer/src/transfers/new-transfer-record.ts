// Owns what a transfer begins as: the record of an upload or a download that a command has just begun, and how an upload
// is cut and hashed so that the same content gets the same content id.
import { randomUUID } from 'node:crypto';
import type { SharedContent } from '#domain/outcome';
import { geometryProblem } from '#domain/piece-geometry';
import type { DownloadFileBody, UploadFileBody } from '#wire/control-requests';
import { type DownloadRecord, type TransferRecord, type UploadRecord, versionOf } from './transfer-record.ts';

/** Who began it, with which command, when, and in which log. */
export type TransferOrigin = Pick<TransferRecord, 'commandId' | 'correlationId' | 'logId' | 'user' | 'startedAtMs'>;

/** How an upload is cut and hashed, what it has to be, and which version it is to follow. */
export type UploadShape = Pick<
  UploadRecord,
  'hash' | 'pieceBytes' | 'expectedContentId' | 'exclude' | 'likelyContentId' | 'replaces'
>;

type UploadPlace = Pick<UploadRecord, 'command' | 'group' | 'file' | 'path' | 'version'>;
type DownloadPlace = Pick<DownloadRecord, 'path' | 'share' | 'offset'>;

export function newUploadRecord(origin: TransferOrigin, place: UploadPlace, shape: UploadShape): UploadRecord {
  return {
    ...{ transferId: randomUUID(), direction: 'upload', ...origin, ...place, ...shape },
    ...{ completedAtMs: null, offset: null, state: 'hashing', reason: null, share: null, sha1: null, stamp: null },
  };
}

export function newDownloadRecord(
  origin: TransferOrigin,
  { group, file, strategy = 'random', overwrite = false, only }: DownloadFileBody,
  { path, share, offset, forGroup = false }: DownloadPlace & { readonly forGroup?: boolean },
): DownloadRecord {
  return {
    ...{ transferId: randomUUID(), direction: 'download', ...origin, group, file, path, strategy, overwrite },
    ...{ share, offset, completedAtMs: null, state: 'queued', reason: null, sha1: null, stamp: null },
    ...{ seedCommandId: randomUUID(), isRecorded: false, isServed: false, verifiedBytes: 0, bitfield: '', peers: [] },
    ...(only !== undefined && { selection: { only, priorities: [] } }),
    ...(forGroup && { forGroup }),
  };
}

/** A download for who reads it: nobody is told of the copy, which is thrown away after that. Of a folder what is read is wanted. */
export function newStreamRecord(
  origin: TransferOrigin,
  { group, file, only, ...place }: DownloadPlace & Pick<DownloadRecord, 'group' | 'file'> & { readonly only: string[] },
): DownloadRecord {
  const body = { group, file, destination: place.path, strategy: 'sequential' as const, only };
  return { ...newDownloadRecord(origin, body, place), isRecorded: true, temporary: true };
}

/** As the share that is there under this name, when it may be the same content or is to be followed: `bytes` is null for a folder. */
export function uploadShape(body: UploadFileBody, bytes: number | null, share: SharedContent | null): UploadShape {
  const isNext = share !== null && body.update === true;
  const isAlike = share !== null && share.totalBytes === bytes;
  // Who has the version before finds the pieces that are the same only where they are cut and hashed alike.
  const isCutAlike = isAlike || (isNext && bytes !== null && isGeometry(bytes, share.pieceBytes));
  return {
    hash: body.hash ?? (isAlike || isNext ? share.hash : 'sha1'),
    pieceBytes: isCutAlike ? share.pieceBytes : null,
    expectedContentId: null,
    ...(body.exclude !== undefined && body.exclude.length > 0 && { exclude: body.exclude }),
    ...(share !== null && !isNext && { likelyContentId: share.contentId }),
    ...(isNext && { replaces: versionOf(share) }),
  };
}

function isGeometry(totalBytes: number, pieceBytes: number): boolean {
  return geometryProblem({ totalBytes, pieceBytes }) === null;
}

/** As the share that a copy has to be; without one the log refuses it. */
export function copyShape(share: SharedContent | null): UploadShape {
  return {
    hash: share?.hash ?? 'sha1',
    pieceBytes: share?.pieceBytes ?? null,
    expectedContentId: share?.contentId ?? null,
  };
}
