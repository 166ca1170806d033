import 'reflect-metadata';
import { readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import type { TransferView } from '#wire/control-api';
import { NO_LIMITS } from '#wire/control-limits';
import { randomBytes, sourceOf } from '../swarm/engine-harness.ts';
import {
  begun,
  download,
  downloadWhole,
  GROUP,
  HeldCalls,
  kept,
  newFile,
  onDisk,
  recordOf,
  rewriteRecord,
  shareNew,
  stampOf,
  startAgain,
  startGroup,
  stop,
  until,
  untilState,
} from './transfers-harness.ts';

it('a finished download is kept, and served to others', async () => {
  const [alice, bob, carol] = await startGroup('alice', 'bob', 'carol');
  const { path } = await shareNew(alice);
  const { transferId } = await downloadWhole(bob);
  await stop(bob);
  const again = await startAgain(bob);
  expect(again.transfers.find(transferId)).toMatchObject({ state: 'complete', verifiedBytes: 300_000, reason: null });
  bob.trackers.sources.clear();
  bob.trackers.isOnline(sourceOf(again));
  const copy = await downloadWhole(carol);
  expect(readFileSync(copy.path).equals(readFileSync(path))).toBe(true);
});

it('what was answered is on disk, so that it outlives a process that is killed right after', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  const shared = await shareNew(alice);
  expect(recordOf(alice, shared.transferId)).toMatchObject({ state: 'seeding' });
  bob.trackers.sources.clear();
  const { transferId } = await begun(download(bob));
  expect(recordOf(bob, transferId)).toMatchObject({ direction: 'download', group: GROUP });
  await bob.transfers.pause(transferId);
  expect(recordOf(bob, transferId)).toMatchObject({ state: 'paused' });
  await bob.transfers.cancel(transferId);
  expect(recordOf(bob, transferId)).toMatchObject({ state: 'cancelled' });
});

it('how far a download is that is paused outlives a process that is killed, too', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  const path = newFile(alice, 'film', randomBytes(8_000_000));
  await begun(alice.transfers.upload({ group: GROUP, path, wait: true }, stampOf(alice.link)));
  bob.trackers.isOnline(sourceOf(alice));
  await bob.transfers.setLimits({ ...NO_LIMITS, downloadBytesPerSecond: 200_000 });
  const { transferId } = await begun(download(bob));
  await vi.waitFor(() => expect(bob.transfers.find(transferId)!.verifiedBytes).toBeGreaterThan(0));
  const { verifiedBytes, bitfield } = (await bob.transfers.pause(transferId)) as TransferView;
  expect(recordOf(bob, transferId)).toMatchObject({ state: 'paused', verifiedBytes, bitfield });
});

it('a download that was running goes on', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  const { path } = await shareNew(alice);
  bob.trackers.sources.clear();
  const { transferId } = await begun(download(bob));
  await untilState(bob, transferId, 'stalled');
  await stop(bob);
  const again = await startAgain(bob);
  again.trackers.isOnline(sourceOf(alice));
  const view = await untilState(again, transferId, 'complete');
  expect(readFileSync(view.path).equals(readFileSync(path))).toBe(true);
});

it('a download whose file was put in place as the process died is complete', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  await shareNew(alice);
  const { transferId, path } = await downloadWhole(bob);
  await stop(bob);
  writeFileSync(`${path}.part.journal`, '');
  rewriteRecord(bob, transferId, {
    state: 'downloading',
    isRecorded: false,
    isServed: false,
    completedAtMs: null,
    stamp: null,
  });
  const again = await startAgain(bob);
  expect(await again.transfers.end(transferId, 60_000)).toMatchObject({ state: 'complete' });
  expect(onDisk(path)).toEqual({ file: true, part: false, journal: false });
});

