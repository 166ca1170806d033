import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { TransferEvent } from '../../../../apps/peer/src/transfers/transfers.ts';
import { sourceOf } from '../swarm/engine-harness.ts';
import {
  begun,
  download,
  downloadWhole,
  GROUP,
  HeldCalls,
  newFile,
  onDisk,
  recheckWhole,
  shareNew,
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

/** A share that both peers have whole: as an upload, and as a download. */
async function sharedByTwo(): Promise<{
  alice: TransferPeer;
  bob: TransferPeer;
  upload: { path: string; transferId: string };
  copy: { path: string; transferId: string };
}> {
  const [alice, bob] = await startGroup('alice', 'bob');
  const path = newFile(alice, 'film', BYTES);
  const { transferId } = await begun(alice.transfers.upload({ group: GROUP, path }, stampOf(alice.link)));
  alice.trackers.isOnline(sourceOf(alice));
  const copy = await downloadWhole(bob);
  bob.trackers.isOnline(sourceOf(bob));
  return { alice, bob, upload: { path, transferId }, copy };
}

it('a copy that is sound is said to be, stays as it is, and is told as an event', async () => {
  const { bob, copy } = await sharedByTwo();
  const events: TransferEvent[] = [];
  bob.transfers.onEvent((event) => events.push(event));
  const view = await recheckWhole(bob, copy.transferId);
  expect(view).toMatchObject({ state: 'complete', reason: null, sha1Matches: true });
  expect(view.recheck).toMatchObject({ verdict: 'sound', checkedPieces: 3, damagedPieces: 0, repairedPieces: 0 });
  expect(view.recheck?.endedAt).not.toBeNull();
  const states = events.flatMap((event) => (event.type === 'transfer_changed' ? [event.transfer] : []));
  expect(states.map(({ state }) => state)).toContain('hashing');
  expect(states.at(-1)?.recheck?.verdict).toBe('sound');
});

it('a damaged download is repaired from others, and served again', async () => {
  const { alice, bob, copy, upload } = await sharedByTwo();
  spoil(copy.path, 5, MIB);
  const view = await recheckWhole(bob, copy.transferId);
  expect(view.recheck).toMatchObject({ verdict: 'repaired', checkedPieces: 3, damagedPieces: 2, repairedPieces: 2 });
  expect(view).toMatchObject({ state: 'complete', reason: null, verifiedBytes: BYTES.length });
  expect(readFileSync(copy.path).equals(BYTES)).toBe(true);
  expect(onDisk(copy.path)).toEqual({ file: true, part: false, journal: false });
  // Now the other way round: what was repaired is what repairs.
  spoil(upload.path, 7);
  const repaired = await recheckWhole(alice, upload.transferId);
  expect(repaired.recheck).toMatchObject({ verdict: 'repaired', damagedPieces: 1 });
  expect(repaired).toMatchObject({ state: 'seeding', reason: null });
  expect(readFileSync(upload.path).equals(BYTES)).toBe(true);
});

it('a share repairs under a grant of its own, which a record of download_file stands behind', async () => {
  const { alice, upload } = await sharedByTwo();
  spoil(upload.path, 7);
  const before = alice.trackers.log.state.groups.get(GROUP)!.shares.get('film')!.downloaders;
  expect(before).toBeNull();
  await recheckWhole(alice, upload.transferId);
  const { downloaders } = alice.trackers.log.state.groups.get(GROUP)!.shares.get('film')!;
  expect(downloaders?.get(alice.identity.id)).toBe('alice');
});

it('damage that nobody can repair is told with its pieces, is not served, and is repaired once somebody is online', async () => {
  const { alice, bob, upload } = await sharedByTwo();
  spoil(upload.path, 7);
  bob.trackers.sources.clear();
  const view = await recheckWhole(alice, upload.transferId);
  expect(view.recheck).toMatchObject({ verdict: 'damaged', damagedPieces: 1, repairedPieces: 0 });
  expect(view).toMatchObject({ state: 'failed', reason: { code: 'source_changed' }, verifiedBytes: MIB / 2 + 1 });
  expect(view.reason?.detail).toContain('1 of 3 pieces (0)');
  expect(view.reason?.detail).toContain('It was not repaired: No other peer that has it is online.');
  expect(Buffer.from(view.bitfield, 'base64')).toEqual(Buffer.of(0b0110_0000));
  bob.trackers.isOnline(sourceOf(bob));
  expect(await recheckWhole(alice, upload.transferId)).toMatchObject({
    state: 'seeding',
    reason: null,
    verifiedBytes: BYTES.length,
    recheck: { verdict: 'repaired' },
  });
});

it('with repair: false damage is only told', async () => {
  const { bob, copy } = await sharedByTwo();
  spoil(copy.path, 5);
  const spoilt = readFileSync(copy.path);
  const view = await recheckWhole(bob, copy.transferId, { repair: false });
  expect(view).toMatchObject({
    state: 'complete',
    reason: { code: 'source_changed' },
    recheck: { verdict: 'damaged' },
  });
  expect(readFileSync(copy.path).equals(spoilt)).toBe(true);
});

it.each([
  ['cut off', (path: string) => truncateSync(path, 1000), { damagedPieces: 3, misfitFiles: ['film'] }],
  ['longer', (path: string) => writeFileSync(path, 'x', { flag: 'a' }), { damagedPieces: 0, misfitFiles: ['film'] }],
  ['gone', (path: string) => rmSync(path), { damagedPieces: 3, absentFiles: ['film'] }],
])('a download whose file is %s is whole again', async (_what, change, found) => {
  const { bob, copy } = await sharedByTwo();
  change(copy.path);
  const view = await recheckWhole(bob, copy.transferId);
  expect(view.recheck).toMatchObject({ verdict: 'repaired', ...found });
  expect(view).toMatchObject({ state: 'complete', reason: null });
  expect(readFileSync(copy.path).equals(BYTES)).toBe(true);
  expect(readdirSync(bob.folder)).not.toContain('film.part');
});

it.skipIf(process.platform === 'win32')(
  'a folder gets its empty folders and the right to run its files back, and is served meanwhile',
  async () => {
    const [alice, bob] = await startGroup('alice', 'bob');
    const path = join(alice.folder, 'album');
    mkdirSync(join(path, 'empty'), { recursive: true });
    writeFileSync(join(path, 'run'), BYTES, { mode: 0o755 });
    await begun(alice.transfers.upload({ group: GROUP, path }, stampOf(alice.link)));
    alice.trackers.isOnline(sourceOf(alice));
    const copy = await downloadWhole(bob, { file: 'album' });
    rmSync(join(copy.path, 'empty'), { recursive: true });
    chmodSync(join(copy.path, 'run'), 0o644);
    const states: string[] = [];
    bob.transfers.onEvent(
      (event) => event.type === 'transfer_changed' && states.push(event.transfer.reason?.code ?? ''),
    );
    const looked = await recheckWhole(bob, copy.transferId, { repair: false });
    expect(looked.recheck).toMatchObject({ verdict: 'damaged', treeDifferences: ['empty', 'run'], damagedPieces: 0 });
    const { recheck } = await recheckWhole(bob, copy.transferId);
    expect(recheck).toMatchObject({ verdict: 'repaired', treeDifferences: ['empty', 'run'], repairedPieces: 0 });
    expect(new Set(states)).toEqual(new Set(['']));
    expect(readdirSync(copy.path).toSorted()).toEqual(['empty', 'run']);
    expect(statSync(join(copy.path, 'run')).mode & 0o100).not.toBe(0);
    expect((await recheckWhole(bob, copy.transferId)).recheck).toMatchObject({ verdict: 'sound', treeDifferences: [] });
  },
);

it('a file that is gone and that nobody has is source_missing', async () => {
  const { bob, copy } = await sharedByTwo();
  rmSync(copy.path);
  bob.trackers.sources.clear();
  const view = await recheckWhole(bob, copy.transferId);
  expect(view).toMatchObject({
    reason: { code: 'source_missing' },
    verifiedBytes: 0,
    recheck: { verdict: 'incomplete' },
  });
});

it('damage is known over a restart, also when nothing on disk shows that anything was touched', async () => {
  const [alice, bob, carol] = await startGroup('alice', 'bob', 'carol');
  await shareNew(alice);
  const copy = await downloadWhole(bob);
  bob.trackers.sources.clear();
  utimesSync(copy.path, 1, 1);
  await recheckWhole(bob, copy.transferId);
  spoil(copy.path, 5);
  utimesSync(copy.path, 1, 1);
  await recheckWhole(bob, copy.transferId);
  await stop(bob);
  const again = await startAgain(bob);
  expect(again.transfers.find(copy.transferId)).toMatchObject({
    reason: { code: 'source_changed' },
    recheck: { verdict: 'damaged' },
    verifiedBytes: 0,
  });
  again.trackers.isOnline(sourceOf(again));
  expect(await whatIsServed(carol)).toEqual({ verifiedBytes: 0, sources: ['refused'] });
});

it('a recheck is called off by pause, cancel and the end of the process, and leaves no result', async () => {
  const { alice, bob, copy, upload } = await sharedByTwo();
  const reading = new HeldCalls(bob.engine, 'inspect');
  for (const end of ['pause', 'cancel'] as const) {
    const recheck = bob.transfers.recheck(copy.transferId, { wait: true });
    await reading.called;
    const ended = bob.transfers[end](copy.transferId);
    reading.release();
    await ended;
    expect(await recheck).toMatchObject({ status: 'failed', code: 'transfer_failed' });
  }
  expect(bob.transfers.find(copy.transferId)).toMatchObject({ state: 'complete', recheck: null });
  void alice.transfers.recheck(upload.transferId, {});
  await stop(alice);
});

it('a second recheck joins the one that runs', async () => {
  const { bob, copy } = await sharedByTwo();
  const first = await bob.transfers.recheck(copy.transferId, {});
  expect(first).toMatchObject({ status: 'running', transfer: { state: 'hashing', recheck: { verdict: null } } });
  const second = await recheckWhole(bob, copy.transferId);
  if (first.status !== 'running') return expect.fail();
  expect(second.recheck?.startedAt).toBe(first.transfer.recheck?.startedAt);
});

it('who asks for a repair while a copy is only looked at gets the repair', async () => {
  const { bob, copy } = await sharedByTwo();
  spoil(copy.path, 5);
  const reading = new HeldCalls(bob.engine, 'inspect');
  const looks = bob.transfers.recheck(copy.transferId, { repair: false, wait: true });
  await reading.called;
  const repairs = recheckWhole(bob, copy.transferId);
  reading.release();
  expect((await repairs).recheck?.verdict).toBe('repaired');
  expect(await looks).toMatchObject({ status: 'over' });
  spoil(copy.path, 5);
  expect((await recheckWhole(bob, copy.transferId, { repair: false })).recheck?.verdict).toBe('damaged');
});

it('a repair that is called off when it is being put in place serves nothing, and a resume serves what is there', async () => {
  const [alice, bob, carol] = await startGroup('alice', 'bob', 'carol');
  const { path, transferId } = await shareNew(alice);
  await downloadWhole(bob);
  bob.trackers.isOnline(sourceOf(bob));
  spoil(path, 7);
  const recheck = alice.transfers.recheck(transferId, { wait: true });
  await turnsUntil(() => {
    const { state, verifiedBytes, totalBytes } = alice.transfers.find(transferId)!;
    return state === 'downloading' && verifiedBytes === totalBytes;
  });
  await alice.transfers.pause(transferId);
  expect(await recheck).toMatchObject({ code: 'transfer_failed' });
  alice.trackers.sources.clear();
  alice.trackers.isOnline(sourceOf(alice));
  expect(await whatIsServed(carol)).toEqual({ verifiedBytes: 0, sources: ['refused'] });
  await alice.transfers.resume(transferId);
  expect(await until(alice, transferId, ({ state }) => state === 'seeding')).toMatchObject({ reason: null });
});

it('a share that is stopped when it was just found to be sound is not served for that', async () => {
  const [alice] = await startGroup('alice');
  const { transferId } = await shareNew(alice);
  const dropping = new HeldCalls(alice.engine, 'dropRepair');
  const recheck = alice.transfers.recheck(transferId, { wait: true });
  await dropping.called;
  await alice.transfers.stopShare({ group: GROUP, file: 'film' }, stampOf(alice.link));
  dropping.release();
  expect(await recheck).toMatchObject({ code: 'transfer_failed' });
  expect(alice.transfers.find(transferId)).toMatchObject({ state: 'complete', recheck: null });
});

it('a file without a byte that is gone is put back, whoever is online', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  const path = newFile(alice, 'film', Buffer.alloc(0));
  await begun(alice.transfers.upload({ group: GROUP, path }, stampOf(alice.link)));
  alice.trackers.isOnline(sourceOf(alice));
  const copy = await downloadWhole(bob);
  bob.trackers.sources.clear();
  rmSync(copy.path);
  expect((await recheckWhole(bob, copy.transferId)).recheck).toMatchObject({
    verdict: 'repaired',
    absentFiles: ['film'],
  });
  expect(onDisk(copy.path)).toEqual({ file: true, part: false, journal: false });
});

