import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { PEER_HANDSHAKE_TIMEOUT_MS } from '#wire/limits';
import type { Frame } from '#wire/transfer-frame';
import { FetchSession } from '../../../../apps/peer/src/data-plane/fetch-session.ts';
import type { LaneEvent } from '../../../../apps/peer/src/data-plane/lane-messages.ts';
import type { Source } from '../../../../apps/peer/src/swarm/transfer-engine.ts';
import { startFakeSeeder } from '../swarm/fake-seeder.ts';

beforeEach(() => vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => vi.useRealTimers());

/** A session without TLS, and what it says to the main thread. */
function dial({ peerId, addresses }: Pick<Source, 'peerId' | 'addresses'>) {
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
      say: (event) => void said.push(event),
      storeOf: () => undefined,
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