it('a paused download stays paused, and goes on when told to', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  await shareNew(alice);
  bob.trackers.sources.clear();
  const { transferId } = await begun(download(bob));
  await bob.transfers.pause(transferId);
  await stop(bob);
  const again = await startAgain(bob);
  expect(again.transfers.find(transferId)).toMatchObject({ state: 'paused', reason: null });
  again.trackers.isOnline(sourceOf(alice));
  await again.transfers.resume(transferId);
  await untilState(again, transferId, 'complete');
});

it('a paused share stays paused', async () => {
  const [alice] = await startGroup('alice');
  const { transferId } = await shareNew(alice);
  await alice.transfers.pause(transferId);
  await stop(alice);
  const again = await startAgain(alice);
  expect(again.transfers.find(transferId)).toMatchObject({ state: 'paused', reason: null });
});

it('a share whose file was touched and is the same is served', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  const { path, transferId } = await shareNew(alice);
  await stop(alice);
  utimesSync(path, 1, 1);
  const again = await startAgain(alice);
  again.trackers.isOnline(sourceOf(again));
  expect((await downloadWhole(bob)).verifiedBytes).toBe(300_000);
  expect(again.transfers.find(transferId)).toMatchObject({ state: 'seeding', reason: null });
});

it.each([
  ['lost', (path: string) => rmSync(path)],
  ['spoiled', (path: string) => writeFileSync(path, 'nonsense')],
])('a share whose manifest was %s is read again, and served', async (_what, spoil) => {
  const [alice, bob] = await startGroup('alice', 'bob');
  const { transferId } = await shareNew(alice);
  await stop(alice);
  for (const name of kept(alice).manifests) spoil(join(alice.dataDirectory, 'manifests', name));
  const again = await startAgain(alice);
  await untilState(again, transferId, 'seeding');
  again.trackers.isOnline(sourceOf(again));
  expect((await downloadWhole(bob)).verifiedBytes).toBe(300_000);
});

it('a share whose file was changed is source_changed, and one whose file is gone is source_missing', async () => {
  const [alice] = await startGroup('alice');
  const changed = await shareNew(alice, 'changed');
  const missing = await shareNew(alice, 'missing');
  await stop(alice);
  writeFileSync(changed.path, randomBytes(300_000));
  rmSync(missing.path);
  const again = await startAgain(alice);
  expect((await untilState(again, changed.transferId, 'failed')).reason?.code).toBe('source_changed');
  expect((await untilState(again, missing.transferId, 'failed')).reason?.code).toBe('source_missing');
});

it('a finished copy that was changed stays complete and says that it is not served', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  await shareNew(alice);
  const { transferId, path } = await downloadWhole(bob);
  await stop(bob);
  writeFileSync(path, randomBytes(300_000));
  const again = await startAgain(bob);
  const view = await until(again, transferId, ({ reason }) => reason !== null);
  expect(view).toMatchObject({ state: 'complete', reason: { code: 'source_changed' } });
});

it('a stop while a touched share is being read does not count against the share', async () => {
  const [alice] = await startGroup('alice');
  const { path, transferId } = await shareNew(alice);
  await stop(alice);
  utimesSync(path, 1, 1);
  let reading: HeldCalls | undefined;
  const second = await startAgain(alice, (engine) => (reading = new HeldCalls(engine, 'verify')));
  await reading?.called;
  await stop(second);
  reading?.release();
  const third = await startAgain(second);
  expect(await untilState(third, transferId, 'seeding')).toMatchObject({ reason: null });
});

it('a record of a user who is not logged in waits for that user', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  await shareNew(alice);
  bob.trackers.sources.clear();
  const { transferId } = await begun(download(bob));
  await stop(bob);
  bob.link.logOut();
  const again = await startAgain(bob);
  expect(again.transfers.find(transferId)).toMatchObject({ state: 'paused', reason: { code: 'logged_out' } });
  again.trackers.isOnline(sourceOf(alice));
  again.link.logIn();
  const { path } = await untilState(again, transferId, 'complete');
  expect(path).toBe(join(bob.folder, 'film'));
});
