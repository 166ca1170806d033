// What a download does when sources go, lie, stall or come back, and when this peer itself is stopped and started.
import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { countBits } from '#domain/bitfield';
import { journalPath } from '../../../../apps/peer/src/storage/content-layout.ts';
import { journalHead, JournalWriter } from '../../../../apps/peer/src/storage/part-journal.ts';
import {
  grantFor,
  newFile,
  newFolder,
  randomBytes,
  requestFor,
  SHARE,
  sha1,
  shareFile,
  sourceOf,
  startPeer,
  startThree,
  type TestPeer,
  until,
} from './engine-harness.ts';
import { blockFrame, startFakeSeeder } from './fake-seeder.ts';

const MIB = 1024 * 1024;
const LONG_AGO_SECONDS = 1_000_000_000;
const BLOCKED_MS_MAX = 10_000;

it('stalls while its only seeder is away, and goes on by itself when that is back', async () => {
  const [alice, bob] = await Promise.all([startPeer('alice'), startPeer('bob')]);
  const path = newFile(alice, randomBytes(MIB));
  const digested = await shareFile(alice, path);
  const { port } = alice.engine.listenAddress;
  const source = sourceOf(alice);
  await alice.engine.close();
  const download = bob.engine.download({ ...requestFor(bob, digested, { from: [] }), sources: [source] });
  await until(download, ({ state, reason }) => state === 'stalled' && reason?.code === 'no_seeder_online');
  const again = await startPeer('alice', { port, identity: alice.identity });
  await again.engine.serve({ share: SHARE, path, ...digested });
  expect(await download.done).toMatchObject({ state: 'complete' });
});

it('after a pause is not stalled again before its seeder was tried again', async () => {
  const [alice, bob] = await Promise.all([startPeer('alice'), startPeer('bob')]);
  const digested = await shareFile(alice, newFile(alice, randomBytes(MIB)));
  const source = sourceOf(alice);
  await alice.engine.close();
  const download = bob.engine.download({ ...requestFor(bob, digested, { from: [] }), sources: [source] });
  await until(download, ({ state }) => state === 'stalled');
  download.pause();
  download.resume();
  expect(download.view()).toMatchObject({ state: 'downloading', reason: null });
  await until(download, ({ state }) => state === 'stalled');
});

it('a download that nobody can serve stalls until a source is listed', async () => {
  const [alice, bob] = await Promise.all([startPeer('alice'), startPeer('bob')]);
  const digested = await shareFile(alice, newFile(alice, randomBytes(MIB)));
  const download = bob.engine.download(requestFor(bob, digested, { from: [] }));
  await until(download, ({ state, reason }) => state === 'stalled' && reason?.code === 'no_seeder_online');
  download.updateSources([sourceOf(alice)]);
  expect(await download.done).toMatchObject({ state: 'complete' });
});

it('a peer serves what it has verified while it still downloads, and goes on when the rest appears', async () => {
  const [alice, bob, carol] = await startThree('alice', 'bob', 'carol');
  const bytes = randomBytes(4 * MIB);
  const path = newFile(alice, bytes);
  const digested = await shareFile(alice, path, 65_536);
  // Bob was stopped in the middle: half of it is on his disk.
  const whole = bob.engine.download(requestFor(bob, digested, { from: [alice] }));
  await whole.done;
  const destination = join(bob.folder, 'half');
  writeFileSync(`${destination}.part`, bytes.fill(0, 2 * MIB));
  writeFileSync(`${destination}.part.journal`, journalOf(alice, digested, 32));
  bob.engine.withdraw(SHARE);
  const half = bob.engine.download(requestFor(bob, digested, { from: [], destination }));
  await until(half, ({ verifiedBytes }) => verifiedBytes === 2 * MIB);
  const download = carol.engine.download(requestFor(carol, digested, { from: [bob] }));
  await until(download, ({ reason }) => reason?.code === 'pieces_missing');
  expect(download.view()).toMatchObject({ state: 'stalled', verifiedBytes: 2 * MIB });
  half.updateSources([sourceOf(alice)]);
  expect(await download.done).toMatchObject({ state: 'complete' });
  expect(sha1(readFileSync(join(carol.folder, 'fetched')))).toBe(digested.manifest.files[0]?.sha1);
});

