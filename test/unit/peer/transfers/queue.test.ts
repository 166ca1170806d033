// A maximum of active transfers: who waits, in which order, and what gives a place away.
import 'reflect-metadata';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { NO_LIMITS } from '#wire/control-limits';
import { sourceOf } from '../swarm/engine-harness.ts';
import {
  begun,
  download,
  downloadWhole,
  GROUP,
  HeldCalls,
  newFile,
  rewriteRecord,
  shareNew,
  stampOf,
  startAgain,
  startGroup,
  stop,
  type TransferPeer,
  untilState,
} from './transfers-harness.ts';

/** A file of a test takes five minutes. */
const SLOW = { ...NO_LIMITS, downloadBytesPerSecond: 1024 };
const NAMES = ['one', 'two', 'three'] as const;

async function beginAll(peer: TransferPeer): Promise<string[]> {
  const ids: string[] = [];
  for (const file of NAMES) ids.push((await begun(download(peer, { file }))).transferId);
  return ids;
}

/** Alice shares three files; bob downloads them one at a time, so slowly that none comes to its end. */
async function threeDownloads(): Promise<{ alice: TransferPeer; bob: TransferPeer; ids: [string, string, string] }> {
  const [alice, bob] = await startGroup('alice', 'bob');
  for (const name of NAMES) await shareNew(alice, name);
  await bob.transfers.setLimits({ ...SLOW, activeTransfers: 1 });
  const ids = (await beginAll(bob)) as [string, string, string];
  await untilState(bob, ids[0], 'downloading');
  return { alice, bob, ids };
}

function states({ transfers }: TransferPeer, ids: readonly string[]): (string | undefined)[] {
  return ids.map((id) => transfers.find(id)?.state);
}

it('the others are queued, and come one after the other in their order', async () => {
  const { bob, ids } = await threeDownloads();
  expect(states(bob, ids)).toEqual(['downloading', 'queued', 'queued']);
  const completed: string[] = [];
  bob.transfers.onEvent((event) => {
    if (event.type === 'transfer_changed' && event.transfer.state === 'complete') completed.push(event.transfer.file);
  });
  await bob.transfers.setLimits({ ...NO_LIMITS, activeTransfers: 1 });
  const ends = await Promise.all(ids.map((id) => bob.transfers.end(id, 60_000)));
  expect(ends.map(({ state }) => state)).toEqual(['complete', 'complete', 'complete']);
  expect([...new Set(completed)]).toEqual([...NAMES]);
});

it('a queued one can be paused, resumed at its old place, and cancelled', async () => {
  const { bob, ids } = await threeDownloads();
  await bob.transfers.pause(ids[1]);
  await bob.transfers.pause(ids[0]);
  await untilState(bob, ids[2], 'downloading');
  await bob.transfers.resume(ids[0]);
  await bob.transfers.resume(ids[1]);
  expect(states(bob, ids)).toEqual(['queued', 'queued', 'downloading']);
  await bob.transfers.cancel(ids[0]);
  expect(states(bob, ids)).toEqual(['cancelled', 'queued', 'downloading']);
  await bob.transfers.cancel(ids[2]);
  await untilState(bob, ids[1], 'downloading');
});

it('one that is removed leaves its place to the next', async () => {
  const { bob, ids } = await threeDownloads();
  await bob.transfers.remove(ids[0], 'delete');
  await untilState(bob, ids[1], 'downloading');
  await bob.transfers.remove(ids[2], 'delete');
  expect(states(bob, ids)).toEqual([undefined, 'downloading', undefined]);
});

it('the order and the limits are the same after a restart', async () => {
  const { alice, bob, ids } = await threeDownloads();
  await stop(bob);
  const again = await startAgain(bob);
  again.trackers.isOnline(sourceOf(alice));
  expect(again.transfers.limits()).toEqual({ ...SLOW, activeTransfers: 1 });
  await untilState(again, ids[0], 'downloading');
  expect(states(again, ids)).toEqual(['downloading', 'queued', 'queued']);
  await again.transfers.cancel(ids[0]);
  await untilState(again, ids[1], 'downloading');
  expect(states(again, ids)).toEqual(['cancelled', 'downloading', 'queued']);
});

it('a limit that is raised lets more begin, one that is lowered puts the youngest back', async () => {
  const { bob, ids } = await threeDownloads();
  await bob.transfers.setLimits({ ...SLOW, activeTransfers: 3 });
  await Promise.all(ids.map((id) => untilState(bob, id, 'downloading')));
  await bob.transfers.setLimits({ ...SLOW, activeTransfers: 2 });
  expect(states(bob, ids)).toEqual(['downloading', 'downloading', 'queued']);
  await bob.transfers.setLimits({ ...NO_LIMITS, activeTransfers: 2 });
  const ends = await Promise.all(ids.map((id) => bob.transfers.end(id, 60_000)));
  expect(ends.map(({ state }) => state)).toEqual(['complete', 'complete', 'complete']);
});

it('one that stalls gives its place away, and asks for one when it can go on', async () => {
  const { alice, bob, ids } = await threeDownloads();
  const [first, second, third] = ids;
  const manifest = alice.trackers.log.state.groups.get(GROUP)!.shares.get('one')!;
  alice.engine.withdraw({ groupId: alice.trackers.log.state.groups.get(GROUP)!.id, shareId: manifest.id });
  await untilState(bob, first, 'stalled');
  await untilState(bob, second, 'downloading');
  await alice.transfers.pause(alice.transfers.list()[0]!.transferId);
  await alice.transfers.resume(alice.transfers.list()[0]!.transferId);
  await untilState(bob, first, 'queued');
  expect(states(bob, ids)).toEqual(['queued', 'downloading', 'queued']);
  await bob.transfers.cancel(second);
  await untilState(bob, first, 'downloading');
  expect(states(bob, [third])).toEqual(['queued']);
});

