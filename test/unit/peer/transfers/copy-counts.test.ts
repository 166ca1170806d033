// Facts about when trackers are asked how many others have what this peer shares, and about which of it.
import 'reflect-metadata';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { FileView } from '#wire/tracker-api';
import { CopyCounts } from '../../../../apps/peer/src/transfers/copy-counts.ts';
import type { TransferRecord } from '../../../../apps/peer/src/transfers/transfer-record.ts';
import { RecordedLink } from '../control/recorded-ports.ts';

const SHARES = 40;
let records: TransferRecord[];
let link: RecordedLink;
let counts: CopyCounts;
let asked: string[];
let watched: (readonly string[])[];

beforeEach(() => {
  vi.useFakeTimers();
  asked = [];
  watched = [];
  link = new RecordedLink();
  const { listCopies } = link;
  link.listCopies = (request) => {
    asked.push(request.file ?? `all of ${request.group}`);
    return listCopies(request);
  };
  link.watchGroups = (groups) => {
    watched.push(groups);
    return { begun: Promise.resolve(), stop: () => watched.splice(watched.indexOf(groups), 1) };
  };
  records = Array.from({ length: SHARES }, (_, shareId) => recordOf('films', shareId));
  counts = new CopyCounts({ link, now: Date.now, records: () => records });
});
afterEach(() => {
  counts.close();
  vi.useRealTimers();
});

function recordOf(group: string, shareId: number): TransferRecord {
  return { group, file: `f${shareId}`, share: { shareId } } as unknown as TransferRecord;
}

/** What is asked within the next second. */
async function askedNow(): Promise<string[]> {
  asked = [];
  await vi.advanceTimersByTimeAsync(1_000);
  return asked;
}

function changes(...shareIds: readonly number[]): void {
  const items = shareIds.map((shareId) => ({ shareId, file: `f${shareId}` }) as FileView);
  counts.linkEvent({ type: 'files_changed', group: 'films', items, removed: [] });
}

test('a look asks about everything, and not again soon', async () => {
  counts.look();
  expect(await askedNow()).toEqual(['all of films']);
  counts.look();
  expect(await askedNow()).toEqual([]);
  expect(watched).toEqual([]);
});

test('who follows soon after another one, or after a look, is told of changes too', async () => {
  counts.follow();
  expect([await askedNow(), watched]).toEqual([['all of films'], [['films']]]);
  counts.unfollow();
  expect(watched).toEqual([]);
  counts.follow();
  expect([await askedNow(), watched]).toEqual([['all of films'], [['films']]]);
});

test('what a watch tells when it begins is not asked about once more', async () => {
  const { watchGroups } = link;
  link.watchGroups = (groups) => {
    const begun = Promise.resolve().then(() => counts.linkEvent({ type: 'files_reset', group: 'films' }));
    return { ...watchGroups(groups), begun };
  };
  counts.follow();
  expect([...(await askedNow()), ...(await askedNow())]).toEqual(['all of films']);
  counts.linkEvent({ type: 'files_reset', group: 'films' });
  expect(await askedNow()).toEqual(['all of films']);
});

describe('while somebody follows,', () => {
  beforeEach(async () => {
    counts.follow();
    await askedNow();
  });

  test('what changes is asked about where it is of this peer, once a second', async () => {
    changes(1, SHARES);
    changes(2, 1);
    expect(await askedNow()).toEqual(['f1', 'f2']);
    changes(SHARES, SHARES + 1);
    expect(await askedNow()).toEqual([]);
  });

  test('what is shared meanwhile counts too, and the first share of a group has that watched', async () => {
    changes(SHARES);
    records.push(recordOf('films', SHARES));
    expect(await askedNow()).toEqual([`f${SHARES}`]);
    counts.linkEvent({ type: 'group_changed', group: 'books' });
    records.push(recordOf('books', SHARES + 1));
    expect(await askedNow()).toEqual(['all of books']);
    expect(watched).toEqual([['films', 'books']]);
    counts.linkEvent({ type: 'group_changed', group: 'books' });
    expect(await askedNow()).toEqual([]);
  });

  test('the whole group is asked about when much of it changes, or may have', async () => {
    changes(...Array.from({ length: 17 }, (_, shareId) => shareId));
    expect(await askedNow()).toEqual(['all of films']);
    changes(1);
    counts.linkEvent({ type: 'files_reset', group: 'films' });
    changes(2);
    expect(await askedNow()).toEqual(['all of films']);
  });
});
