// Taking only some files of a share: what is asked for, what is there, and how it goes on.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { SelectionBody } from '#wire/control-selection';
import type { Download, DownloadRequest } from '../../../../apps/peer/src/swarm/transfer-engine.ts';
import { randomBytes, sourceOf } from '../swarm/engine-harness.ts';
import {
  begun,
  downloadWhole,
  GROUP,
  kept,
  onDisk,
  recordOf,
  stampOf,
  startAgain,
  startGroup,
  stop,
  type TransferPeer,
  until,
  untilState,
} from './transfers-harness.ts';

const FILES: Readonly<Record<string, Buffer>> = {
  'a/one.txt': randomBytes(700_000),
  'a/two.bin': randomBytes(1_200_000),
  'b/.hidden': randomBytes(900_000),
};
const TOTAL_BYTES = 2_800_000;

/** A folder that a peer shares, and is online with. */
async function shareAlbum(peer: TransferPeer): Promise<void> {
  const root = join(peer.folder, 'album');
  for (const folder of ['a', 'b']) mkdirSync(join(root, folder), { recursive: true });
  for (const [path, bytes] of Object.entries(FILES)) writeFileSync(join(root, path), bytes);
  await begun(peer.transfers.upload({ group: GROUP, path: root, wait: true }, stampOf(peer.link)));
  peer.trackers.isOnline(sourceOf(peer));
}

function download(peer: TransferPeer, only?: string[]) {
  const body = { group: GROUP, file: 'album', destination: join(peer.folder, 'copy'), ...(only && { only }) };
  return peer.transfers.download(body, stampOf(peer.link));
}

/** What comes of a download of these. */
async function fetch(peer: TransferPeer, ...only: string[]) {
  const { transferId } = await begun(download(peer, only));
  expect(await peer.transfers.end(transferId, 60_000)).toMatchObject({ state: 'complete' });
  return { transferId, view: peer.transfers.find(transferId)! };
}

const seeded = ({ link }: TransferPeer) => link.sent.filter(({ name }) => name === 'seed_file').length;
const isThere = (peer: TransferPeer, path: string): boolean => existsSync(join(peer.folder, 'copy', path));
const isRight = (peer: TransferPeer, path: string): boolean =>
  readFileSync(join(peer.folder, 'copy', path)).equals(FILES[path]!);

it.each([
  ['a glob', ['**/*.bin'], ['a/two.bin']],
  ['a folder', ['a'], ['a/one.txt', 'a/two.bin']],
  ['several, and names with dots', ['b/*', 'a/one.txt'], ['a/one.txt', 'b/.hidden']],
])('%s is what is taken', async (_what, only, paths) => {
  const [alice, bob] = await startGroup('alice', 'bob');
  await shareAlbum(alice);
  const { view } = await fetch(bob, ...only);
  const wantedBytes = paths.reduce((sum, path) => sum + FILES[path]!.length, 0);
  expect(view).toMatchObject({ state: 'complete', reason: null, only, priorities: [], totalBytes: TOTAL_BYTES });
  expect([view.wantedBytes, view.verifiedBytes]).toEqual([wantedBytes, wantedBytes]);
  for (const path of Object.keys(FILES)) expect(isThere(bob, path), path).toBe(paths.includes(path));
  expect(paths.every((path) => isRight(bob, path))).toBe(true);
});

it('a part is not recorded as a copy, and others are told of it as of any download', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  await shareAlbum(alice);
  await fetch(bob, 'b');
  expect(seeded(bob)).toBe(0);
  expect(bob.link.announced).toMatchObject([{ group: GROUP, file: 'album' }]);
});

it('what matches nothing is refused with what there is, and nothing is left of it', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  await shareAlbum(alice);
  const answer = await download(bob, ['a/*', 'A/*']);
  expect(answer).toMatchObject({
    status: 'failed',
    code: 'invalid_request',
    errors: [{ field: 'only[1]', message: 'matches nothing in the share; there is a/one.txt, a/two.bin, b/.hidden' }],
  });
  expect(bob.transfers.list()).toEqual([]);
  expect(kept(bob).records).toEqual([]);
  expect(onDisk(join(bob.folder, 'copy'))).toEqual({ file: false, part: false, journal: false });
});

