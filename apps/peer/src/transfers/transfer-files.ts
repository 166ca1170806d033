// Owns what is shown of the files of a transfer: page by page, out of the manifest that is kept and the pieces that are verified.
import { soundBytesOf } from '#domain/content-damage';
import type { ListQuery } from '#wire/control-requests';
import { LIST_LIMIT_DEFAULT } from '#wire/control-requests';
import type { TransferFileItem, TransferFileListView } from '#wire/control-transfer-files';
import { decodeManifest } from '#wire/manifest-codec';
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
  const decoded = content === null ? null : decodeManifest(content.manifestBytes);
  const manifest = decoded?.ok === true ? decoded.manifest : { files: [], pieceBytes: 1 };
  const first = after === undefined ? 0 : Number(after) + 1;
  if (!/^\d{1,6}$/.test(after ?? '0') || first > manifest.files.length) {
    return invalidField('after', 'must be the next of a page of this list');
  }
  let begin = manifest.files.slice(0, first).reduce((sum, { bytes }) => sum + bytes, 0);
  const items: TransferFileItem[] = [];
  for (const { path, bytes, executable = false } of manifest.files.slice(first, first + limit)) {
    const verifiedBytes = soundBytesOf({ begin, length: bytes }, manifest, content?.bitfield ?? new Uint8Array());
    items.push({ path, totalBytes: bytes, verifiedBytes, executable });
    begin += bytes;
  }
  const end = first + items.length;
  return { items, next: end < manifest.files.length ? String(end - 1) : null, asOfOffset: null };
}
