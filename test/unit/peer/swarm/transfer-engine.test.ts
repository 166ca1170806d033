import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  newFile,
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

const MIB = 1024 * 1024;
const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === '::1'),
);

describe.each([{ plain: false }, { plain: true }])('with $plain as plain', ({ plain }) => {
  it.each([0, 1, 65_536, 65_537, 5 * MIB + 3])('content of %i bytes arrives whole', async (length) => {
    const [alice, bob] = await Promise.all([startPeer('alice', { plain }), startPeer('bob', { plain })]);
    const bytes = randomBytes(length);
    const digested = await shareFile(alice, newFile(alice, bytes), 65_536);
    const download = bob.engine.download(requestFor(bob, digested, { from: [alice] }));
    expect(await download.done).toMatchObject({ state: 'complete', reason: null });
    expect(sha1(readFileSync(join(bob.folder, 'fetched')))).toBe(sha1(bytes));
    expect(download.view()).toMatchObject({ verifiedBytes: length, etaSeconds: null });
  });
});

it('a folder arrives with its files, the empty ones too', async () => {
  const [alice, bob] = await Promise.all([startPeer('alice'), startPeer('bob')]);
  const root = join(alice.folder, 'album');
  mkdirSync(join(root, 'b', 'c'), { recursive: true });
  const files = {
    'a.bin': randomBytes(100_000),
    'b/c/d.bin': randomBytes(70_001),
    'b/empty': Buffer.alloc(0),
    z: randomBytes(3),
  };
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(root, name), bytes);
  const digested = await shareFile(alice, root, 16_384);
  expect(digested.manifest.files.map(({ path }) => path)).toEqual(Object.keys(files));
  const download = bob.engine.download(requestFor(bob, digested, { from: [alice] }));
  expect(await download.done).toMatchObject({ state: 'complete' });
  for (const [name, bytes] of Object.entries(files)) {
    expect(readFileSync(join(bob.folder, 'fetched', name)).equals(bytes)).toBe(true);
  }
});

it('two seeders that can give as much each deliver at least 30 % of a download', async () => {
  const [alice, bob, carol] = await startThree('alice', 'bob', 'carol');
  const bytes = randomBytes(32 * MIB);
  const digested = await shareFile(alice, newFile(alice, bytes));
  await shareFile(bob, newFile(bob, bytes));
  giveAlike(alice, bob);
  const download = carol.engine.download(requestFor(carol, digested, { from: [alice, bob] }));
  expect(await download.done).toMatchObject({ state: 'complete' });
  const { peers, verifiedBytes } = download.view();
  expect(peers.map(({ user }) => user)).toEqual(['alice', 'bob']);
  for (const { deliveredBytes } of peers) expect(deliveredBytes).toBeGreaterThan(verifiedBytes * 0.3);
});

it('a seeder that is listed in the middle of a download takes its part', async () => {
  const [alice, bob, carol] = await startThree('alice', 'bob', 'carol', { workers: 2 });
  const bytes = randomBytes(32 * MIB);
  const digested = await shareFile(alice, newFile(alice, bytes));
  await shareFile(bob, newFile(bob, bytes));
  giveAlike(alice, bob);
  const download = carol.engine.download(requestFor(carol, digested, { from: [alice] }));
  await until(download, ({ verifiedBytes }) => verifiedBytes > 0);
  download.updateSources([sourceOf(alice), sourceOf(bob)]);
  expect(await download.done).toMatchObject({ state: 'complete' });
  const { peers } = download.view();
  expect(peers.map(({ user }) => user)).toEqual(['alice', 'bob']);
  for (const { user, deliveredBytes } of peers) expect(deliveredBytes, user).toBeGreaterThan(2 * MIB);
  expect(sha1(readFileSync(join(carol.folder, 'fetched')))).toBe(sha1(bytes));
});

it('hashing a file that SHA-256 pieces were asked for, and verifying it, agree', async () => {
  const alice = await startPeer('alice');
  const path = newFile(alice, randomBytes(3 * MIB + 7));
  const progress: number[] = [];
  const onProgress = (_doneBytes: number, totalBytes: number): number => progress.push(totalBytes);
  const digested = await alice.engine.digest({ path, hash: 'sha256', pieceBytes: 65_536, onProgress });
  expect(new Set(progress)).toEqual(new Set([3 * MIB + 7]));
  expect(digested.manifest.pieceDigests.length).toBe(49 * 32);
  const { manifestBytes } = digested;
  const verified = await alice.engine.verify({ path, manifestBytes, onProgress: (done) => progress.push(done) });
  expect(verified).toMatchObject({ complete: true, stamp: digested.stamp });
  expect(progress.at(-1)).toBe(3 * MIB + 7);
});

it('verifying names the damaged pieces, and those that are cut off', async () => {
  const alice = await startPeer('alice');
  const bytes = randomBytes(8 * 65_536);
  const path = newFile(alice, bytes);
  const { manifestBytes } = await alice.engine.digest({ path, hash: 'sha1', pieceBytes: 65_536 });
  bytes[65_536 * 2 + 5]! ^= 1;
  writeFileSync(path, bytes);
  truncateSync(path, 65_536 * 6);
  const verified = await alice.engine.verify({ path, manifestBytes });
  expect([...verified.bitfield]).toEqual([0b1101_1100]);
  expect(verified).toMatchObject({ complete: false });
});