it('what an interrupted repair left goes with its transfer, and the copy stays', async () => {
  const { bob, copy } = await sharedByTwo();
  spoil(copy.path, 5);
  const spoilt = readFileSync(copy.path);
  bob.engine.limit({ uploadBytesPerSecond: null, downloadBytesPerSecond: 1024, groups: [] });
  await bob.transfers.recheck(copy.transferId, {});
  await turnsUntil(() => onDisk(copy.path).part);
  await bob.transfers.cancel(copy.transferId);
  expect(onDisk(copy.path).part).toBe(true);
  expect(await bob.transfers.remove(copy.transferId, 'keep')).toBeNull();
  expect(onDisk(copy.path)).toEqual({ file: true, part: false, journal: false });
  expect(readFileSync(copy.path).equals(spoilt)).toBe(true);
});

it('a recheck waits for no tracker, also when the log is still to hear of the copy', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  await shareNew(alice);
  bob.transfers.onEvent((event) => {
    if (event.type === 'transfer_changed' && event.transfer.state === 'complete') bob.link.isCut = true;
  });
  const { transferId } = await begun(download(bob));
  await until(bob, transferId, ({ state }) => state === 'complete');
  expect((await recheckWhole(bob, transferId)).recheck?.verdict).toBe('sound');
  expect(await bob.transfers.end(transferId, 0)).toMatchObject({ state: 'running' });
  bob.link.isCut = false;
  expect(await bob.transfers.end(transferId, 60_000)).toMatchObject({ state: 'complete' });
});