it('one that no tracker answers for gives its place away too', async () => {
  const { bob, ids } = await threeDownloads();
  bob.link.isCut = true;
  await bob.transfers.cancel(ids[0]);
  await untilState(bob, ids[1], 'stalled');
  await untilState(bob, ids[2], 'stalled');
  bob.link.isCut = false;
  const moving = await Promise.race([untilState(bob, ids[1], 'downloading'), untilState(bob, ids[2], 'downloading')]);
  const other = ids[1] === moving.transferId ? ids[2] : ids[1];
  expect(await untilState(bob, other, 'queued')).toMatchObject({ reason: null });
});

it('an upload waits to be hashed, is answered meanwhile, and is not interrupted by a lower limit', async () => {
  const [alice] = await startGroup('alice');
  await alice.transfers.setLimits({ ...NO_LIMITS, activeTransfers: 1 });
  const hashing = new HeldCalls(alice.engine, 'digest');
  const upload = (name: string) =>
    begun(
      alice.transfers.upload(
        { group: GROUP, path: newFile(alice, name), wait: true, timeoutSeconds: 0 },
        stampOf(alice.link),
      ),
    );
  const [first, second] = [await upload('first'), await upload('second')];
  const ids = [first.transferId, second.transferId];
  expect(states(alice, ids)).toEqual(['hashing', 'queued']);
  await alice.transfers.setLimits({ ...NO_LIMITS, activeTransfers: 2 });
  expect(states(alice, ids)).toEqual(['hashing', 'hashing']);
  await alice.transfers.setLimits({ ...NO_LIMITS, activeTransfers: 1 });
  expect(states(alice, ids)).toEqual(['hashing', 'hashing']);
  hashing.release();
  const ends = await Promise.all(ids.map((id) => alice.transfers.end(id, 60_000)));
  expect(ends.map(({ state }) => state)).toEqual(['complete', 'complete']);
});

it('a queued upload is cancelled before it was read, and one that is shared holds no place', async () => {
  const [alice] = await startGroup('alice');
  await alice.transfers.setLimits({ ...NO_LIMITS, activeTransfers: 1 });
  await shareNew(alice, 'seeding');
  const hashing = new HeldCalls(alice.engine, 'digest');
  const body = (name: string) => ({ group: GROUP, path: newFile(alice, name), wait: true, timeoutSeconds: 0 });
  const first = await begun(alice.transfers.upload(body('first'), stampOf(alice.link)));
  const stamp = stampOf(alice.link);
  const second = await begun(alice.transfers.upload(body('second'), stamp));
  expect(alice.transfers.isUndecided(stamp.commandId)).toBe(true);
  await alice.transfers.cancel(second.transferId);
  expect(states(alice, [first.transferId, second.transferId])).toEqual(['hashing', 'cancelled']);
  hashing.release();
  await untilState(alice, first.transferId, 'seeding');
  expect(alice.trackers.log.state.groups.get(GROUP)?.shares.has('second')).toBe(false);
});

it('limits of a group hold for transfers of that group, also when it is known only later', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  const group = { group: GROUP, uploadBytesPerSecond: 1024, downloadBytesPerSecond: null };
  await alice.transfers.setLimits({ ...NO_LIMITS, groups: [group, { ...group, group: 'other' }] });
  await shareNew(alice, 'one');
  const { transferId } = await begun(download(bob, { file: 'one' }));
  await expect.poll(() => bob.transfers.find(transferId)?.bytesPerSecond).toBeGreaterThan(0);
  expect(bob.transfers.find(transferId)?.verifiedBytes).toBe(0);
  await alice.transfers.setLimits({ ...NO_LIMITS, groups: [{ ...group, group: 'other' }] });
  await untilState(bob, transferId, 'complete');
});

it('what the peer is started with comes before what was kept, and a damaged file of limits is none', async () => {
  const [alice] = await startGroup('alice');
  const kept = { ...NO_LIMITS, uploadBytesPerSecond: 5000, activeTransfers: 7 };
  await alice.transfers.setLimits(kept);
  const path = join(alice.dataDirectory, 'limits.json');
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(kept);
  await alice.transfers.open({ uploadBytesPerSecond: null, downloadBytesPerSecond: 9000 });
  expect(alice.transfers.limits()).toEqual({ ...NO_LIMITS, downloadBytesPerSecond: 9000, activeTransfers: 7 });
  for (const wrong of [{ uploadBytesPerSecond: 'many' }, { uploadBytesPerSecond: 0 }, { activeTransfers: 0.5 }]) {
    writeFileSync(path, JSON.stringify({ ...kept, ...wrong }));
    await expect(alice.transfers.open()).rejects.toThrow(`${path} is damaged`);
  }
});

it('one that begins comes after all others, whatever the clock says', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  for (const name of ['one', 'two']) await shareNew(alice, name);
  const { transferId } = await downloadWhole(bob, { file: 'one' });
  await stop(bob);
  const startedAtMs = Date.now() + 3_600_000;
  rewriteRecord(bob, transferId, { startedAtMs });
  const again = await startAgain(bob);
  const next = await begun(download(again, { file: 'two' }));
  expect(Date.parse(again.transfers.find(next.transferId)!.startedAt)).toBe(startedAtMs + 1);
});
