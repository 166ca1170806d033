// Owns what trackers are told of downloads that are under way, or have a part.
import type { DownloadPresence } from '#wire/tracker-api';
import { DownloadTransfer } from './download-transfer.ts';
import type { Transfer } from './transfer-set.ts';

/** What others are told that a part of it is here. */
export function announcedDownloads(transfers: readonly Transfer[]): DownloadPresence[] {
  return transfers.flatMap((transfer): DownloadPresence[] => {
    if (!(transfer instanceof DownloadTransfer) || !transfer.isAnnounced) return [];
    const { group, file, share } = transfer.record;
    return [{ shareId: share!.shareId, group, file }];
  });
}