it('what keeps a repair from being written is told with what helps', async () => {
  const { bob, copy } = await sharedByTwo();
  rmSync(copy.path);
  mkdirSync(copy.path);
  const { reason, recheck } = await recheckWhole(bob, copy.transferId);
  expect(recheck?.verdict).toBe('incomplete');
  expect(reason).toMatchObject({ code: 'source_missing', action: 'Make way for it there, then recheck it.' });
});

it('what is not whole, not there, or of somebody else is not rechecked', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  const { transferId } = await shareNew(alice);
  bob.trackers.sources.clear();
  const started = await begun(download(bob));
  expect(await bob.transfers.recheck(started.transferId, {})).toMatchObject({ code: 'transfer_unfinished' });
  expect(await bob.transfers.recheck('nothing', {})).toMatchObject({ code: 'transfer_not_found' });
  alice.link.logOut();
  expect(await alice.transfers.recheck(transferId, {})).toMatchObject({ code: 'not_logged_in' });
});

it('a share that was stopped is repaired, and not served for that', async () => {
  const { alice, upload } = await sharedByTwo();
  await alice.transfers.stopShare({ group: GROUP, file: 'film' }, stampOf(alice.link));
  spoil(upload.path, 7);
  const view = await recheckWhole(alice, upload.transferId);
  expect(view).toMatchObject({ state: 'complete', reason: null, recheck: { verdict: 'repaired' } });
});

