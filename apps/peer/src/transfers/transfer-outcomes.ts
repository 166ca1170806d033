// Owns what transfers look like to others: the answer to the command that began one, and what trackers are told of those under way.
import type { DownloadPresence } from '#wire/tracker-api';
import { DownloadTransfer } from './download-transfer.ts';
import type { Transfer } from './transfer-set.ts';
import type { StartedTransfer } from './transfers.ts';

/** It is under way. */
export function started({ record }: Transfer): StartedTransfer {
  const { transferId, offset, share } = record;
  return { status: 'started', transferId, offset, result: share === null ? {} : { share } };
}

/** What others are told that a part of it is here. */
export function announcedOf(transfers: readonly Transfer[]): DownloadPresence[] {
  return transfers.flatMap((transfer): DownloadPresence[] => {
    if (!(transfer instanceof DownloadTransfer) || !transfer.isAnnounced) return [];
    const { group, file, share } = transfer.record;
    return [{ shareId: share!.shareId, group, file }];
  });
}