it('what turns out to match nothing when nobody waits any more ends the download, until something else is wanted', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  await shareAlbum(alice);
  bob.trackers.sources.clear();
  const { transferId } = await begun(download(bob, ['nothing']));
  await untilState(bob, transferId, 'stalled');
  bob.trackers.isOnline(sourceOf(alice));
  const failed = await untilState(bob, transferId, 'failed');
  expect(failed.reason).toMatchObject({ code: 'nothing_matches' });
  expect(failed.reason?.detail).toContain('only[0]');
  expect(await bob.transfers.prioritize(transferId, { only: ['b'] })).toMatchObject({ state: 'failed', only: ['b'] });
  await bob.transfers.resume(transferId);
  await untilState(bob, transferId, 'complete');
  expect(isRight(bob, 'b/.hidden')).toBe(true);
});

it('a change of what is wanted is told, and the same again is not', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  await shareAlbum(alice);
  bob.trackers.sources.clear();
  const { transferId } = await begun(download(bob));
  await untilState(bob, transferId, 'stalled');
  const told: unknown[] = [];
  bob.transfers.onEvent((event) => {
    if (event.type === 'transfer_changed') told.push(event.transfer.priorities);
  });
  const change: SelectionBody = { priorities: [{ path: 'a', priority: 'high' }] };
  await bob.transfers.prioritize(transferId, change);
  await bob.transfers.prioritize(transferId, change);
  expect(told).toEqual([change.priorities]);
});

it('when more is wanted the download goes on, and all of it is a copy like any other', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  await shareAlbum(alice);
  const { transferId } = await fetch(bob, 'b');
  const change: SelectionBody = { priorities: [{ path: 'a/one.txt', priority: 'high' }] };
  await bob.transfers.prioritize(transferId, change);
  const some = await until(bob, transferId, ({ state, wantedBytes }) => state === 'complete' && wantedBytes > 900_000);
  expect(some).toMatchObject({ only: ['b'], priorities: change.priorities, wantedBytes: 1_600_000 });
  expect(isRight(bob, 'a/one.txt')).toBe(true);
  await bob.transfers.prioritize(transferId, { only: ['**'] });
  await until(bob, transferId, ({ state, verifiedBytes }) => state === 'complete' && verifiedBytes === TOTAL_BYTES);
  expect(await bob.transfers.end(transferId, 60_000)).toMatchObject({ state: 'complete' });
  expect(Object.keys(FILES).every((path) => isRight(bob, path))).toBe(true);
  expect(seeded(bob)).toBe(1);
  await stop(bob);
  expect(recordOf(bob, transferId)).not.toHaveProperty('isPartial');
  expect(onDisk(join(bob.folder, 'copy'))).toEqual({ file: true, part: false, journal: false });
});

it('a file that is changed while a neighbour of it comes stays as it is, and keeps nothing from coming', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  await shareAlbum(alice);
  const { transferId } = await fetch(bob, 'b');
  const slowly = { uploadBytesPerSecond: null, downloadBytesPerSecond: 200_000, groups: [] };
  bob.engine.limit(slowly);
  await bob.transfers.prioritize(transferId, { only: ['a/two.bin', 'b'] });
  await until(bob, transferId, ({ wantedBytes }) => wantedBytes === 2_100_000);
  writeFileSync(join(bob.folder, 'copy', 'b/.hidden'), 'mine');
  bob.engine.limit({ ...slowly, downloadBytesPerSecond: null });
  const view = await untilState(bob, transferId, 'complete');
  expect(view).toMatchObject({ reason: null, wantedBytes: 1_200_000, verifiedBytes: 1_200_000 });
  expect(isRight(bob, 'a/two.bin')).toBe(true);
  expect(readFileSync(join(bob.folder, 'copy', 'b/.hidden'), 'utf8')).toBe('mine');
});

