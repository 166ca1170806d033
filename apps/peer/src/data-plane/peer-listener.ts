// Owns the socket that other peers dial, in one worker. Several workers share one port where the platform can do that; the
// kernel then spreads the connections. Connections without a grant yet, and all together, have a maximum.
import { createServer as createPlainServer, type ListenOptions, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { idOfSocket, mutualTlsOptions } from '#identity/tls';
import { networkOf } from '#wire/host-port';
import { PEER_CONNECTIONS_MAX, PEER_HANDSHAKE_TIMEOUT_MS, PEER_HANDSHAKES_PER_ADDRESS_MAX } from '#wire/limits';
import type { LaneListen, LaneStart } from './lane-messages.ts';

/** Starts to accept. Resolves with the port, rejects with the error of the system. */
export async function listenForPeers(
  start: LaneStart,
  listen: LaneListen,
  onConnection: (socket: Socket) => void,
): Promise<{ readonly server: Server; readonly port: number }> {
  const { host, port, shared } = listen;
  if (listen.probe) await probePort({ host, port });
  const server = start.plain ? createPlainServer(onConnection) : newTlsServer(start, onConnection);
  server.maxConnections = PEER_CONNECTIONS_MAX;
  await startListening(server, { host, port, reusePort: shared });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the listener has no port');
  return { server, port: address.port };
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

function newTlsServer(start: LaneStart, onConnection: (socket: Socket) => void): Server {
  const server = createTlsServer({ ...mutualTlsOptions(start), handshakeTimeout: PEER_HANDSHAKE_TIMEOUT_MS });
  const silent = boundSilent(server);
  server.on('secureConnection', (socket) => {
    silent.delete(placeOf(socket));
    // Who shows no Ed25519 key is nobody: there is nothing to say to them.
    if (idOfSocket(socket) === null) socket.destroy();
    else onConnection(socket);
  });
  // A caller that fails the handshake is no concern of anybody else.
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  return server;
}

/**
 * Ends connections beyond what one remote address may have in the middle of the TLS handshake, so that silent ones do not take
 * the places of all. Returns the places (network, address and port) that are in it; who is through is to be taken out.
 */
function boundSilent(server: Server): Set<string> {
  const silent = new Set<string>();
  server.on('connection', (socket: Socket) => {
    const [place, prefix] = [placeOf(socket), `${networkOf(socket.remoteAddress ?? '')} `];
    const ofAddress = [...silent].filter((each) => each.startsWith(prefix)).length;
    if (ofAddress >= PEER_HANDSHAKES_PER_ADDRESS_MAX) return void socket.destroy();
    silent.add(place);
    socket.once('close', () => silent.delete(place));
  });
  return silent;
}

function placeOf({ remoteAddress, remotePort }: Socket): string {
  return `${networkOf(remoteAddress ?? '')} ${remoteAddress} ${remotePort}`;
}