/** A journal that lists the first pieces, made by the code that writes them. */
function journalOf(peer: TestPeer, digested: { contentId: string; manifestBytes: Uint8Array }, pieces: number) {
  const destination = join(peer.folder, 'journal');
  writeFileSync(journalPath(destination), journalHead(digested.contentId, digested.manifestBytes));
  const writer = new JournalWriter(destination, digested.contentId);
  for (let piece = 0; piece < pieces; piece++) writer.append(piece);
  writer.close();
  return readFileSync(journalPath(destination));
}

it('goes on after a restart with what it had, and fetches a damaged piece again', async () => {
  const [alice, bob] = await Promise.all([startPeer('alice'), startPeer('bob')]);
  const bytes = randomBytes(4 * MIB);
  const digested = await shareFile(alice, newFile(alice, bytes), 65_536);
  const destination = join(bob.folder, 'fetched');
  const onDisk = Buffer.from(bytes).fill(0, 2 * MIB);
  onDisk[5 * 65_536 + 1]! ^= 1;
  writeFileSync(`${destination}.part`, onDisk);
  const journal = journalOf(alice, digested, 32);
  writeFileSync(`${destination}.part.journal`, Buffer.concat([journal, Buffer.from([0, 0, 0])]));
  const download = bob.engine.download(requestFor(bob, digested, { from: [alice] }));
  expect(await download.done).toMatchObject({ state: 'complete' });
  expect(bob.engine.metrics().verifiedPieces).toBe(33);
  expect(sha1(readFileSync(destination))).toBe(sha1(bytes));
  expect(existsSync(`${destination}.part.journal`)).toBe(false);
});

it('a part that a stopped engine left is finished by the next one', async () => {
  const [alice, bob] = await Promise.all([startPeer('alice'), startPeer('bob')]);
  const bytes = randomBytes(16 * MIB);
  const digested = await shareFile(alice, newFile(alice, bytes));
  const request = requestFor(bob, digested, { from: [alice] });
  // So slow that it is never complete before it is stopped.
  bob.engine.limit({ uploadBytesPerSecond: null, downloadBytesPerSecond: MIB, groups: [] });
  const first = bob.engine.download(request);
  await until(first, ({ verifiedBytes }) => verifiedBytes > 0);
  await bob.engine.close();
  const had = countBits(first.view().bitfield);
  const again = await startPeer('bob', { identity: bob.identity });
  const second = again.engine.download(request);
  expect(await second.done).toMatchObject({ state: 'complete' });
  expect(again.engine.metrics().verifiedPieces).toBeLessThanOrEqual(32 - had);
  expect(sha1(readFileSync(request.destination))).toBe(sha1(bytes));
});

it('a seeder whose file was changed serves no more, tells its owner, and the other seeder finishes', async () => {
  const [alice, bob, carol] = await startThree('alice', 'bob', 'carol');
  const bytes = randomBytes(8 * MIB);
  const digested = await shareFile(alice, newFile(alice, bytes), 65_536);
  const path = newFile(bob, bytes);
  await bob.engine.serve({ share: SHARE, path, ...digested, ...(await bob.engine.verify({ path, ...digested })) });
  const problem = new Promise((resolve) => bob.engine.onSourceProblem(resolve));
  writeFileSync(path, randomBytes(8 * MIB));
  const download = carol.engine.download(requestFor(carol, digested, { from: [alice, bob] }));
  expect(await download.done).toMatchObject({ state: 'complete' });
  expect(await problem).toMatchObject({ share: SHARE, code: 'source_changed' });
  expect(carol.engine.metrics().failedPieces).toBe(0);
  expect(sha1(readFileSync(join(carol.folder, 'fetched')))).toBe(sha1(bytes));
});