it.each(['runs', 'is paused'])('when more is wanted as files are put in place, one that %s fetches it', async (how) => {
  const [alice, bob] = await startGroup('alice', 'bob');
  await shareAlbum(alice);
  const begin = bob.engine.download.bind(bob.engine);
  const changed = Promise.withResolvers<string>();
  let downloads = 0;
  const changing = (request: DownloadRequest): Download => {
    const held = begin(request);
    if (downloads++ > 0) return held;
    const done = held.done.then(async (end) => {
      const [{ transferId } = { transferId: '' }] = bob.transfers.list();
      await bob.transfers.prioritize(transferId, { only: ['a/one.txt', 'b'] });
      if (how === 'is paused') await bob.transfers.pause(transferId);
      changed.resolve(transferId);
      return end;
    });
    return Object.assign(held, { done });
  };
  Object.assign(bob.engine, { download: changing });
  await begun(download(bob, ['b']));
  const transferId = await changed.promise;
  if (how === 'is paused') {
    await until(bob, transferId, () => isThere(bob, 'b/.hidden') && bob.link.announced.length === 0);
    await bob.transfers.resume(transferId);
  }
  const view = await untilState(bob, transferId, 'complete');
  expect([view.wantedBytes, view.verifiedBytes]).toEqual([1_600_000, 1_600_000]);
  expect([isRight(bob, 'a/one.txt'), isRight(bob, 'b/.hidden')]).toEqual([true, true]);
});

it('what is wanted can change while nothing comes, and is kept over a restart', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  await shareAlbum(alice);
  bob.trackers.sources.clear();
  const { transferId } = await begun(download(bob));
  await untilState(bob, transferId, 'stalled');
  await bob.transfers.prioritize(transferId, { priorities: [{ path: 'a', priority: 'skip' }] });
  await stop(bob);
  const again = await startAgain(bob);
  again.trackers.isOnline(sourceOf(alice));
  const view = await untilState(again, transferId, 'complete');
  expect(view).toMatchObject({ wantedBytes: 900_000, priorities: [{ path: 'a', priority: 'skip' }] });
  expect(isThere(bob, 'a')).toBe(false);
});

it('what is wanted can change before it is known what there is', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  await shareAlbum(alice);
  bob.trackers.sources.clear();
  const { transferId } = await begun(download(bob));
  await untilState(bob, transferId, 'stalled');
  await bob.transfers.prioritize(transferId, { only: ['b'] });
  bob.trackers.isOnline(sourceOf(alice));
  const view = await untilState(bob, transferId, 'complete');
  expect(view).toMatchObject({ only: ['b'], wantedBytes: 900_000, verifiedBytes: 900_000 });
  expect([isThere(bob, 'a'), isRight(bob, 'b/.hidden')]).toEqual([false, true]);
});

it('what is wanted can change while the part is being made', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  await shareAlbum(alice);
  const begin = bob.engine.download.bind(bob.engine);
  const changing = ({ priorities, ...request }: DownloadRequest) =>
    begin({
      ...request,
      priorities: (manifest) => {
        const before = priorities!(manifest);
        const [{ transferId } = { transferId: '' }] = bob.transfers.list();
        void bob.transfers.prioritize(transferId, { only: ['b'] });
        return before;
      },
    });
  Object.assign(bob.engine, { download: changing });
  const { transferId } = await begun(download(bob, ['a']));
  const view = await untilState(bob, transferId, 'complete');
  expect(view).toMatchObject({ only: ['b'], wantedBytes: 900_000, verifiedBytes: 900_000 });
  expect([isThere(bob, 'a'), isRight(bob, 'b/.hidden')]).toEqual([false, true]);
});

it('what is wanted now is told with the change, also of a download that had everything', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  await shareAlbum(alice);
  const { transferId } = await fetch(bob, 'b');
  const change: SelectionBody = { priorities: [{ path: 'a/one.txt', priority: 'high' }] };
  // Nothing comes meanwhile.
  bob.trackers.sources.clear();
  const view = await bob.transfers.prioritize(transferId, change);
  expect(view).toMatchObject({ wantedBytes: 1_600_000, verifiedBytes: 900_000, only: ['b'] });
  bob.trackers.isOnline(sourceOf(alice));
  await untilState(bob, transferId, 'complete');
});

it('with a download of some files goes what it kept beside them, and the files stay', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  await shareAlbum(alice);
  const { transferId } = await fetch(bob, 'b');
  const copy = join(bob.folder, 'copy');
  expect(onDisk(copy)).toEqual({ file: true, part: true, journal: true });
  expect(await bob.transfers.remove(transferId, 'keep')).toBeNull();
  expect(onDisk(copy)).toEqual({ file: true, part: false, journal: false });
  expect(isRight(bob, 'b/.hidden')).toBe(true);
});

