// Owns what is shown of the files of a transfer: page by page, out of the manifest that is kept and the pieces that are verified.
import { soundBytesOf } from '#domain/content-damage';
import type { ListQuery } from '#wire/control-requests';
import { LIST_LIMIT_DEFAULT } from '#wire/control-requests';
import type { TransferFileItem, TransferFileListView } from '#wire/control-transfer-files';
import { type ManifestTable, openManifest } from '#wire/manifest-table';
import type { Refused } from '#wire/tracker-api';
import { invalidField } from './requested-paths.ts';

/** What is there of a content. */
export interface ContentProgress {
  readonly manifestBytes: Uint8Array;
  /** The pieces that are verified. */
  readonly bitfield: Uint8Array;
}

/** A page of the files of a content, which is null before its manifest is known. `after` is the position of the last one seen. */
export function transferFiles(
  content: ContentProgress | null,
  { limit = LIST_LIMIT_DEFAULT, after }: ListQuery,
): TransferFileListView | Refused {
  const manifest = content === null ? null : openManifest(content.manifestBytes);
  const count = manifest?.files.count ?? 0;
  const first = after === undefined ? 0 : Number(after) + 1;
  if (!/^\d{1,6}$/.test(after ?? '0') || first > count) {
    return invalidField('after', 'must be the next of a page of this list');
  }
  const end = Math.min(first + limit, count);
  const items: TransferFileItem[] = [];
  for (let position = first; position < end; position++) items.push(itemOf(manifest!, content!.bitfield, position));
  return { items, next: end < count ? String(end - 1) : null, asOfOffset: null };
}

function itemOf(manifest: ManifestTable, bitfield: Uint8Array, position: number): TransferFileItem {
  const { files } = manifest;
  const totalBytes = files.bytesOf(position);
  const verifiedBytes = soundBytesOf({ begin: files.beginOf(position), length: totalBytes }, manifest, bitfield);
  return { ...files.fileOf(position), totalBytes, verifiedBytes };
}
