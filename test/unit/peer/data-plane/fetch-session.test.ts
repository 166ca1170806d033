import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { PEER_HANDSHAKE_TIMEOUT_MS } from '#wire/limits';
import { FetchSession } from '../../../../apps/peer/src/data-plane/fetch-session.ts';
import type { LaneEvent } from '../../../../apps/peer/src/data-plane/lane-messages.ts';

beforeEach(() => vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => vi.useRealTimers());

it('a source that drips bytes before it has said who it is has as long for that as one that is silent', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const said: LaneEvent[] = [];
  let heardBytes = 0;
  const session = new FetchSession(
    {
      ...{ connection: 1, contentId: '', peerId: '', grant: new Uint8Array(1), groupId: 1, download: 1 },
      addresses: [{ host: '127.0.0.1', port: (server.address() as AddressInfo).port }],
    },
    {
      local: {
        ...{ peerId: '', lane: 0, laneCount: 1, plain: true, privateKey },
        publicKeyDer: publicKey.export({ type: 'spki', format: 'der' }),
      },
      secureContext: null,
      counters: { add: (_name: string, bytes: number) => (heardBytes += bytes) } as never,
      say: (event) => void said.push(event),
      storeOf: () => undefined,
      budgetOf: () => null,
      onClosed: () => undefined,
    },
  );
  const [socket] = await accepted;
  await once(socket, 'data');
  vi.advanceTimersByTime(PEER_HANDSHAKE_TIMEOUT_MS * 0.6);
  socket.write(Uint8Array.of(0));
  await vi.waitFor(() => expect(heardBytes).toBe(1));
  session.tick(performance.now());
  expect(said).toEqual([]);
  vi.advanceTimersByTime(PEER_HANDSHAKE_TIMEOUT_MS * 0.6);
  session.tick(performance.now());
  expect(said).toMatchObject([{ kind: 'closed', code: 'unreachable', detail: 'no answer to the greeting' }]);
  socket.destroy();
  server.close();
});
