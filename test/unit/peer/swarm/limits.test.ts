import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import type { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { mutualTlsOptions } from '#identity/tls';
import { type BlockPlace, encodeFrame, type Frame, FrameDecoder } from '#wire/transfer-frame';
import type { EngineLimits } from '../../../../apps/peer/src/swarm/transfer-engine.ts';
import {
  grantFor,
  newFile,
  onTestEnd,
  randomBytes,
  requestFor,
  SHARE,
  sha1,
  shareFile,
  startPeer,
  startThree,
  type TestPeer,
  until,
} from './engine-harness.ts';

const MIB = 1024 * 1024;
/** A mebibyte takes a quarter of an hour. */
const SLOW = 1024;
const { groupId } = SHARE;

function limits(uploadBytesPerSecond: number | null, downloadBytesPerSecond: number | null): EngineLimits {
  return { uploadBytesPerSecond, downloadBytesPerSecond, groups: [] };
}

function ofGroup(uploadBytesPerSecond: number | null, downloadBytesPerSecond: number | null): EngineLimits {
  return { ...limits(null, null), groups: [{ groupId, uploadBytesPerSecond, downloadBytesPerSecond }] };
}

const NONE = limits(null, null);

async function twoPeers(totalBytes: number, plain = false) {
  const [alice, bob] = await Promise.all([
    startPeer('alice', { plain, workers: 2 }),
    startPeer('bob', { plain, workers: 2 }),
  ]);
  const bytes = randomBytes(totalBytes);
  const digested = await shareFile(alice, newFile(alice, bytes), 65_536);
  return { alice, bob, bytes, digested, fetched: () => sha1(readFileSync(join(bob.folder, 'fetched'))) };
}

function sentBytes({ engine }: TestPeer): number {
  return engine.metrics().workers.reduce((sum, worker) => sum + worker.sentBytes, 0);
}

it.each([
  ['what is sent', limits(8 * MIB, null), NONE],
  ['what comes', NONE, limits(null, 8 * MIB)],
  ['what is sent and what comes', limits(8 * MIB, null), limits(null, 9 * MIB)],
  ['what is sent to a group', ofGroup(8 * MIB, null), NONE],
  ['what comes for a group', NONE, ofGroup(null, 8 * MIB)],
])('a download is whole with a limit on %s', async (_what, ofSeeder, ofDownloader) => {
  const { alice, bob, bytes, digested, fetched } = await twoPeers(4 * MIB);
  alice.engine.limit(ofSeeder);
  bob.engine.limit(ofDownloader);
  const startMs = performance.now();
  const download = bob.engine.download(requestFor(bob, digested, { from: [alice] }));
  expect(await download.done).toMatchObject({ state: 'complete' });
  expect(fetched()).toBe(sha1(bytes));
  expect(download.view().peers).toMatchObject([{ deliveredBytes: 4 * MIB, corruptPieces: 0 }]);
  // Half a second at the limit; a fifth of a second may have been saved up.
  expect(performance.now() - startMs).toBeGreaterThan(250);
});

it.each([
  ['on what is sent', limits(SLOW, null), NONE, false],
  ['on what comes', NONE, limits(null, SLOW), false],
  ['on what is sent, without TLS', limits(SLOW, null), NONE, true],
  ['on what comes, without TLS', NONE, limits(null, SLOW), true],
])(
  'a limit %s holds for what is under way, and so does taking it away',
  async (_what, ofSeeder, ofDownloader, plain) => {
    const { alice, bob, bytes, digested, fetched } = await twoPeers(8 * MIB, plain);
    alice.engine.limit(ofSeeder);
    bob.engine.limit(ofDownloader);
    const download = bob.engine.download(requestFor(bob, digested, { from: [alice] }));
    await until(download, ({ bytesPerSecond }) => bytesPerSecond > 0);
    expect(sentBytes(alice)).toBeLessThan(MIB / 4);
    alice.engine.limit(NONE);
    bob.engine.limit(NONE);
    expect(await download.done).toMatchObject({ state: 'complete' });
    expect(fetched()).toBe(sha1(bytes));
  },
);

it('the limit of one group is none for another', async () => {
  const { alice, bob, digested } = await twoPeers(MIB);
  const other = { ...limits(null, null), groups: [{ ...limits(SLOW, SLOW), groupId: groupId + 1 }] };
  alice.engine.limit(other);
  bob.engine.limit(other);
  const download = bob.engine.download(requestFor(bob, digested, { from: [alice] }));
  expect(await download.done).toMatchObject({ state: 'complete' });
});

it('a peer that has part of it and is limited still tells what it gets, and serves that', async () => {
  const [alice, bob, carol] = await startThree('alice', 'bob', 'carol');
  const bytes = randomBytes(2 * MIB);
  const digested = await shareFile(alice, newFile(alice, bytes), 65_536);
  bob.engine.limit(limits(MIB, MIB));
  bob.engine.download(requestFor(bob, digested, { from: [alice] }));
  const download = carol.engine.download(requestFor(carol, digested, { from: [bob] }));
  expect(await download.done).toMatchObject({ state: 'complete' });
  expect(sha1(readFileSync(join(carol.folder, 'fetched')))).toBe(sha1(bytes));
});

it('a worker that replaces a dead one keeps the limits', async () => {
  const workers: Worker[] = [];
  const collect = (worker: Worker): number => workers.push(worker);
  process.on('worker', collect);
  const alice = await startPeer('alice');
  process.off('worker', collect);
  const bob = await startPeer('bob');
  const digested = await shareFile(alice, newFile(alice, randomBytes(8 * MIB)), 65_536);
  alice.engine.limit(limits(SLOW, null));
  await workers[0]?.terminate();
  const download = bob.engine.download(requestFor(bob, digested, { from: [alice] }));
  await until(download, ({ bytesPerSecond }) => bytesPerSecond > 0);
  expect(alice.engine.metrics().replacedWorkers).toBe(1);
  expect(sentBytes(alice)).toBeLessThan(MIB / 4);
});

/** A caller that asks for a block and then for the manifest at once; what it hears, in order. */
function hear(
  peer: TestPeer,
  listener: TestPeer,
  { grant, block }: { grant: Uint8Array; block: BlockPlace & { length: number } },
) {
  const heard: string[] = [];
  const came: Buffer[] = [];
  const done = Promise.withResolvers<{ heard: string[]; bytes: Buffer }>();
  const decoder = new FrameDecoder();
  const { host, port } = listener.engine.listenAddress;
  const socket = connectTls({ host, port, ...mutualTlsOptions(peer.identity) }, () => {
    const key = new Uint8Array(0);
    send({ kind: 'hello', version: 1, lane: 0, laneCount: 1, nonce: new Uint8Array(32), key });
    send({ kind: 'grant', grant });
  });
  const send = (frame: Frame): void => void socket.write(encodeFrame(frame));
  onTestEnd(() => void socket.destroy());
  socket.on('data', (chunk: Buffer) =>
    decoder.push(chunk, {
      frame: ({ kind }) => {
        heard.push(kind);
        if (kind === 'bitfield') send({ kind: 'request', ...block });
        if (kind === 'manifest') done.resolve({ heard, bytes: Buffer.concat(came) });
      },
      blockStart: () => {
        heard.push('block begins');
        send({ kind: 'askManifest', begin: 0, length: 1000 });
      },
      blockBytes: (bytes, begin, end) => void came.push(Buffer.from(bytes.subarray(begin, end))),
      blockEnd: () => heard.push('block ends'),
    }),
  );
  socket.on('close', () => done.reject(new Error(`closed after ${heard.join()}, ${decoder.problem}`)));
  return done.promise;
}

it('what is said while a block goes out slowly comes after it', async () => {
  const { alice, bob, bytes, digested } = await twoPeers(MIB);
  alice.engine.limit(limits(200_000, null));
  const block = { piece: 1, begin: 0, length: 65_536 };
  const said = await hear(bob, alice, { grant: grantFor(bob, digested.contentId), block });
  expect(said.heard).toEqual(['hello', 'bitfield', 'block begins', 'block ends', 'manifest']);
  expect(said.bytes.equals(bytes.subarray(65_536, 2 * 65_536))).toBe(true);
});

/** A caller that asks for a block: what it hears, one word or number of bytes for each chunk, told whenever there is more. */
async function ask(
  [peer, listener]: readonly [TestPeer, TestPeer],
  { grant, onHeard }: { readonly grant: Uint8Array; readonly onHeard: (heard: readonly (string | number)[]) => void },
): Promise<void> {
  const heard: (string | number)[] = [];
  const admitted = Promise.withResolvers<void>();
  const { host, port } = listener.engine.listenAddress;
  const send = (frame: Frame): void => void socket.write(encodeFrame(frame));
  const socket = connectTls({ host, port, ...mutualTlsOptions(peer.identity) }, () => {
    const key = new Uint8Array(0);
    send({ kind: 'hello', version: 1, lane: 0, laneCount: 1, nonce: new Uint8Array(32), key });
    send({ kind: 'grant', grant });
  });
  onTestEnd(() => void socket.destroy());
  const decoder = new FrameDecoder();
  const sink = {
    frame: ({ kind }: Frame) => {
      heard.push(kind);
      if (kind === 'bitfield') admitted.resolve();
    },
    blockStart: () => undefined,
    blockBytes: (_bytes: Uint8Array, begin: number, end: number) => void heard.push(end - begin),
    blockEnd: () => undefined,
  };
  socket.on('data', (chunk: Buffer) => {
    decoder.push(chunk, sink);
    onHeard(heard);
  });
  await admitted.promise;
  send({ kind: 'request', piece: 1, begin: 0, length: 65_536 });
}

it('who waits long for a turn hears that the other side is there, before a block and in the middle of it', async () => {
  const { alice, bob, digested } = await twoPeers(MIB);
  alice.engine.limit(limits(SLOW, null));
  const grant = grantFor(bob, digested.contentId);
  const [before, amid] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const onHeard = (heard: readonly (string | number)[]): void => {
    const [, , first, second] = heard;
    if (first === 'keepAlive') before.resolve();
    if (first === 256 && second === 1) amid.resolve();
  };
  // Each has a turn in a quarter of a second: six seconds until all had theirs, and a caller gives up after five.
  for (let count = 0; count < 24; count++) await ask([bob, alice], { grant, onHeard });
  expect(await Promise.all([before.promise, amid.promise])).toHaveLength(2);
});

it('a revocation closes a connection in the middle of a slow block', async () => {
  const { alice, bob, digested } = await twoPeers(MIB);
  alice.engine.limit(limits(SLOW, null));
  const download = bob.engine.download(requestFor(bob, digested, { from: [alice] }));
  await until(download, ({ bytesPerSecond }) => bytesPerSecond > 0);
  alice.engine.revoke({ ...SHARE, user: 'bob', asOfOffset: 11 });
  await until(download, ({ reason }) => reason?.code === 'not_a_member');
  const before = sentBytes(alice);
  alice.engine.limit(NONE);
  await until(download, ({ peers }) => peers[0]?.state === 'refused');
  expect(sentBytes(alice)).toBe(before);
});
