// Facts about how long what was fetched for readers alone is there, and how much of it there is at most.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { STREAM_LINGER_MS, STREAM_UNREAD_LINGER_MS, STREAMS_MAX } from '#wire/limits';
import type { DownloadTransfer } from '../../../../apps/peer/src/transfers/download-transfer.ts';
import type { FoundShare } from '../../../../apps/peer/src/transfers/shares-in-sight.ts';
import { StreamDownloads } from '../../../../apps/peer/src/transfers/stream-downloads.ts';
import type { TransferContext } from '../../../../apps/peer/src/transfers/transfer-context.ts';
import type { DownloadRecord } from '../../../../apps/peer/src/transfers/transfer-record.ts';

/** A peer on which every file of its group can be had. */
function readingPeer() {
  const removed: string[] = [];
  const context = {
    link: { command: async (_name: string, share: object) => ({ status: 'accepted', offset: 1, result: { share } }) },
    engine: { checkDestination: async () => null },
    store: { newStreamFolder: async () => '/nowhere/stream', save: async () => undefined },
  };
  const downloads = new StreamDownloads({
    context: context as unknown as TransferContext,
    originOf: (user) => ({ commandId: '', logId: null, user, startedAtMs: 0 }),
    add: (record: DownloadRecord) => ({ record, reading: 'soon', run: () => undefined }) as unknown as DownloadTransfer,
    remove: async (transferId) => removed.push(transferId),
    lingerMs: STREAM_LINGER_MS,
  });
  const begun = async (file: string): Promise<DownloadTransfer> => {
    const share = { shareId: file, contentId: file, totalBytes: 1 };
    const found = { group: 'g', file, user: 'bob', share } as unknown as FoundShare;
    const transfer = await downloads.begin(found, undefined);
    if ('status' in transfer) return expect.fail(JSON.stringify(transfer));
    return transfer;
  };
  /** One whose only reader has gone. */
  const left = async (file: string, { wasRead }: { readonly wasRead: boolean }): Promise<DownloadTransfer> => {
    const transfer = await begun(file);
    const release = downloads.hold(transfer);
    if (wasRead) downloads.noteRead(transfer);
    release();
    return transfer;
  };
  return { downloads, removed, begun, left };
}

const idsOf = (transfers: readonly DownloadTransfer[]): string[] => transfers.map(({ record }) => record.transferId);

describe('what was fetched for a reader alone', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
  afterEach(() => void vi.useRealTimers());

  it('goes soon when nobody got a byte of it', async () => {
    const { removed, left } = readingPeer();
    const transfer = await left('film', { wasRead: false });
    vi.advanceTimersByTime(STREAM_UNREAD_LINGER_MS - 1);
    expect(removed).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(removed).toEqual(idsOf([transfer]));
  });

  it('stays for a while when somebody did, also after another one who did not', async () => {
    const { downloads, removed, left } = readingPeer();
    const transfer = await left('film', { wasRead: true });
    vi.advanceTimersByTime(STREAM_LINGER_MS - 1);
    downloads.hold(transfer)();
    vi.advanceTimersByTime(STREAM_LINGER_MS - 1);
    expect(removed).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(removed).toEqual(idsOf([transfer]));
  });

  it('gives way when there is no room for more: what was read longest ago first', async () => {
    const { downloads, removed, begun, left } = readingPeer();
    const read = await begun('read');
    downloads.hold(read);
    const unread: DownloadTransfer[] = [];
    for (let count = 1; count < STREAMS_MAX; count++) unread.push(await left(`film-${count}`, { wasRead: true }));
    expect(removed).toEqual([]);
    await left('one more', { wasRead: true });
    await left('and another', { wasRead: true });
    expect(removed).toEqual(idsOf(unread.slice(0, 2)));
  });

  it('stays when it is to be kept, however many there are', async () => {
    const { removed, left } = readingPeer();
    const kept = await left('kept', { wasRead: true });
    delete kept.record.temporary;
    const second = await left('second', { wasRead: true });
    for (let count = 2; count <= STREAMS_MAX; count++) await left(`film-${count}`, { wasRead: true });
    expect(removed).toEqual(idsOf([second]));
    vi.advanceTimersByTime(STREAM_LINGER_MS);
    expect(removed).not.toContain(kept.record.transferId);
  });
});