it('a file that was deleted is reported as missing', async () => {
  const [alice, bob] = await Promise.all([startPeer('alice'), startPeer('bob')]);
  const path = newFile(alice, randomBytes(MIB));
  const digested = await shareFile(alice, path);
  const problem = new Promise((resolve) => alice.engine.onSourceProblem(resolve));
  rmSync(path);
  const download = bob.engine.download(requestFor(bob, digested, { from: [alice] }));
  expect(await problem).toMatchObject({ code: 'source_missing' });
  await until(download, ({ state }) => state === 'stalled');
  await download.cancel();
});

it('a seeder that sends a wrong piece is dropped and named, and its owner is told', async () => {
  const [alice, bob, carol] = await startThree('alice', 'bob', 'carol');
  const bytes = randomBytes(8 * MIB);
  const digested = await shareFile(alice, newFile(alice, bytes), 65_536);
  const path = newFile(bob, bytes);
  utimesSync(path, LONG_AGO_SECONDS, LONG_AGO_SECONDS);
  await bob.engine.serve({ share: SHARE, path, ...digested, ...(await bob.engine.verify({ path, ...digested })) });
  damageUnnoticed(path);
  const problem = new Promise((resolve) => bob.engine.onSourceProblem(resolve));
  const download = carol.engine.download(requestFor(carol, digested, { from: [bob] }));
  await until(download, ({ peers }) => peers[0]?.state === 'dropped');
  expect(await problem).toMatchObject({ code: 'source_changed' });
  await until(download, ({ state }) => state === 'stalled');
  expect(download.view().reason?.detail).toContain('bob');
  download.updateSources([sourceOf(alice), sourceOf(bob)]);
  expect(await download.done).toMatchObject({ state: 'complete' });
  const culprit = download.view().peers.find(({ user }) => user === 'bob');
  expect(culprit?.state).toBe('dropped');
  expect(culprit?.corruptPieces).toBeGreaterThan(0);
  expect(sha1(readFileSync(join(carol.folder, 'fetched')))).toBe(sha1(bytes));
});

/** Changes a few bytes of every piece and sets the time of the last change back, so that only the digests can tell. */
function damageUnnoticed(path: string): void {
  const { size } = statSync(path);
  const file = openSync(path, 'r+');
  for (let at = 0; at < size; at += 65_536) writeSync(file, Buffer.from([at & 0xff, 1, 2, 3]), 0, 4, at);
  closeSync(file);
  utimesSync(path, LONG_AGO_SECONDS, LONG_AGO_SECONDS);
}

it('a worker that dies is replaced, and the download finishes', async () => {
  const workers: Worker[] = [];
  const collect = (worker: Worker): number => workers.push(worker);
  const alice = await startPeer('alice');
  process.on('worker', collect);
  const bob = await startPeer('bob', { workers: 2 });
  process.off('worker', collect);
  const bytes = randomBytes(128 * MIB);
  const digested = await shareFile(alice, newFile(alice, bytes));
  const download = bob.engine.download(requestFor(bob, digested, { from: [alice] }));
  await until(download, ({ verifiedBytes }) => verifiedBytes > 0);
  await workers[0]?.terminate();
  expect(await download.done).toMatchObject({ state: 'complete' });
  expect(bob.engine.metrics().replacedWorkers).toBe(1);
  expect(sha1(readFileSync(join(bob.folder, 'fetched')))).toBe(sha1(bytes));
});

/** Blocks this thread so long, and on until something is so that only other threads can bring about; bounded. */
function blockFor(leastMs: number, isSo: () => boolean): void {
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  const beginMs = performance.now();
  while (performance.now() - beginMs < leastMs || !isSo()) {
    Atomics.wait(sleeper, 0, 0, 5);
    if (performance.now() - beginMs > BLOCKED_MS_MAX) throw new Error('nothing came while this thread was blocked');
  }
}

it('bytes keep coming while the main thread is blocked', async () => {
  const [alice, bob] = await Promise.all([startPeer('alice', { workers: 2 }), startPeer('bob', { workers: 2 })]);
  const path = newFile(alice, Buffer.alloc(0));
  truncateSync(path, 512 * MIB);
  const digested = await shareFile(alice, path);
  const download = bob.engine.download(requestFor(bob, digested, { from: [alice] }));
  await until(download, ({ verifiedBytes }) => verifiedBytes > 64 * MIB);
  const hashed = (): number => bob.engine.metrics().workers.reduce((sum, worker) => sum + worker.hashedBytes, 0);
  const before = hashed();
  blockFor(250, () => hashed() > before);
  const late = hashed();
  // From here on nothing but the reserve is left to live on.
  blockFor(250, () => hashed() > late);
  expect(await download.done).toMatchObject({ state: 'complete' });
});

