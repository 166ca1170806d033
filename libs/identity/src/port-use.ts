// Owns finding out whether a server could listen at an address, before one is started there.
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { HostPort } from '#wire/host-port';

/** Why nobody can listen at an address now, in the system's word (`EADDRINUSE`, `EADDRNOTAVAIL`), or null when one can. */
export async function listenTrouble({ host, port }: HostPort): Promise<string | null> {
  const server = createServer();
  try {
    server.listen({ host, port });
    await once(server, 'listening');
    return null;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  } finally {
    server.close();
  }
}
