// The decoy of `npm run bench:hostile`: a process with a port for each thing that is spoken, behind which nobody good is served.
// The same attack on it costs the machine what the attack itself costs, and the door that is measured nothing.
import { createServer as createHttpServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import { constants, setPriority } from 'node:os';
import { createServer as createTlsServer } from 'node:tls';
import { idOfSocket, mutualTlsOptions } from '#identity/tls';
import type { HostileTarget } from './hostile-process.ts';
import { newIdentity } from './new-identity.ts';

/** The ports of the decoy. */
export type DecoyPorts = Readonly<Record<HostileTarget['speaks'], number>>;

setPriority(constants.priority.PRIORITY_LOW);
process.on('disconnect', () => process.exit());
const options = mutualTlsOptions(await newIdentity());
const tlsServer = createTlsServer(options, (socket) => {
  socket.on('error', () => undefined).resume();
  if (idOfSocket(socket) === null) socket.destroy();
});
tlsServer.on('tlsClientError', (_error, socket) => socket.destroy());
const httpServer = createHttpServer((_request, response) => response.writeHead(401).end());
const [tls, http] = [await portOf(tlsServer), await portOf(httpServer)];
process.send!({ rpc: tls, frames: tls, http } satisfies DecoyPorts);

async function portOf(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}