it('hashing can be called off', async () => {
  const alice = await startPeer('alice');
  const path = newFile(alice, Buffer.alloc(0));
  truncateSync(path, 4 * 1024 * MIB);
  const abort = new AbortController();
  const digesting = alice.engine.digest({ path, hash: 'sha1', signal: abort.signal, onProgress: () => abort.abort() });
  await expect(digesting).rejects.toMatchObject({ code: 'aborted' });
});

it('what is not there, or is no file, is refused by name', async () => {
  const alice = await startPeer('alice');
  const missing = join(alice.folder, 'nothing');
  await expect(alice.engine.digest({ path: missing, hash: 'sha1' })).rejects.toMatchObject({ code: 'source_missing' });
  await expect(alice.engine.digest({ path: '/dev/null', hash: 'sha1' })).rejects.toMatchObject({
    code: 'source_unsupported',
  });
});

it('a copy that changed since it was hashed is not served', async () => {
  const alice = await startPeer('alice');
  const path = newFile(alice, randomBytes(1000));
  const digested = await alice.engine.digest({ path, hash: 'sha1' });
  writeFileSync(path, randomBytes(1000));
  const serving = alice.engine.serve({ share: SHARE, path, ...digested });
  await expect(serving).rejects.toMatchObject({ code: 'source_changed' });
});

it('a port that is taken is refused, and two engines do not share one', async () => {
  const alice = await startPeer('alice');
  const { port } = alice.engine.listenAddress;
  await expect(startPeer('bob', { port })).rejects.toMatchObject({
    code: 'listen_failed',
    message: `cannot listen for peers on 127.0.0.1:${port}: another process uses it; give another address`,
  });
});

it('metrics count tasks, bytes and connections of every worker', async () => {
  const [alice, bob] = await Promise.all([startPeer('alice', { workers: 2 }), startPeer('bob', { workers: 2 })]);
  const digested = await shareFile(alice, newFile(alice, randomBytes(16 * MIB)));
  await bob.engine.download(requestFor(bob, digested, { from: [alice] })).done;
  const [sent, received] = [alice.engine.metrics(), bob.engine.metrics()];
  const total = (workers: typeof sent.workers, field: 'sentBytes' | 'receivedBytes' | 'hashedBytes') =>
    workers.reduce((sum, worker) => sum + worker[field], 0);
  expect(sent.workers).toHaveLength(2);
  expect(total(sent.workers, 'sentBytes')).toBeGreaterThanOrEqual(16 * MIB);
  expect(total(received.workers, 'receivedBytes')).toBeGreaterThanOrEqual(16 * MIB);
  expect(total(received.workers, 'hashedBytes')).toBe(16 * MIB);
  expect(received).toMatchObject({ verifiedPieces: 32, failedPieces: 0, replacedWorkers: 0 });
  for (const { tasks } of received.workers) expect(tasks).toBeGreaterThan(0);
});

it('addresses are tried in order until one answers', async () => {
  const [alice, bob] = await Promise.all([startPeer('alice'), startPeer('bob')]);
  const digested = await shareFile(alice, newFile(alice, randomBytes(1000)));
  const source = sourceOf(alice);
  const addresses = [
    { host: '127.0.0.1', port: 1 },
    { host: 'localhost', port: alice.engine.listenAddress.port },
  ];
  const request = { ...requestFor(bob, digested, { from: [] }), sources: [{ ...source, addresses }] };
  expect(await bob.engine.download(request).done).toMatchObject({ state: 'complete' });
});

it.runIf(hasIpv6)('peers meet over IPv6', async () => {
  const [alice, bob] = await Promise.all([startPeer('alice', { host: '::1' }), startPeer('bob')]);
  const digested = await shareFile(alice, newFile(alice, randomBytes(1000)));
  const download = bob.engine.download(requestFor(bob, digested, { from: [alice] }));
  expect(await download.done).toMatchObject({ state: 'complete' });
  expect(download.view().peers[0]?.address).toBe(`[::1]:${alice.engine.listenAddress.port}`);
});

it('sixteen downloads from one seeder at once all arrive', async () => {
  const [alice, bob] = await Promise.all([startPeer('alice', { workers: 2 }), startPeer('bob', { workers: 2 })]);
  const bytes = randomBytes(4 * MIB);
  const digested = await shareFile(alice, newFile(alice, bytes), 65_536);
  const downloads = [...Array(16).keys()].map((number) =>
    bob.engine.download(requestFor(bob, digested, { from: [alice], destination: join(bob.folder, `copy ${number}`) })),
  );
  for (const download of downloads) expect(await download.done).toMatchObject({ state: 'complete' });
  for (const number of downloads.keys()) {
    expect(sha1(readFileSync(join(bob.folder, `copy ${number}`)))).toBe(sha1(bytes));
  }
});

/** Far below what the machine can do, so that it is not the one that shares out. */
function giveAlike(...seeders: readonly TestPeer[]): void {
  for (const { engine } of seeders) {
    engine.limit({ uploadBytesPerSecond: 16 * MIB, downloadBytesPerSecond: null, groups: [] });
  }
}
