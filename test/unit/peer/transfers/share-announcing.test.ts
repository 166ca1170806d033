// What trackers are told of copies that cannot be served: the engine, the files and the transfers are the real ones.
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { PRESENCE_UNSERVED_RUNS_MAX } from '#wire/limits';
import { unservedRuns } from '../../../../apps/peer/src/transfers/share-announcing.ts';
import type { TransferRecord } from '../../../../apps/peer/src/transfers/transfer-record.ts';
import type { PlayedLink } from './played-trackers.ts';
import { randomBytes, sourceOf } from '../swarm/engine-harness.ts';
import {
  begun,
  download,
  downloadWhole,
  GROUP,
  recheckWhole,
  send,
  shareNew,
  spoil,
  stampOf,
  startAgain,
  startGroup,
  stop,
  type TransferPeer,
  until,
  untilState,
} from './transfers-harness.ts';

/** Resolves once trackers are told that these and no others cannot be served. */
async function toldUnserved({ link }: Pick<TransferPeer, 'link'>, ...runs: readonly number[]): Promise<void> {
  const isTold = (): boolean => JSON.stringify(link.unserved) === JSON.stringify(runs);
  while (!isTold()) await nextAnnounced(link);
}

function nextAnnounced(link: PlayedLink): Promise<void> {
  return new Promise((resolve) => link.hearAnnounced.push(resolve));
}

function shareIdOf({ trackers }: TransferPeer, file = 'film'): number {
  return trackers.log.state.groups.get(GROUP)!.shares.get(file)!.id;
}

it('a copy that is damaged is told as one that cannot be served, and is told of no more once it is repaired', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  const upload = await shareNew(alice);
  const shareId = shareIdOf(alice);
  expect(alice.link.unserved).toEqual([]);
  await downloadWhole(bob);
  alice.trackers.sources.clear();
  spoil(upload.path, 7);
  expect((await recheckWhole(alice, upload.transferId)).recheck?.verdict).toBe('damaged');
  await toldUnserved(alice, shareId, shareId);
  alice.trackers.isOnline(sourceOf(bob));
  expect((await recheckWhole(alice, upload.transferId)).recheck?.verdict).toBe('repaired');
  await toldUnserved(alice);
  expect(bob.link.unserved).toEqual([]);
});

it('a copy that is being repaired is told as one of which there is a part', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  const upload = await shareNew(alice);
  const shareId = shareIdOf(alice);
  await downloadWhole(bob);
  alice.trackers.sources.clear();
  alice.trackers.isOnline({ ...sourceOf(bob), addresses: [] });
  spoil(upload.path, 7);
  void alice.transfers.recheck(upload.transferId, {});
  while (alice.link.announced.length === 0) await nextAnnounced(alice.link);
  expect(alice.link.announced).toEqual([{ shareId, group: GROUP, file: 'film' }]);
  expect(alice.link.unserved).toEqual([shareId, shareId]);
  await alice.transfers.cancel(upload.transferId);
  await toldUnserved(alice, shareId, shareId);
  expect(alice.link.announced).toEqual([]);
});

it('a copy that is gone is told as such when somebody asks for it, over a restart, and until it is back', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  const { path, transferId } = await shareNew(alice);
  const shareId = shareIdOf(alice);
  renameSync(path, `${path}.away`);
  const asking = await begun(download(bob));
  await untilState(alice, transferId, 'failed');
  await toldUnserved(alice, shareId, shareId);
  await bob.transfers.cancel(asking.transferId);
  await stop(alice);
  const again = await startAgain(alice);
  expect(again.link.unserved).toEqual([shareId, shareId]);
  renameSync(`${path}.away`, path);
  await again.transfers.resume(transferId);
  await untilState(again, transferId, 'seeding');
  await toldUnserved(again);
});

it('a copy that went while its peer was down is told as one that cannot be served', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  await shareNew(alice);
  const kept = await downloadWhole(bob);
  await stop(bob);
  rmSync(kept.path);
  const again = await startAgain(bob);
  await until(again, kept.transferId, ({ reason }) => reason?.code === 'source_missing');
  await toldUnserved(again, shareIdOf(alice), shareIdOf(alice));
  expect(again.transfers.find(kept.transferId)?.state).toBe('complete');
});

it('a share of which another copy is whole is not told of, and one that is paused or cancelled is', async () => {
  const [alice] = await startGroup('alice');
  const upload = await shareNew(alice);
  const shareId = shareIdOf(alice);
  const second = await downloadWhole(alice, { destination: join(alice.folder, 'second') });
  await alice.transfers.pause(upload.transferId);
  const other = await shareNew(alice, 'other');
  await alice.transfers.cancel(other.transferId);
  await toldUnserved(alice, shareIdOf(alice, 'other'), shareIdOf(alice, 'other'));
  rmSync(second.path);
  await recheckWhole(alice, second.transferId, { repair: false });
  await toldUnserved(alice, shareId, shareIdOf(alice, 'other'));
  expect(alice.transfers.find(second.transferId)?.reason?.code).toBe('source_missing');
});

it('of a logout, after which nothing is online, nothing is told', async () => {
  const [alice] = await startGroup('alice');
  await shareNew(alice);
  alice.link.logOut();
  alice.link.logIn();
  expect(await send(alice.link, 'create_group', { group: 'books' })).toMatchObject({ status: 'accepted' });
  const other = await shareNew(alice, 'other');
  await alice.transfers.pause(other.transferId);
  await toldUnserved(alice, shareIdOf(alice, 'other'), shareIdOf(alice, 'other'));
});

