import { readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { TransferEngine } from '../../../../apps/peer/src/swarm/transfer-engine.ts';
import type { TransferEvent } from '../../../../apps/peer/src/transfers/transfers.ts';
import { sourceOf } from '../swarm/engine-harness.ts';
import {
  begun,
  download,
  downloadWhole,
  GROUP,
  HeldCalls,
  newFile,
  spoil,
  stampOf,
  startAgain,
  startGroup,
  stop,
  type TransferPeer,
  until,
} from './transfers-harness.ts';

const MIB = 1024 * 1024;
/** Two pieces of 512 KiB and a third of one byte. */
const BYTES = Buffer.alloc(MIB + 1, 'film');
const SCRUB_RATE = 1e9;

/** A share whose file has a time that can be set again. */
async function share(peer: TransferPeer, name = 'film'): Promise<{ path: string; transferId: string }> {
  const path = newFile(peer, name, BYTES);
  utimesSync(path, 1, 1);
  const { transferId } = await begun(peer.transfers.upload({ group: GROUP, path }, stampOf(peer.link)));
  peer.trackers.isOnline(sourceOf(peer));
  return { path, transferId };
}

/** What a disk does by itself: other bytes, and nothing tells of it. */
function rot(path: string, ...positions: readonly number[]): void {
  spoil(path, ...positions);
  utimesSync(path, 1, 1);
}

/** Alice shares a film that bob has too; alice is stopped. */
async function sharedByTwo() {
  const [alice, bob] = await startGroup('alice', 'bob');
  const upload = await share(alice);
  const copy = await downloadWhole(bob);
  bob.trackers.isOnline(sourceOf(bob));
  await stop(alice);
  return { alice, bob, upload, copy };
}

function eventsOf({ transfers }: TransferPeer): TransferEvent[] {
  const events: TransferEvent[] = [];
  transfers.onEvent((event) => events.push(event));
  return events;
}

it('a byte that flipped on disk is found, told, and fetched again from others', async () => {
  const { alice, upload } = await sharedByTwo();
  rot(upload.path, 7, MIB);
  const scrubbing = await startAgain(alice, undefined, SCRUB_RATE);
  const events = eventsOf(scrubbing);
  const view = await until(
    scrubbing,
    upload.transferId,
    ({ recheck, state }) => recheck?.verdict === 'repaired' && state === 'seeding',
  );
  expect(view).toMatchObject({ reason: null, recheck: { damagedPieces: 2, repairedPieces: 2, checkedPieces: 3 } });
  expect(readFileSync(upload.path).equals(BYTES)).toBe(true);
  expect(events.filter(({ type }) => type === 'damage_found')).toMatchObject([
    { transferId: upload.transferId, group: GROUP, file: 'film', path: upload.path, pieces: [0, 2] },
  ]);
  expect(scrubbing.transfers.scrub()).toMatchObject({ bytesPerSecond: 1e9, damagedPieces: 2 });
});

it('a copy that somebody changed is told as changed, and left as it is', async () => {
  const { alice, upload } = await sharedByTwo();
  const changed = Buffer.from(BYTES).fill('mine', 0, 4);
  let opening: HeldCalls | null = null;
  const prepare = (engine: TransferEngine): void => void (opening = new HeldCalls(engine, 'openCopy'));
  const scrubbing = await startAgain(alice, prepare, SCRUB_RATE);
  await opening!.called;
  writeFileSync(upload.path, changed);
  opening!.release();
  const view = await until(scrubbing, upload.transferId, ({ state }) => state === 'failed');
  expect(view).toMatchObject({ reason: { code: 'source_changed' }, recheck: null });
  expect(readFileSync(upload.path).equals(changed)).toBe(true);
});

it('damage that nobody can repair is told, and repaired once somebody is online', async () => {
  const { alice, bob, upload } = await sharedByTwo();
  rot(upload.path, 7);
  bob.trackers.sources.clear();
  const alone = await startAgain(alice, undefined, SCRUB_RATE);
  const damaged = await until(alone, upload.transferId, ({ recheck }) => recheck?.verdict === 'damaged');
  expect(damaged).toMatchObject({ state: 'failed', reason: { code: 'source_changed' } });
  await stop(alone);
  bob.trackers.isOnline(sourceOf(bob));
  const again = await startAgain(alone, undefined, SCRUB_RATE);
  expect(await until(again, upload.transferId, ({ state }) => state === 'seeding')).toMatchObject({
    reason: null,
    recheck: { verdict: 'repaired' },
  });
  expect(readFileSync(upload.path).equals(BYTES)).toBe(true);
});

it('damage of an older version is repaired from who has that one, also when nobody has the newest', async () => {
  const { alice, bob, upload } = await sharedByTwo();
  rot(upload.path, 7);
  bob.trackers.sources.clear();
  const alone = await startAgain(alice, undefined, SCRUB_RATE);
  const next = { group: GROUP, name: 'film', path: newFile(alone, 'next'), update: true };
  const { result } = await begun(alone.transfers.upload(next, stampOf(alone.link)));
  bob.trackers.absent.add(result.share!.shareId);
  await until(alone, upload.transferId, ({ recheck }) => recheck?.verdict === 'damaged');
  await stop(alone);
  bob.trackers.isOnline(sourceOf(bob));
  const again = await startAgain(alone, undefined, SCRUB_RATE);
  await until(again, upload.transferId, ({ state }) => state === 'seeding');
  expect(readFileSync(upload.path).equals(BYTES)).toBe(true);
});

it('damage that somebody made good use of meanwhile is not repaired over it', async () => {
  const { alice, bob, upload } = await sharedByTwo();
  rot(upload.path, 7);
  bob.trackers.sources.clear();
  const alone = await startAgain(alice, undefined, SCRUB_RATE);
  await until(alone, upload.transferId, ({ recheck }) => recheck?.verdict === 'damaged');
  await stop(alone);
  bob.trackers.isOnline(sourceOf(bob));
  const changed = Buffer.from(BYTES).fill('mine', 0, 4);
  writeFileSync(upload.path, changed);
  const again = await startAgain(alone, undefined, SCRUB_RATE);
  const before = again.transfers.find(upload.transferId)!.recheck?.startedAt;
  await until(again, upload.transferId, ({ recheck }) => recheck?.startedAt !== before && recheck?.endedAt !== null);
  expect(again.transfers.find(upload.transferId)).toMatchObject({ state: 'failed', recheck: { verdict: 'damaged' } });
  expect(readFileSync(upload.path).equals(changed)).toBe(true);
});

it('the place is kept over a restart', async () => {
  const [alice] = await startGroup('alice');
  const shares = [await share(alice, 'one'), await share(alice, 'another')];
  const [first, second] = shares.sort((left, right) => (left.transferId < right.transferId ? -1 : 1));
  await stop(alice);
  const before = openings(second!.path);
  const reading = await startAgain(alice, before.watch, SCRUB_RATE);
  await before.reached;
  const stopped = stop(reading);
  before.release();
  await stopped;
  const after = openings(second!.path);
  await startAgain(reading, after.watch, SCRUB_RATE);
  await after.reached;
  after.release();
  expect([before.opened, after.opened]).toEqual([[first!.path, second!.path], [second!.path]]);
});

it('a copy that is fetched again to another place is read when that is over', async () => {
  const { alice, upload } = await sharedByTwo();
  // No piece of the copy that is here is good for the other one.
  rot(upload.path, 7, MIB / 2, MIB);
  const again = await startAgain(alice);
  again.engine.limit({ uploadBytesPerSecond: null, downloadBytesPerSecond: 1024, groups: [] });
  const { transferId } = await begun(download(again, { destination: join(again.folder, 'twin') }));
  await until(again, transferId, ({ state }) => state === 'downloading');
  await stop(again);
  const seen = openings(upload.path);
  const scrubbing = await startAgain(again, seen.watch, SCRUB_RATE);
  let stateThen: string | undefined;
  void seen.reached.then(() => (stateThen = scrubbing.transfers.find(transferId)?.state));
  await until(scrubbing, transferId, ({ state }) => state === 'complete');
  await seen.reached;
  seen.release();
  expect(stateThen).toBe('complete');
});

it('what is paused, removed, or of somebody else is not read', async () => {
  const [alice] = await startGroup('alice');
  const [paused, removed] = [await share(alice, 'paused'), await share(alice, 'removed')];
  const read = await share(alice, 'read');
  await alice.transfers.pause(paused.transferId);
  await alice.transfers.remove(removed.transferId, 'keep');
  await stop(alice);
  const seen = openings(read.path);
  const scrubbing = await startAgain(alice, seen.watch, SCRUB_RATE);
  await seen.reached;
  seen.release();
  await roundEnded(scrubbing);
  expect(seen.opened).toEqual([read.path]);
});

it('without a rate nothing is read', async () => {
  const { alice, upload } = await sharedByTwo();
  rot(upload.path, 7);
  const seen = openings(upload.path);
  const again = await startAgain(alice, seen.watch);
  await until(again, upload.transferId, ({ state }) => state === 'seeding');
  expect(again.transfers.scrub()).toMatchObject({ bytesPerSecond: null, copy: null });
  expect(seen.opened).toEqual([]);
});

/** Watches which copies an engine opens, and holds up the one at a path. */
function openings(heldPath: string) {
  const opened: string[] = [];
  const [reached, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const watch = (engine: TransferEngine): void => {
    const openCopy = engine.openCopy.bind(engine);
    const watched: TransferEngine['openCopy'] = async (request) => {
      opened.push(request.path);
      if (request.path === heldPath) {
        reached.resolve();
        await released.promise;
      }
      return openCopy(request);
    };
    Object.assign(engine, { openCopy: watched });
  };
  return { opened, watch, reached: reached.promise, release: released.resolve };
}

async function roundEnded({ transfers }: TransferPeer): Promise<void> {
  while (transfers.scrub().roundEndedAt === null) await nextTurn();
}
