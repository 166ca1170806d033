import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { BLOCK_BYTES_MAX, OUTSTANDING_BYTES_MAX, PEER_HANDSHAKE_TIMEOUT_MS } from '#wire/limits';
import { countBits } from '#domain/bitfield';
import type { Manifest } from '#domain/manifest';
import { encodeManifest } from '#wire/manifest-codec';
import { encodeFrame, type Frame } from '#wire/transfer-frame';
import { DownloadStore } from '../../../../apps/peer/src/data-plane/download-store.ts';
import { FetchSession } from '../../../../apps/peer/src/data-plane/fetch-session.ts';
import { LaneNews } from '../../../../apps/peer/src/data-plane/lane-news.ts';
import type { LaneEvent } from '../../../../apps/peer/src/data-plane/lane-messages.ts';
import type { Source } from '../../../../apps/peer/src/swarm/transfer-engine.ts';
import { partPath } from '../../../../apps/peer/src/storage/content-layout.ts';
import { preparePart } from '../../../../apps/peer/src/storage/destination.ts';
import { newFolder } from '../swarm/engine-harness.ts';
import { blockFrame, startFakeSeeder } from '../swarm/fake-seeder.ts';

beforeEach(() => vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => vi.useRealTimers());

/** A session without TLS, and what it says to the main thread. */
function dial({ peerId, addresses }: Pick<Source, 'peerId' | 'addresses'>, store?: DownloadStore) {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const said: LaneEvent[] = [];
  const heard = { bytes: 0 };
  const session = new FetchSession(
    { connection: 1, contentId: '', peerId, grant: new Uint8Array(1), groupId: 1, download: 1, addresses },
    {
      local: {
        ...{ peerId: '', lane: 0, laneCount: 1, plain: true, privateKey },
        publicKeyDer: publicKey.export({ type: 'spki', format: 'der' }),
      },
      secureContext: null,
      dialsLoopback: true,
      counters: { add: (_name: string, bytes: number) => (heard.bytes += bytes) } as never,
      news: new LaneNews((event) => void said.push(event)),
      storeOf: () => store,
      budgetOf: () => null,
      onClosed: () => undefined,
    },
  );
  return { session, said, heard };
}

it('a source that drips bytes before it has said who it is has as long for that as one that is silent', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const { port } = server.address() as AddressInfo;
  const { session, said, heard } = dial({ peerId: '', addresses: [{ host: '127.0.0.1', port }] });
  const [socket] = await accepted;
  await once(socket, 'data');
  vi.advanceTimersByTime(PEER_HANDSHAKE_TIMEOUT_MS * 0.6);
  socket.write(Uint8Array.of(0));
  await vi.waitFor(() => expect(heard.bytes).toBe(1));
  session.tick(performance.now());
  expect(said).toEqual([]);
  vi.advanceTimersByTime(PEER_HANDSHAKE_TIMEOUT_MS * 0.6);
  session.tick(performance.now());
  expect(said).toMatchObject([{ kind: 'closed', code: 'unreachable', detail: 'no answer to the greeting' }]);
  socket.destroy();
  server.close();
});

it('a source that does not answer when it is asked for the manifest is given up, however long it was silent before', async () => {
  const asked: Frame[] = [];
  const source = await startFakeSeeder('mallory', {
    digested: { manifest: { totalBytes: 1, pieceBytes: 1 } } as never,
    answer: () => {},
    keepManifest: () => {},
    heard: (frame) => void asked.push(frame),
  });
  const { session, said } = dial(source);
  await vi.waitFor(() => expect(said).toMatchObject([{ kind: 'connected' }]));
  vi.advanceTimersByTime(10_000);
  session.tick(performance.now());
  session.fetchManifest();
  session.tick(performance.now());
  expect(said).toHaveLength(1);
  await vi.waitFor(() => expect(asked.at(-1)).toMatchObject({ kind: 'askManifest' }));
  vi.advanceTimersByTime(5_001);
  session.tick(performance.now());
  expect(said.slice(1)).toMatchObject([{ kind: 'closed', code: 'stalled' }]);
});