it('a cancel does not wait until everything that is there has been checked', async () => {
  const bob = await startPeer('bob', { plain: true });
  const path = newFile(bob, Buffer.alloc(0));
  truncateSync(path, 512 * MIB);
  const digested = await bob.engine.digest({ path, hash: 'sha1' });
  const destination = join(bob.folder, 'fetched');
  writeFileSync(`${destination}.part`, '');
  truncateSync(`${destination}.part`, 512 * MIB);
  writeFileSync(journalPath(destination), journalOf(bob, digested, 1024));
  const hashed = (): number => bob.engine.metrics().workers.reduce((sum, worker) => sum + worker.hashedBytes, 0);
  const before = hashed();
  const download = bob.engine.download(requestFor(bob, digested, { from: [], destination }));
  while (hashed() === before) await new Promise((resolve) => setImmediate(resolve));
  await download.cancel();
  expect(hashed() - before).toBeLessThan(512 * MIB);
  expect(existsSync(`${destination}.part`)).toBe(true);
});

it('pauses, goes on, and is cancelled with or without its data', async () => {
  const alice = await startPeer('alice', { plain: true });
  const bob = await startPeer('bob', { plain: true });
  const bytes = randomBytes(8 * 65_536);
  const digested = await shareFile(alice, newFile(alice, bytes), 65_536);
  // Never sends the last piece, so that the download is never whole.
  const seeder = await startFakeSeeder('mallory', {
    digested,
    answer: (request, socket) => {
      const begin = request.piece * 65_536 + request.begin;
      if (request.piece < 7) socket.write(blockFrame(request, bytes.subarray(begin, begin + request.length)));
    },
  });
  const request = requestFor(bob, digested, { from: [], sources: [seeder], strategy: 'sequential' });
  const download = bob.engine.download(request);
  await until(download, ({ verifiedBytes }) => verifiedBytes > 0);
  download.pause();
  expect(download.view()).toMatchObject({ state: 'paused', reason: null, bytesPerSecond: 0 });
  download.resume();
  await until(download, ({ peers }) => peers[0]?.state === 'connected');
  download.pause();
  await download.cancel();
  expect(await download.done).toMatchObject({ state: 'cancelled' });
  expect(existsSync(`${request.destination}.part`)).toBe(true);
  const second = bob.engine.download(request);
  await until(second, ({ verifiedBytes }) => verifiedBytes > 0);
  await second.cancel();
  await bob.engine.removeData({ destination: request.destination, isFinished: false });
  expect(existsSync(`${request.destination}.part`)).toBe(false);
  expect(existsSync(`${request.destination}.part.journal`)).toBe(false);
});

it('a destination that is there is replaced only when asked to', async () => {
  const [alice, bob] = await Promise.all([startPeer('alice'), startPeer('bob')]);
  const bytes = randomBytes(1000);
  const digested = await shareFile(alice, newFile(alice, bytes));
  const request = requestFor(bob, digested, { from: [alice] });
  writeFileSync(request.destination, 'mine');
  expect(await bob.engine.download(request).done).toMatchObject({
    state: 'failed',
    reason: { code: 'destination_exists' },
  });
  expect(readFileSync(request.destination, 'utf8')).toBe('mine');
  expect(await bob.engine.download({ ...request, overwrite: true }).done).toMatchObject({ state: 'complete' });
  expect(readFileSync(request.destination).equals(bytes)).toBe(true);
});

