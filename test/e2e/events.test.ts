// What the page lives on: progress and availability that are pushed, events whose ids go on over a kill, reasons with the moment at
// which they began, and what would be lost with the copies of a peer.
import { mkdir } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import type { FileItem, TransferView } from '#wire/control-api';
import type { LastCopyItem } from '#wire/control-copies';
import { FollowedEvents, type Followed, type FollowOptions } from '../followed-events.ts';
import { Cluster, type TestPeer } from './cluster.ts';

vi.setConfig({ testTimeout: 60_000 });

const MIB = 1024 * 1024;
let cluster: Cluster;
let alice: TestPeer;
let bob: TestPeer;
const streams: FollowedEvents[] = [];

beforeAll(async () => {
  cluster = await Cluster.start({ trackerCount: 1 });
  [alice, bob] = await cluster.users('alice', 'bob');
  await cluster.group('films', alice, bob);
  await mkdir(cluster.path('got'));
}, 60_000);
afterEach(() => {
  for (const stream of streams.splice(0)) stream.close();
});
afterAll(() => cluster.stop());

async function follow(peer: TestPeer, options: FollowOptions = {}): Promise<FollowedEvents> {
  const stream = await FollowedEvents.open(peer.control, options);
  streams.push(stream);
  return stream;
}

const isProgress = (transferId: string) => (event: Followed) =>
  event.type === 'transfer_progress' && event.data['transferId'] === transferId;

/** Whether an event tells that so many complete copies of a file are online. */
const hasCopies = (file: string, completeCopies: number) => (event: Followed) =>
  event.type === 'files_changed' &&
  (event.data['items'] as FileItem[]).some((item) => item.file === file && item.completeCopies === completeCopies);

function lastCopies(peer: TestPeer, query = ''): Promise<readonly LastCopyItem[]> {
  return peer.list<LastCopyItem>(`/last-copies${query}`);
}

it('a download tells every piece once, and what its peer delivered, without an id', async () => {
  await alice.upload('films', await cluster.file('progress.bin', 8 * MIB));
  const stream = await follow(bob);
  const transferId = await bob.begin('films', 'progress.bin', cluster.path('got'));
  const end = await stream.first((event) => isProgress(transferId)(event) && event.data['state'] === 'complete');
  const told = stream.seen.slice(0, stream.seen.indexOf(end) + 1).filter(isProgress(transferId));
  expect(told.every(({ id }) => id === null)).toBe(true);
  const pieces = told.flatMap(({ data }) => data['pieces'] as [number, number][]);
  const numbers = pieces.flatMap(([first, last]) =>
    Array.from({ length: last - first + 1 }, (_, index) => first + index),
  );
  expect(numbers.toSorted((left, right) => left - right)).toEqual(Array.from({ length: 16 }, (_, index) => index));
  expect(end.data).toMatchObject({ verifiedBytes: 8 * MIB, wantedBytes: 8 * MIB });
  const news = stream.seen.filter(({ type, data }) => type === 'transfer_changed' && data['transferId'] === transferId);
  expect(news.length).toBeGreaterThan(0);
  expect(news.every(({ data }) => !('bitfield' in data) && !('peers' in data))).toBe(true);
});

it('who watches a group hears of a new file, and of a copy that comes and goes', async () => {
  const stream = await follow(bob, { watch: ['films'] });
  await alice.upload('films', await cluster.file('watched.bin', MIB));
  await stream.first(hasCopies('watched.bin', 1));
  const transfer = await bob.download('films', 'watched.bin', cluster.path('got'));
  await stream.first(hasCopies('watched.bin', 2));
  const shared = await follow(bob, { watch: ['films'] });
  await alice.accepted('stop_share', { group: 'films', file: 'watched.bin' });
  await shared.first(hasCopies('watched.bin', 1));
  await bob.accepted('stop_share', { group: 'films', file: 'watched.bin' });
  const isGone = ({ data }: Followed): boolean =>
    JSON.stringify(data['removed'] ?? []).includes(JSON.stringify({ file: 'watched.bin', version: 1 }));
  await shared.first(isGone);
  expect(transfer.state).toBe('complete');
});

it('a share tells how many others have all of it', async () => {
  const { transferId } = await alice.upload('films', await cluster.file('counted.bin', MIB));
  const stream = await follow(alice);
  await bob.download('films', 'counted.bin', cluster.path('got'));
  await stream.first((event) => isProgress(transferId)(event) && event.data['completeCopies'] === 1);
  expect(await alice.transfer(transferId)).toMatchObject({ completeCopies: 1 });
});

it('what nobody else has completely is told before it goes, by file, by group and altogether', async () => {
  await alice.upload('films', await cluster.file('only.bin', MIB));
  const only = { group: 'films', file: 'only.bin', version: 1, completeCopies: 0, partialCopies: 0 };
  expect(await lastCopies(alice, '?group=films&file=only.bin')).toEqual([only]);
  expect(await lastCopies(alice, '?group=films&file=only.bin&version=1')).toEqual([only]);
  expect(await lastCopies(alice, '?group=films')).toContainEqual(only);
  expect(await lastCopies(alice)).toContainEqual(only);
  await bob.download('films', 'only.bin', cluster.path('got'));
  expect(await lastCopies(alice, '?group=films&file=only.bin')).toEqual([]);
  expect(await lastCopies(alice)).not.toContainEqual(only);
  expect((await alice.control.get('/last-copies?file=only.bin')).status).toBe(400);
  expect((await alice.control.get('/last-copies?group=none')).status).toBe(404);
});

it('a download with nobody to fetch from says since when, and goes on saying so after a kill; ids go on without a gap', async () => {
  await alice.upload('films', await cluster.file('stalled.bin', MIB));
  await alice.accepted('logout');
  const stream = await follow(bob);
  const transferId = await bob.begin('films', 'stalled.bin', cluster.path('got'));
  const isStalled = ({ state }: TransferView): boolean => state === 'stalled';
  const { reason } = await bob.untilTransfer(transferId, 'stalled', isStalled);
  expect(reason).toMatchObject({
    code: 'no_seeder_online',
    since: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) as string,
  });
  await stream.first(({ type, data }) => type === 'transfer_changed' && data['state'] === 'stalled');
  const lastEventId = stream.seen.findLast(({ id }) => id !== null)!.id!;
  await bob.process.kill();
  await stream.over;
  await bob.restart();
  const after = await follow(bob, { lastEventId });
  const again = await bob.untilTransfer(transferId, 'stalled', isStalled);
  expect(again.reason).toEqual(reason);
  await after.first(({ type, data }) => type === 'transfer_changed' && data['state'] === 'stalled');
  const ids = after.seen.flatMap(({ id }) => id ?? []);
  expect(ids).toEqual(ids.map((_, index) => lastEventId + 1 + index));
});