it('another copy of the same share is served in place of one that is damaged', async () => {
  const [alice, bob, carol] = await startGroup('alice', 'bob', 'carol');
  const upload = await shareNew(alice);
  await downloadWhole(bob);
  bob.trackers.isOnline(sourceOf(bob));
  const second = await downloadWhole(alice, { destination: join(alice.folder, 'second') });
  spoil(upload.path, 7);
  alice.trackers.sources.clear();
  expect((await recheckWhole(alice, upload.transferId)).recheck?.verdict).toBe('damaged');
  alice.trackers.isOnline(sourceOf(alice));
  const { path } = await downloadWhole(carol);
  expect(readFileSync(path).equals(readFileSync(second.path))).toBe(true);
});

it.each([
  { what: 'is gone', change: (path: string) => rmSync(path) },
  { what: 'was written to', change: (path: string) => appendFileSync(path, 'more') },
])('where the served copy of a share $what the other one is served, and nothing is said of it', async ({ change }) => {
  const [alice, carol] = await startGroup('alice', 'carol');
  const upload = await shareNew(alice);
  const second = await downloadWhole(alice, { destination: join(alice.folder, 'second') });
  change(second.path);
  const { path } = await downloadWhole(carol);
  expect(readFileSync(path).equals(readFileSync(upload.path))).toBe(true);
  expect(alice.transfers.find(upload.transferId)).toMatchObject({ state: 'seeding', reason: null });
  expect(alice.transfers.find(second.transferId)?.reason?.code).toMatch(/^source_(?:missing|changed)$/);
});

