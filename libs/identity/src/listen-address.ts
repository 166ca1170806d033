// Owns where a server listens that is told a name. A name can stand for several addresses, and a framework makes a server for each
// of them that has no door and no limits; and at an address that nobody listens at, somebody else may answer to the name.
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { HostPort } from '#wire/host-port';

/** The first address that a name stands for; an address is its own. Rejects with the error of the system for an unknown name. */
export async function listenAddressOf({ host, port }: HostPort): Promise<HostPort> {
  return { host: isIP(host) === 0 ? (await lookup(host)).address : host, port };
}