it('a share that this peer does not serve any more because it was stopped is not told of', async () => {
  const [alice] = await startGroup('alice');
  const [first, second] = [await shareNew(alice), await shareNew(alice, 'other')];
  const shareId = shareIdOf(alice, 'other');
  await alice.transfers.stopShare({ group: GROUP, file: 'film' }, stampOf(alice.link));
  expect(alice.transfers.find(first.transferId)?.state).toBe('complete');
  await alice.transfers.pause(second.transferId);
  await toldUnserved(alice, shareId, shareId);
});

it.each(['the same version', 'the next version'])(
  'a copy in whose place a part of %s was put is told as one that cannot be served, unless there is another one',
  async (what) => {
    const [alice, bob] = await startGroup('alice', 'bob');
    const album = join(alice.folder, 'album');
    mkdirSync(album);
    for (const name of ['a', 'b']) writeFileSync(join(album, name), randomBytes(300_000));
    const shared = { group: GROUP, path: album, wait: true };
    await begun(alice.transfers.upload(shared, stampOf(alice.link)));
    alice.trackers.isOnline(sourceOf(alice));
    const shareId = shareIdOf(alice, 'album');
    const destination = join(bob.folder, 'copy');
    await downloadWhole(bob, { file: 'album', destination });
    const second = await downloadWhole(bob, { file: 'album', destination: join(bob.folder, 'second') });
    if (what === 'the next version') {
      writeFileSync(join(album, 'a'), randomBytes(300_000));
      await begun(alice.transfers.upload({ ...shared, update: true }, stampOf(alice.link)));
    }
    const body = { group: GROUP, file: 'album', destination, only: ['a'], overwrite: true };
    const part = await begun(bob.transfers.download(body, stampOf(bob.link)));
    expect(await bob.transfers.end(part.transferId, 60_000)).toMatchObject({ state: 'complete' });
    expect(readdirSync(destination)).toEqual(['a']);
    expect(bob.link.unserved).toEqual([]);
    await bob.transfers.remove(second.transferId, 'delete');
    await toldUnserved(bob, shareId, shareId);
    // Once all of it is there, it is served from there.
    await bob.transfers.prioritize(part.transferId, { only: ['a', 'b'] });
    await toldUnserved(bob);
  },
);

/** An upload of a share, served or not. */
function uploadOf(shareId: number, isServed: boolean) {
  const record = { direction: 'upload', state: isServed ? 'seeding' : 'failed', share: { shareId } };
  return { record: record as unknown as TransferRecord, isOffered: true };
}

it('runs of shares that cannot be served hold those, and none that can', () => {
  const copies = fc.array(fc.tuple(fc.nat(40), fc.boolean()), { maxLength: 60 });
  fc.assert(
    fc.property(copies, (drawn) => {
      const runs = unservedRuns(drawn.map(([shareId, isServed]) => uploadOf(shareId, isServed)));
      const isIn = (shareId: number): boolean =>
        runs.some((first, index) => index % 2 === 0 && first <= shareId && shareId <= runs[index + 1]!);
      for (const [shareId] of drawn) {
        expect(isIn(shareId)).toBe(!drawn.some(([other, isServed]) => other === shareId && isServed));
      }
      expect(runs).toEqual(runs.toSorted((left, right) => left - right));
    }),
  );
});

it('a copy counts as served until a download has put its own in its place, and of 10,000 each is looked at once', () => {
  const part = (completedAtMs: number | null) => {
    const record = { direction: 'download', state: 'downloading', share: { shareId: 1 }, path: '/copy', completedAtMs };
    return { record: record as unknown as TransferRecord, isOffered: false };
  };
  const { record } = uploadOf(1, true);
  const copy = { record: { ...record, path: '/copy', completedAtMs: 10 }, isOffered: true };
  expect(unservedRuns([copy, part(null)])).toEqual([]);
  expect(unservedRuns([part(9), copy])).toEqual([]);
  expect(unservedRuns([copy, part(11)])).toEqual([1, 1]);
  expect(unservedRuns([copy, part(11), uploadOf(1, true)])).toEqual([]);
  // What a recheck put right there afterwards is whole again.
  const recheck = { verdict: 'repaired', endedAt: new Date(12).toISOString() };
  const repaired = { ...copy, record: { ...copy.record, recheck } as unknown as TransferRecord };
  expect([unservedRuns([repaired, part(11)]), unservedRuns([repaired, part(13)])]).toEqual([[], [1, 1]]);
  let reads = 0;
  const many = Array.from({ length: 10_000 }, (_, shareId) => ({
    record: uploadOf(shareId, true).record,
    get isOffered() {
      return (reads += 1) > 0;
    },
  }));
  expect([unservedRuns(many), reads]).toEqual([[], 10_000]);
});

it('of 10,000 shares that went with their disk one run is told, and of others no more than a tracker takes', () => {
  const copies = (isServed: (shareId: number) => boolean) =>
    Array.from({ length: 10_000 }, (_, shareId) => uploadOf(shareId, isServed(shareId)));
  expect(unservedRuns(copies(() => false))).toEqual([0, 9_999]);
  const runs = unservedRuns(copies((shareId) => shareId % 2 === 1));
  expect(runs).toHaveLength(2 * PRESENCE_UNSERVED_RUNS_MAX);
  expect(runs.slice(0, 4)).toEqual([0, 0, 2, 2]);
});