/** A content of so many pieces, and a part on disk that they are written to. */
function contentOf(pieceCount: number, { pieceBytes = PIECE_BYTES, connectionCount = 0 } = {}) {
  const pieces = Array.from({ length: pieceCount }, () => randomBytes(pieceBytes));
  const sha1 = (bytes: Uint8Array): Buffer => createHash('sha1').update(bytes).digest();
  const whole = Buffer.concat(pieces);
  const manifest: Manifest = {
    ...{ version: 1, totalBytes: whole.length, pieceBytes, hash: 'sha1' },
    files: [{ path: '', bytes: whole.length, sha1: sha1(whole).toString('hex') }],
    pieceDigests: Buffer.concat(pieces.map(sha1)),
  };
  const encoded = encodeManifest(manifest);
  if (!encoded.ok) throw new Error(encoded.message);
  const written = {
    ...{ download: 1, contentId: createHash('sha256').update(encoded.bytes).digest('hex') },
    ...{
      manifestBytes: encoded.bytes,
      destination: join(newFolder(), 'copy'),
      verified: new Uint8Array(Math.ceil(pieceCount / 8)),
    },
  };
  const identity = preparePart({ ...written, files: manifest.files });
  const counts = BigInt64Array.of(0n, BigInt(connectionCount));
  const about = { roots: [partPath(written.destination)], identity, placed: null, counts };
  const store = new DownloadStore({ ...written, ...about });
  return { pieces, manifest, store, verifiedCount: () => countBits(written.verified) };
}

const PIECE_BYTES = 16 * 1024;

it.each([
  { connectionCount: 1, asks: 'four blocks while it knows no rate', count: 4 },
  { connectionCount: OUTSTANDING_BYTES_MAX / (2 * PIECE_BYTES), asks: 'the two that are its part', count: 2 },
  { connectionCount: OUTSTANDING_BYTES_MAX / PIECE_BYTES, asks: 'two halves', count: 2, bytes: PIECE_BYTES / 2 },
])('of a download with $connectionCount connections one asks for $asks', async (about) => {
  const { connectionCount, count, bytes = PIECE_BYTES } = about;
  const { manifest, store } = contentOf(6, { connectionCount });
  const asked: number[] = [];
  const manifestAsked = Promise.withResolvers<void>();
  const source = await startFakeSeeder('alice', {
    digested: { manifest } as never,
    answer: (request) => void asked.push(request.length),
    keepManifest: () => manifestAsked.resolve(),
  });
  const { session, said } = dial(source, store);
  await vi.waitFor(() => expect(said).toHaveLength(1));
  session.assign([0, 1, 2, 3, 4, 5], false);
  // Comes after all that was asked for before.
  session.fetchManifest();
  await manifestAsked.promise;
  expect(asked).toEqual(Array(count).fill(bytes));
  session.hangUp();
  store.close();
});

it('verified pieces are told of together while more are to come, and before whatever else is told', async () => {
  const { pieces, manifest, store, verifiedCount } = contentOf(6);
  const asking: Socket[] = [];
  const source = await startFakeSeeder('alice', {
    digested: { manifest } as never,
    answer: (_request, socket) => void asking.push(socket),
  });
  const { session, said } = dial(source, store);
  await vi.waitFor(() => expect(said).toHaveLength(1));
  session.assign([0, 1, 2, 3, 4, 5], false);
  await vi.waitFor(() => expect(asking.length).toBeGreaterThan(0));
  const deliver = async (...numbers: number[]): Promise<void> => {
    const frames = numbers.map((piece) => blockFrame({ piece, begin: 0 }, pieces[piece]!));
    asking[0]!.write(Buffer.concat(frames));
    while (verifiedCount() <= numbers.at(-1)!) await nextTurn();
  };
  const verified = (...numbers: number[]) => ({
    kind: 'delivered',
    verified: [{ kind: 'verified', connection: 1, pieces: numbers }],
  });
  await deliver(0, 1, 2);
  expect(said.splice(1)).toEqual([verified(0)]);
  vi.advanceTimersByTime(60);
  await deliver(3);
  expect(said.splice(1)).toEqual([verified(1, 2, 3)]);
  await deliver(4);
  expect(said.splice(1)).toEqual([]);
  session.recall([5]);
  expect(said.splice(1)).toMatchObject([verified(4), { kind: 'recalled' }]);
  await deliver(5);
  expect(said.splice(1)).toEqual([verified(5)]);
  session.hangUp();
  store.close();
});

/** A source of eight pieces that answers when it is told to, with a session that has asked it for the first four. */
async function askedForFour(pieceBytes = PIECE_BYTES) {
  const { pieces, manifest, store, verifiedCount } = contentOf(8, { pieceBytes });
  const heard: string[] = [];
  const asking: Socket[] = [];
  const source = await startFakeSeeder('alice', {
    digested: { manifest } as never,
    answer: ({ piece, begin }, socket) => {
      heard.push(begin === 0 ? `${piece}` : `${piece} from ${begin}`);
      asking.push(socket);
    },
    heard: (frame) => void (frame.kind === 'cancel' && heard.push(`not ${frame.piece}`)),
  });
  const { session, said } = dial(source, store);
  await vi.waitFor(() => expect(said).toHaveLength(1));
  onTestFinished(() => {
    session.hangUp();
    store.close();
  });
  session.assign([0, 1, 2, 3, 4, 5, 6], false);
  const write = (bytes: Uint8Array): void => void asking[0]!.write(bytes);
  const send = (piece: number, begin = 0): void =>
    write(blockFrame({ piece, begin }, pieces[piece]!.subarray(begin, begin + BLOCK_BYTES_MAX)));
  const reject = (piece: number, begin = 0): void => write(encodeFrame({ kind: 'reject', piece, begin }));
  const hears = (...expected: string[]) => vi.waitFor(() => expect(heard).toEqual(expected));
  return { session, said, heard, send, reject, hears, verifiedCount };
}

