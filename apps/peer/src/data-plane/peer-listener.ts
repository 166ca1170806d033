// Owns the socket that other peers dial, in one worker. Several workers share one port where the platform can do that; the
// kernel then spreads the connections. All connections together have a maximum, and so have those without a grant, whether they
// are in the middle of the TLS handshake or behind it: there the oldest one gives way.
import { createServer as createPlainServer, type ListenOptions, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { Door } from '#identity/door';
import { idOfSocket, mutualTlsOptions } from '#identity/tls';
import {
  PEER_CONNECTIONS_MAX,
  PEER_HANDSHAKE_TIMEOUT_MS,
  PEER_HANDSHAKES_MAX,
  PEER_HANDSHAKES_PER_ADDRESS_MAX,
} from '#wire/limits';
import type { LaneCounters } from './lane-counters.ts';
import type { LaneListen, LaneStart } from './lane-messages.ts';

/** Who is told of connections, and where refusals are counted. */
export interface ListenerContext {
  readonly counters: LaneCounters;
  /** `onAdmitted` is to be called when its grant was accepted: it gives way to nobody from then on. */
  readonly onConnection: (socket: Socket, onAdmitted: () => void) => void;
}

/** A listener that accepts. */
export interface PeerListener {
  readonly port: number;
  /** Accepts nobody any more; resolves when all who were handed over are gone. */
  readonly close: () => Promise<void>;
}

/** Starts to accept. Rejects with the error of the system. */
export async function listenForPeers(
  start: LaneStart,
  listen: LaneListen,
  context: ListenerContext,
): Promise<PeerListener> {
  const { host, port, shared } = listen;
  if (listen.probe) await probePort({ host, port });
  const { server, door } = start.plain ? newPlainServer(context) : newTlsServer(start, context);
  await startListening(server, { host, port, reusePort: shared });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the listener has no port');
  const close = (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    door.close();
    return closed;
  };
  return { port: address.port, close };
}

async function probePort(options: ListenOptions): Promise<void> {
  const probe = createPlainServer();
  await startListening(probe, options);
  await new Promise((resolve) => probe.close(resolve));
}

function startListening(server: Server, options: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

interface GuardedServer {
  readonly server: Server;
  readonly door: Door;
}

function newPlainServer({ counters, onConnection }: ListenerContext): GuardedServer {
  const server = createPlainServer((socket) => onConnection(socket, () => door.admit(socket)));
  const door = doorOf(server, counters);
  return { server, door };
}

function newTlsServer(start: LaneStart, { counters, onConnection }: ListenerContext): GuardedServer {
  const server = createTlsServer({ ...mutualTlsOptions(start), handshakeTimeout: PEER_HANDSHAKE_TIMEOUT_MS });
  const door = doorOf(server, counters);
  server.on('secureConnection', (socket) => {
    if (idOfSocket(socket) !== null) return onConnection(socket, () => door.admit(socket));
    // Who shows no Ed25519 key is nobody: there is nothing to say to them.
    counters.refuse('wrong_key');
    socket.destroy();
  });
  // A caller that fails the handshake is no concern of anybody else.
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
    // Who goes by itself, or gave way, was not refused for its handshake.
    if (error.code !== 'ECONNRESET') counters.refuse('handshake_failed');
    socket.destroy();
  });
  return { server, door };
}

function doorOf(server: Server, counters: LaneCounters): Door {
  return new Door(server, {
    places: { placesMax: PEER_CONNECTIONS_MAX, perNetworkMax: PEER_CONNECTIONS_MAX },
    strangers: { placesMax: PEER_HANDSHAKES_MAX, perNetworkMax: PEER_HANDSHAKES_PER_ADDRESS_MAX },
    silenceMs: PEER_HANDSHAKE_TIMEOUT_MS,
    sentAway: (why) => counters.refuse(why === 'no_room' ? 'too_many_connections' : 'handshake_failed'),
  });
}
