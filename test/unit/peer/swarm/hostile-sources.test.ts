// Sources that are silent, slow, lying or broken, beside a good one: the download finishes with the right bytes.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { encodeFrame, type Frame } from '#wire/transfer-frame';
import type { DownloadView } from '../../../../apps/peer/src/swarm/download-view.ts';
import type { Digested, Download } from '../../../../apps/peer/src/swarm/transfer-engine.ts';
import { newFile, randomBytes, requestFor, sha1, shareFile, sourceOf, startPeer, until } from './engine-harness.ts';
import { blockFrame, type FakeOptions, startFakeSeeder } from './fake-seeder.ts';

const PIECE_BYTES = 65_536;
const TOTAL_BYTES = 64 * PIECE_BYTES;

async function goodSeederAnd(fake: (bytes: Buffer, digested: Digested) => Omit<FakeOptions, 'digested'>) {
  const alice = await startPeer('alice', { plain: true });
  const bob = await startPeer('bob', { plain: true });
  const bytes = randomBytes(TOTAL_BYTES);
  const digested = await shareFile(alice, newFile(alice, bytes), PIECE_BYTES);
  const mallory = await startFakeSeeder('mallory', { digested, ...fake(bytes, digested) });
  const request = requestFor(bob, digested, { from: [] });
  const expectWhole = async (download: Download): Promise<void> => {
    expect(await download.done).toMatchObject({ state: 'complete' });
    expect(sha1(readFileSync(request.destination))).toBe(sha1(bytes));
  };
  return { bob, request, mallory, alice: sourceOf(alice), expectWhole };
}

function peer(view: DownloadView, user: string) {
  return view.peers.find((each) => each.user === user);
}

describe.each<[string, (bytes: Buffer) => Omit<FakeOptions, 'digested'>]>([
  ['never answers', () => ({ answer: () => {} })],
  ['closes at every request', () => ({ answer: (_request, socket) => void socket.destroy() })],
  [
    'rejects everything',
    () => ({ answer: ({ piece, begin }, socket) => void socket.write(encodeFrame({ kind: 'reject', piece, begin })) }),
  ],
  [
    'sends blocks that nobody asked for',
    () => ({ answer: ({ piece }, socket) => void socket.write(blockFrame({ piece, begin: 5 }, randomBytes(100))) }),
  ],
  [
    'sends wrong bytes',
    () => ({ answer: (request, socket) => void socket.write(blockFrame(request, randomBytes(request.length))) }),
  ],
  [
    'stops in the middle of a block',
    (bytes) => ({
      answer: (request, socket) => {
        const begin = request.piece * PIECE_BYTES + request.begin;
        const frame = blockFrame(request, bytes.subarray(begin, begin + request.length));
        socket.write(frame.subarray(0, frame.length / 2));
      },
    }),
  ],
])('a source that %s', (_title, fake) => {
  it('does not keep a download from finishing', async () => {
    const { bob, request, mallory, alice, expectWhole } = await goodSeederAnd(fake);
    const download = bob.engine.download({ ...request, sources: [mallory] });
    await until(download, ({ peers }) => peers[0]?.state === 'connected' || peers[0]?.state === 'dropped');
    download.updateSources([mallory, alice]);
    await expectWhole(download);
    expect(peer(download.view(), 'mallory')?.deliveredBytes).toBe(0);
    expect(peer(download.view(), 'alice')?.deliveredBytes).toBe(TOTAL_BYTES);
  });
});

it('a source that gives out another manifest is dropped', async () => {
  const { bob, request, mallory, alice, expectWhole } = await goodSeederAnd((_bytes, digested) => ({
    answer: () => {},
    manifestBytes: digested.manifestBytes.with(digested.manifestBytes.length - 1, 0),
  }));
  const download = bob.engine.download({ ...request, sources: [mallory] });
  await until(download, ({ peers }) => peers[0]?.state === 'dropped');
  download.updateSources([mallory, alice]);
  await expectWhole(download);
});

it('a source that never gives out the whole manifest holds up nobody', async () => {
  const { bob, request, mallory, alice, expectWhole } = await goodSeederAnd(() => ({
    answer: () => {},
    // Never silent for long, so that it keeps its connection.
    keepManifest: (socket) => {
      const bytes = encodeFrame({ kind: 'manifest', totalBytes: 100_000, begin: 0, bytes: new Uint8Array(100_000) });
      let sent = 0;
      const timer = setInterval(() => socket.write(bytes.subarray(sent, ++sent)), 100);
      socket.once('close', () => clearInterval(timer));
    },
  }));
  const download = bob.engine.download({ ...request, sources: [mallory] });
  await until(download, ({ peers }) => peers[0]?.state === 'connected');
  download.updateSources([mallory, alice]);
  await expectWhole(download);
  expect(peer(download.view(), 'alice')?.deliveredBytes).toBe(TOTAL_BYTES);
});

it.each<[string, (digested: Digested) => Frame]>([
  [
    'gives out manifests that nobody asked for',
    ({ manifestBytes: bytes }) => ({ kind: 'manifest', totalBytes: bytes.length, begin: 0, bytes }),
  ],
  ['tells again and again of what it has', () => ({ kind: 'have', pieces: [1, 2, 3] })],
])('a source that %s breaks the protocol', async (_title, frameOf) => {
  const heard: Frame[] = [];
  const { bob, request, mallory } = await goodSeederAnd((_bytes, digested) => ({
    answer: (_request, socket) => void socket.write(encodeFrame(frameOf(digested))),
    heard: (frame) => void heard.push(frame),
  }));
  const download = bob.engine.download({ ...request, sources: [mallory] });
  await until(download, () => heard.some((frame) => frame.kind === 'refuse'));
  expect(heard).toContainEqual({ kind: 'refuse', code: 'protocol_error' });
  await download.cancel();
});

it('the last pieces are asked of another peer too, and the loser is told to stop', async () => {
  const cancelled: number[] = [];
  const { bob, request, mallory, alice } = await goodSeederAnd(() => ({
    answer: () => {},
    heard: (frame) => void (frame.kind === 'cancel' && cancelled.push(frame.piece)),
  }));
  const download = bob.engine.download({ ...request, sources: [mallory] });
  await until(download, ({ peers }) => peers[0]?.state === 'connected');
  download.updateSources([mallory, alice]);
  expect(await download.done).toMatchObject({ state: 'complete' });
  expect(cancelled.length).toBeGreaterThan(0);
});

it('a source that says nothing for five seconds is left, and asked again later', async () => {
  let connections = 0;
  const { bob, request, mallory } = await goodSeederAnd(() => ({
    answer: () => {},
    heard: (frame) => void (frame.kind === 'hello' && connections++),
  }));
  const download = bob.engine.download({ ...request, sources: [mallory] });
  await until(download, ({ state }) => state === 'stalled');
  expect(download.view().reason).toMatchObject({ code: 'no_seeder_online' });
  const before = connections;
  await until(download, () => connections > before);
  await download.cancel();
});
