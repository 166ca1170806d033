// Owns finding ports that nothing listens on. They lie below those that systems hand out for outgoing connections (from
// 32768 on Linux, from 49152 elsewhere): a tracker that is started again on its port would otherwise now and then find it
// taken by somebody's connection. Plain JavaScript, because `npm run kafka` may be run by the host's Node.
import { createServer } from 'node:net';

const FIRST = 15_000;
const COUNT = 16_000;
const TRIES = 64;

/** Different ports on `host` that are free now, each the preferred one where that is free (0 prefers none). */
export async function freePorts(host, preferred) {
  // All are held until the last is found, so that none comes twice.
  const held = [];
  try {
    for (const port of preferred) held.push((port === 0 ? null : await listen(host, port)) ?? (await anyPort(host)));
    return held.map((server) => server.address().port);
  } finally {
    await Promise.all(held.map((server) => new Promise((resolve) => server.close(resolve))));
  }
}

async function anyPort(host) {
  for (let tries = 0; tries < TRIES; tries++) {
    const server = await listen(host, FIRST + Math.floor(Math.random() * COUNT));
    if (server !== null) return server;
  }
  throw new Error(`cannot listen on ${host}: is it an address of this machine?`);
}

/** A server on the port, or null when that is taken. */
function listen(host, port) {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(null));
    server.listen({ host, port, exclusive: true }, () => resolve(server));
  });
}