it('a destination that cannot be written, or has no room, stops one download with its reason', async () => {
  const [alice, bob] = await Promise.all([startPeer('alice'), startPeer('bob')]);
  const digested = await shareFile(alice, newFile(alice, randomBytes(1000)));
  const nowhere = join(bob.folder, 'missing', 'file');
  const failed = bob.engine.download(requestFor(bob, digested, { from: [alice], destination: nowhere }));
  expect(await failed.done).toMatchObject({ state: 'failed', reason: { code: 'destination_unwritable' } });
  const destination = join(bob.folder, 'huge');
  const check = { destination, overwrite: false, totalBytes: 2 ** 52 };
  expect(await bob.engine.checkDestination(check)).toMatchObject({ code: 'disk_full' });
  const fine = bob.engine.download(requestFor(bob, digested, { from: [alice] }));
  expect(await fine.done).toMatchObject({ state: 'complete' });
});

it('two downloads to one destination do not meet', async () => {
  const [alice, bob] = await Promise.all([startPeer('alice'), startPeer('bob')]);
  const bytes = randomBytes(32 * MIB);
  const digested = await shareFile(alice, newFile(alice, bytes));
  const request = requestFor(bob, digested, { from: [alice] });
  const [first, second] = [bob.engine.download(request), bob.engine.download(request)];
  expect(await second.done).toMatchObject({ state: 'failed', reason: { code: 'destination_unwritable' } });
  expect(await first.done).toMatchObject({ state: 'complete' });
});

it('downloads of two processes to one destination never mix their bytes', async () => {
  const [alice, bob, carol] = await startThree('alice', 'bob', 'carol');
  const dave = await startPeer('dave');
  const contents = [randomBytes(32 * MIB), randomBytes(32 * MIB)] as const;
  const ofAlice = await shareFile(alice, newFile(alice, contents[0]));
  const ofDave = await shareFile(dave, newFile(dave, contents[1]));
  const destination = join(newFolder(), 'film');
  const first = bob.engine.download(requestFor(bob, ofAlice, { from: [alice], destination }));
  const second = carol.engine.download(requestFor(carol, ofDave, { from: [dave], destination }));
  const ends = await Promise.all([first.done, second.done]);
  // Either makes way for the other, or both do.
  const winners = contents.filter((_, number) => ends[number]?.state === 'complete');
  expect(winners.length).toBeLessThan(2);
  for (const winner of winners) expect(readFileSync(destination).equals(winner)).toBe(true);
  expect(existsSync(destination)).toBe(winners.length === 1);
});

it('somebody else at the address is not asked for anything', async () => {
  const [alice, bob, mallory] = await startThree('alice', 'bob', 'mallory');
  const path = newFile(alice, randomBytes(MIB));
  const digested = await shareFile(alice, path);
  await mallory.engine.serve({ share: SHARE, path, ...digested });
  const source = { ...sourceOf(alice), addresses: [mallory.engine.listenAddress] };
  const download = bob.engine.download({ ...requestFor(bob, digested, { from: [] }), sources: [source] });
  await until(download, ({ peers }) => peers[0]?.state === 'unreachable');
  expect(download.view().verifiedBytes).toBe(0);
});

it('removes finished and unfinished data, and nothing is no error', async () => {
  const bob = await startPeer('bob');
  const destination = join(bob.folder, 'file');
  await bob.engine.removeData({ destination, isFinished: true });
  for (const name of ['file', 'file.part']) writeFileSync(join(bob.folder, name), 'x');
  writeFileSync(`${destination}.part.journal`, journalHead('5a'.repeat(32), Uint8Array.of()));
  await bob.engine.removeData({ destination, isFinished: true });
  for (const name of ['file', 'file.part', 'file.part.journal']) expect(existsSync(join(bob.folder, name))).toBe(false);
});

it('a grant that is renewed keeps the connection', async () => {
  const [alice, bob] = await Promise.all([startPeer('alice'), startPeer('bob')]);
  const digested = await shareFile(alice, newFile(alice, randomBytes(64 * MIB)));
  const grant = grantFor(bob, digested.contentId, { expiresAtMs: Date.now() + 1000 });
  const download = bob.engine.download(requestFor(bob, digested, { from: [alice], grant }));
  download.updateGrant(grantFor(bob, digested.contentId));
  expect(await download.done).toMatchObject({ state: 'complete' });
});