it.each(['pause', 'cancel'] as const)(
  'after a %s of the served copy of a share the other one is served',
  async (end) => {
    const [alice, carol] = await startGroup('alice', 'carol');
    const upload = await shareNew(alice);
    await downloadWhole(alice, { destination: join(alice.folder, 'second') });
    await alice.transfers[end](upload.transferId);
    const { path } = await downloadWhole(carol);
    expect(readFileSync(path).equals(readFileSync(upload.path))).toBe(true);
  },
);

it('a copy that is known to be damaged is served to nobody', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  const path = newFile(alice, 'film');
  utimesSync(path, 1, 1);
  const { transferId } = await begun(alice.transfers.upload({ group: GROUP, path }, stampOf(alice.link)));
  spoil(path, 7);
  utimesSync(path, 1, 1);
  await recheckWhole(alice, transferId);
  alice.trackers.isOnline(sourceOf(alice));
  expect(await whatIsServed(bob)).toEqual({ verifiedBytes: 0, sources: ['refused'] });
});

/** Looks at every turn of the event loop: what is true for a moment only is no event. */
async function turnsUntil(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await nextTurn();
}

/** What a download of the film comes to as soon as it stands still. */
async function whatIsServed(peer: TransferPeer): Promise<{ verifiedBytes: number; sources: string[] }> {
  const { transferId } = await begun(download(peer));
  const { verifiedBytes, peers } = await until(peer, transferId, ({ state }) => state === 'stalled');
  return { verifiedBytes, sources: peers.map(({ state }) => state) };
}