it.each<[string, SelectionBody, string]>([
  ['matches nothing', { priorities: [{ path: 'c', priority: 'high' }] }, 'priorities[0].path'],
  ['leaves nothing', { priorities: [{ path: '**', priority: 'skip' }] }, 'priorities'],
])('a change that %s is refused, and all stays as it was', async (_what, change, field) => {
  const [alice, bob] = await startGroup('alice', 'bob');
  await shareAlbum(alice);
  const { transferId } = await fetch(bob, 'b');
  const answer = await bob.transfers.prioritize(transferId, change);
  expect(answer).toMatchObject({ code: 'invalid_request', errors: [{ field }] });
  expect(bob.transfers.find(transferId)).toMatchObject({ state: 'complete', only: ['b'], priorities: [] });
});

it('after a restart what there is of it is offered again, unless somebody changed it', async () => {
  const [alice, bob, carol] = await startGroup('alice', 'bob', 'carol');
  await shareAlbum(alice);
  const { transferId } = await fetch(bob, 'a/two.bin');
  await stop(bob);
  const again = await startAgain(bob);
  await until(again, transferId, () => again.link.announced.length === 1);
  expect(again.transfers.find(transferId)).toMatchObject({ state: 'complete', reason: null, verifiedBytes: 1_200_000 });
  bob.trackers.sources.clear();
  bob.trackers.isOnline(sourceOf(again));
  const other = await begun(download(carol));
  const pieces = await until(carol, other.transferId, ({ reason }) => reason?.code === 'pieces_missing');
  expect(pieces.verifiedBytes).toBeGreaterThan(1_000_000);
  await stop(again);
  writeFileSync(join(bob.folder, 'copy', 'a/two.bin'), 'mine');
  const third = await startAgain(again);
  const changed = await until(third, transferId, ({ reason }) => reason !== null);
  expect(changed).toMatchObject({ state: 'complete', reason: { code: 'source_changed' } });
  expect(third.link.announced).toEqual([]);
  rmSync(join(bob.folder, 'copy', 'a/two.bin'));
  third.trackers.isOnline(sourceOf(alice));
  await third.transfers.resume(transferId);
  await until(third, transferId, ({ state, reason }) => state === 'complete' && reason === null);
  expect(isRight(bob, 'a/two.bin')).toBe(true);
});

it('a part is served again when what was fetched of the same share for a reader alone is gone', async () => {
  const [alice, bob, carol] = await startGroup('alice', 'bob', 'carol');
  await shareAlbum(alice);
  const { transferId } = await fetch(bob, 'a/two.bin');
  const content = await bob.transfers.openContent({
    ...{ group: GROUP, file: 'album', path: 'b/.hidden' },
    ...{ version: undefined, keep: false },
  });
  if ('status' in content) return expect.fail(JSON.stringify(content));
  const stream = bob.transfers.list().at(-1)!;
  expect(stream).toMatchObject({ temporary: true });
  const { length } = FILES['b/.hidden']!;
  await expect.poll(() => bob.transfers.find(stream.transferId)?.verifiedBytes, { timeout: 20_000 }).toBe(length);
  content.close();
  await expect.poll(() => bob.transfers.list()).toMatchObject([{ transferId, reason: null }]);
  bob.trackers.sources.clear();
  bob.trackers.isOnline(sourceOf(bob));
  const other = await begun(download(carol, ['a/two.bin']));
  expect(await carol.transfers.end(other.transferId, 20_000)).toMatchObject({ state: 'complete' });
  expect(isRight(carol, 'a/two.bin')).toBe(true);
});

it('a part that is stopped is served no more, and it is said that it was', async () => {
  const [alice, bob, carol] = await startGroup('alice', 'bob', 'carol');
  await shareAlbum(alice);
  const { transferId } = await fetch(bob, 'b');
  const stopped = { group: GROUP, file: 'album' };
  expect(bob.transfers.find(transferId)).toMatchObject({ state: 'complete', served: true });
  expect(await bob.transfers.stopShare(stopped, stampOf(bob.link))).toMatchObject({ status: 'accepted', result: {} });
  expect(bob.transfers.find(transferId)).toMatchObject({ state: 'complete', served: false, reason: null });
  expect(bob.link.announced).toEqual([]);
  bob.trackers.sources.clear();
  bob.trackers.isOnline(sourceOf(bob));
  const refused = await begun(download(carol, ['b']));
  await until(carol, refused.transferId, ({ peers }) => peers.some(({ state }) => state === 'refused'));
  expect(isRight(bob, 'b/.hidden')).toBe(true);
  // There is nothing left to stop, here or in the log.
  expect(await bob.transfers.stopShare(stopped, stampOf(bob.link))).toMatchObject({ reason: 'file_not_found' });
  await stop(bob);
  const again = await startAgain(bob);
  expect(again.link.announced).toEqual([]);
});

