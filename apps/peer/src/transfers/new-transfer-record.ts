// Owns what a transfer begins as: the record of an upload or a download that a command has just begun, and how an upload
// is cut and hashed so that the same content gets the same content id.
import { randomUUID } from 'node:crypto';
import type { SharedContent } from '#domain/outcome';
import type { DownloadFileBody, UploadFileBody } from '#wire/control-requests';
import type { DownloadRecord, TransferRecord, UploadRecord } from './transfer-record.ts';

/** Who began it, with which command, when, and in which log. */
export type TransferOrigin = Pick<TransferRecord, 'commandId' | 'logId' | 'user' | 'startedAtMs'>;

/** How an upload is cut and hashed, and what it has to be. */
export type UploadShape = Pick<
  UploadRecord,
  'hash' | 'pieceBytes' | 'expectedContentId' | 'exclude' | 'likelyContentId'
>;

type UploadPlace = Pick<UploadRecord, 'command' | 'group' | 'file' | 'path'>;
type DownloadPlace = Pick<DownloadRecord, 'path' | 'share' | 'offset'>;

export function newUploadRecord(
  origin: TransferOrigin,
  { command, group, file, path }: UploadPlace,
  shape: UploadShape,
): UploadRecord {
  return {
    ...{ transferId: randomUUID(), direction: 'upload', ...origin, command, group, file, path, ...shape },
    ...{ completedAtMs: null, offset: null, state: 'hashing', reason: null, share: null, sha1: null, stamp: null },
  };
}

export function newDownloadRecord(
  origin: TransferOrigin,
  { group, file, strategy = 'random', overwrite = false }: DownloadFileBody,
  { path, share, offset }: DownloadPlace,
): DownloadRecord {
  return {
    ...{ transferId: randomUUID(), direction: 'download', ...origin, group, file, path, strategy, overwrite },
    ...{ share, offset, completedAtMs: null, state: 'queued', reason: null, sha1: null, stamp: null },
    ...{ seedCommandId: randomUUID(), isRecorded: false, isServed: false, verifiedBytes: 0, bitfield: '', peers: [] },
  };
}

/** A download for who reads it: nobody is told of the copy, which is thrown away after that. */
export function newStreamRecord(
  origin: TransferOrigin,
  { group, file, ...place }: DownloadPlace & Pick<DownloadRecord, 'group' | 'file'>,
): DownloadRecord {
  const body = { group, file, destination: place.path, strategy: 'sequential' as const };
  return { ...newDownloadRecord(origin, body, place), isRecorded: true, temporary: true };
}

/** As the share that is there under this name, when it may be the same content: `bytes` is null for a folder. */
export function uploadShape(body: UploadFileBody, bytes: number | null, share: SharedContent | null): UploadShape {
  const isAlike = share !== null && share.totalBytes === bytes;
  return {
    hash: body.hash ?? (isAlike ? share.hash : 'sha1'),
    pieceBytes: isAlike ? share.pieceBytes : null,
    expectedContentId: null,
    ...(body.exclude !== undefined && body.exclude.length > 0 && { exclude: body.exclude }),
    ...(share !== null && { likelyContentId: share.contentId }),
  };
}

/** As the share that a copy has to be; without one the log refuses it. */
export function copyShape(share: SharedContent | null): UploadShape {
  return {
    hash: share?.hash ?? 'sha1',
    pieceBytes: share?.pieceBytes ?? null,
    expectedContentId: share?.contentId ?? null,
  };
}
