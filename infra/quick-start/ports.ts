// Owns finding ports that nothing listens on. A port found free can be taken by another process before it is used; who
// uses it then fails with a sentence that says so.
import { type AddressInfo, createServer, type Server } from 'node:net';

/** Different ports on `host` that are free now, each the preferred one where that is free (0 prefers none). */
export async function freePorts(host: string, preferred: readonly number[]): Promise<number[]> {
  // All are held until the last is found, so that none comes twice.
  const held: Server[] = [];
  try {
    for (const port of preferred) held.push((await listen(host, port)) ?? (await anyPort(host)));
    return held.map((server) => (server.address() as AddressInfo).port);
  } finally {
    await Promise.all(held.map((server) => new Promise((resolve) => server.close(resolve))));
  }
}

async function anyPort(host: string): Promise<Server> {
  const server = await listen(host, 0);
  if (server === null) throw new Error(`cannot listen on ${host}: is it an address of this machine?`);
  return server;
}

/** A server on the port, or null when that is taken. */
function listen(host: string, port: number): Promise<Server | null> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(null));
    server.listen({ host, port, exclusive: true }, () => resolve(server));
  });
}
