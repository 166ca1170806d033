// Owns what is shown of the files of a transfer: page by page, out of the manifest that is kept, the pieces that are verified and what
// is wanted of it.
import { soundBytesOf } from '#domain/content-damage';
import { PRIORITIES, type PriorityName } from '#domain/piece-priorities';
import type { TransferView } from '#wire/control-api';
import type { ListQuery } from '#wire/control-requests';
import { LIST_LIMIT_DEFAULT } from '#wire/control-requests';
import type { TransferFileItem, TransferFileListView } from '#wire/control-transfer-files';
import { openManifest } from '#wire/manifest-table';
import type { Refused } from '#wire/tracker-api';
import { invalidField } from './requested-paths.ts';
import type { Transfer } from './transfer-set.ts';
import type { TransferStore } from './transfer-store.ts';
import { filePriorities, sharePaths } from './wanted-files.ts';

const PRIORITY_NAMES = Object.keys(PRIORITIES) as PriorityName[];

/** A page of the files of a transfer, none before its manifest is known. `after` is the position of the last one seen. */
export async function filesOf(
  store: Pick<TransferStore, 'readManifest'>,
  transfer: Transfer | undefined,
  query: ListQuery,
): Promise<TransferFileListView | Refused> {
  if (transfer === undefined) return { status: 'failed', code: 'transfer_not_found' };
  const { contentId } = transfer;
  // What came just now may be on its way to the disk.
  const manifestBytes = await transfer.manifest();
  const kept = manifestBytes === null && contentId !== null ? await store.readManifest(contentId) : null;
  return transferFiles(manifestBytes ?? kept, transfer.view(), query);
}

function transferFiles(
  manifestBytes: Uint8Array | null,
  transfer: TransferView,
  { limit = LIST_LIMIT_DEFAULT, after }: ListQuery,
): TransferFileListView | Refused {
  const manifest = manifestBytes === null ? null : openManifest(manifestBytes);
  const count = manifest?.files.count ?? 0;
  const first = after === undefined ? 0 : Number(after) + 1;
  if (!/^\d{1,6}$/.test(after ?? '0') || first > count) {
    return invalidField('after', 'must be the next of a page of this list');
  }
  const end = Math.min(first + limit, count);
  if (manifest === null) return { items: [], next: null, asOfOffset: null };
  const bitfield = Buffer.from(transfer.bitfield, 'base64');
  const files = Array.from({ length: end - first }, (_, number) => manifest.files.fileOf(first + number));
  const priorities = filePriorities(transfer, sharePaths(files, transfer.file));
  const items = files.map(({ path, executable }, number): TransferFileItem => {
    const [begin, length] = [manifest.files.beginOf(first + number), manifest.files.bytesOf(first + number)];
    const verifiedBytes = soundBytesOf({ begin, length }, manifest, bitfield);
    const priority = PRIORITY_NAMES[priorities[number]!]!;
    return { path, executable, totalBytes: length, verifiedBytes, priority };
  });
  return { items, next: end < count ? String(end - 1) : null, asOfOffset: null };
}