it('what is hurried is asked for at once, before what was asked for and did not come yet, and told of at once', async () => {
  const { session, said, send, reject, hears, heard } = await askedForFour();
  // The window of a connection whose rate is not known: the rest waits.
  await hears('0', '1', '2', '3');
  session.hurry([7]);
  session.assign([7], false);
  const asked = ['0', '1', '2', '3', 'not 0', 'not 1', 'not 2', 'not 3', '7', '4'];
  await hears(...asked);
  // On its way before it was asked back: it is as good as it would have been.
  send(0);
  for (const piece of [1, 2, 3]) reject(piece);
  send(7);
  const told = () =>
    said.flatMap((event) => (event.kind === 'delivered' ? event.verified : [])).flatMap(({ pieces }) => pieces);
  await vi.waitFor(() => expect(told()).toEqual([0, 7]));
  expect(said.filter(({ kind }) => kind === 'rejected')).toEqual([]);
  // What was not sent comes before what was never asked for.
  for (const piece of [4, 3]) send(piece);
  await vi.waitFor(() => expect(heard.slice(asked.length, asked.length + 3)).toEqual(['3', '2', '1']));
});

it('what is to come of the pieces that somebody waits for is not asked back for the last of them', async () => {
  const { session, send, reject, hears, heard } = await askedForFour();
  await hears('0', '1', '2', '3');
  session.hurry([2, 3, 6]);
  await hears('0', '1', '2', '3', 'not 0', 'not 1');
  for (const piece of [0, 1]) reject(piece);
  send(2);
  await vi.waitFor(() => expect(heard).toEqual(['0', '1', '2', '3', 'not 0', 'not 1', '6']));
});

it('a piece of which the first half came before it was asked back goes on from there', async () => {
  const { session, said, send, reject, hears, heard } = await askedForFour(2 * BLOCK_BYTES_MAX);
  const half = `from ${BLOCK_BYTES_MAX}`;
  await hears('0', `0 ${half}`, '1', `1 ${half}`);
  send(0);
  session.hurry([7]);
  session.assign([7], false);
  await vi.waitFor(() => expect(heard).toContain(`7 ${half}`));
  reject(0, BLOCK_BYTES_MAX);
  // The second half of one whose first was not sent is of no use.
  reject(1);
  send(1, BLOCK_BYTES_MAX);
  const until = heard.length;
  for (const piece of [7, 1]) for (const part of [0, BLOCK_BYTES_MAX]) send(piece, part);
  await vi.waitFor(() => expect(heard.slice(until, until + 3)).toEqual(['1', `1 ${half}`, `0 ${half}`]));
  expect(said.filter(({ kind }) => kind === 'corrupt' || kind === 'rejected' || kind === 'closed')).toEqual([]);
});

it.each([
  ['what comes in 0.3 seconds', false, 29],
  ['what comes in 0.05 seconds while somebody waits for a piece', true, 4],
])('is asked for at a time: %s', async (_, isHurried, blocks) => {
  const { pieces, manifest, store, verifiedCount } = contentOf(80, { pieceBytes: 256 * 1024 });
  const asked: number[] = [];
  const asking: Socket[] = [];
  const source = await startFakeSeeder('alice', {
    digested: { manifest } as never,
    answer: ({ piece }, socket) => {
      asked.push(piece);
      asking.push(socket);
    },
  });
  const { session, said } = dial(source, store);
  await vi.waitFor(() => expect(said).toHaveLength(1));
  session.assign([...pieces.keys()], false);
  if (isHurried) session.hurry([79]);
  vi.advanceTimersByTime(1);
  for (let count = 0; count < 29; count++) {
    while (asked.length <= count || verifiedCount() < count) await nextTurn();
    // 7.25 MiB in 295 ms.
    if (count === 28) vi.advanceTimersByTime(295);
    asking[0]!.write(blockFrame({ piece: asked[count]!, begin: 0 }, pieces[asked[count]!]!));
  }
  while (asked.length < 29 + blocks) await nextTurn();
  for (let turns = 0; turns < 20; turns++) await nextTurn();
  expect(asked).toHaveLength(29 + blocks);
  session.hangUp();
  store.close();
});