it('a part cannot be rechecked, and goes with all it wrote when that is wanted', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  await shareAlbum(alice);
  const { transferId } = await fetch(bob, 'a');
  expect(await bob.transfers.recheck(transferId, {})).toMatchObject({ code: 'transfer_unfinished' });
  await bob.transfers.remove(transferId, 'delete');
  expect(onDisk(join(bob.folder, 'copy'))).toEqual({ file: false, part: false, journal: false });
  expect(bob.link.announced).toEqual([]);
});

it('what has all that is wanted takes no more for a user who is not logged in', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  await shareAlbum(alice);
  const { transferId } = await fetch(bob, 'b');
  bob.link.logOut();
  expect(await bob.transfers.prioritize(transferId, { only: ['a'] })).toMatchObject({ code: 'not_logged_in' });
  expect(bob.transfers.find(transferId)).toMatchObject({ state: 'complete', only: ['b'] });
  bob.link.logIn();
  expect(await bob.transfers.prioritize(transferId, { only: ['a', 'b'] })).toMatchObject({ only: ['a', 'b'] });
  await until(bob, transferId, ({ state, verifiedBytes }) => state === 'complete' && verifiedBytes === TOTAL_BYTES);
});

it('an upload takes no selection', async () => {
  const [alice] = await startGroup('alice');
  await shareAlbum(alice);
  const [{ transferId } = { transferId: '' }] = alice.transfers.list();
  expect(await alice.transfers.prioritize(transferId, { only: ['a'] })).toMatchObject({ code: 'invalid_request' });
});

it('a download whose files in place change again and again begins anew a few times, and then says why it does not', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  await shareAlbum(alice);
  const really = bob.engine.download.bind(bob.engine);
  let begunCount = 0;
  bob.engine.download = (request) => {
    begunCount += 1;
    return endingAnew(really(request));
  };
  const { transferId } = await begun(download(bob));
  const { reason } = await untilState(bob, transferId, 'failed');
  expect(reason).toMatchObject({ code: 'source_changed', detail: 'It changed.' });
  expect(reason).not.toHaveProperty('goesOnAnew');
  expect(begunCount).toBe(9);
  bob.engine.download = really;
  await bob.transfers.resume(transferId);
  await untilState(bob, transferId, 'complete');
});

/** The same download, which ends because a file that it has put in place was changed. */
function endingAnew(real: Download): Download {
  const reason = { code: 'source_changed', detail: 'it changed', action: 'resume it', goesOnAnew: true } as const;
  const done = real.cancel().then(() => ({ state: 'failed', reason, stamp: null }) as const);
  const get = (target: Download, key: keyof Download): unknown => {
    if (key === 'done') return done;
    const found = target[key];
    return typeof found === 'function' ? found.bind(target) : found;
  };
  return new Proxy(real, { get: (target, key) => get(target, key as keyof Download) });
}

it('a part is served on when a whole copy of the same share is removed', async () => {
  const [alice, bob, carol] = await startGroup('alice', 'bob', 'carol');
  await shareAlbum(alice);
  const { transferId } = await fetch(bob, 'a/two.bin');
  const whole = await downloadWhole(bob, { file: 'album', destination: join(bob.folder, 'whole') });
  expect(await bob.transfers.remove(whole.transferId, 'keep')).toBeNull();
  expect(bob.transfers.find(transferId)).toMatchObject({ state: 'complete', served: true, reason: null });
  expect(bob.link.announced).toMatchObject([{ file: 'album' }]);
  bob.trackers.sources.clear();
  bob.trackers.isOnline(sourceOf(bob));
  const other = await begun(download(carol, ['a/two.bin']));
  expect(await carol.transfers.end(other.transferId, 20_000)).toMatchObject({ state: 'complete' });
  expect(isRight(carol, 'a/two.bin')).toBe(true);
});
