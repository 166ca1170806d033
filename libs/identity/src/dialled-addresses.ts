// Owns which addresses are never dialled. Addresses of peers come from other users, and a program that connects wherever it is
// told is a way into the networks that it stands in. Private networks are allowed: groups share files in them.
import { BlockList, isIP, isIPv6 } from 'node:net';

const forbidden = new BlockList();
addIpv4(forbidden, [0, 0], 8);
// Link-local; the metadata of cloud machines lives there.
addIpv4(forbidden, [169, 254], 16);
addIpv4(forbidden, [224, 0], 3);
forbidden.addAddress('::', 'ipv6');
forbidden.addSubnet('fe80::', 10, 'ipv6');
forbidden.addSubnet('ff00::', 8, 'ipv6');
forbidden.addAddress('fd00:ec2::254', 'ipv6');

const loopback = new BlockList();
addIpv4(loopback, [127, 0], 8);
loopback.addAddress('::1', 'ipv6');

/**
 * An IPv4 network, also as IPv6 addresses that lead to it: by translators (RFC 6052, the well-known prefix; RFC 7915), by 6to4
 * (RFC 3056), and in the old spelling (RFC 4291, 2.5.5.1). A list itself knows those that are mapped, `::ffff:a.b.c.d`.
 */
function addIpv4(list: BlockList, [first, second]: readonly [number, number], prefix: number): void {
  const group = (first * 256 + second).toString(16);
  list.addSubnet(`${first}.${second}.0.0`, prefix, 'ipv4');
  // In the old spelling 0.0.0.0/8 would be loopback, too.
  for (const before of ['64:ff9b::', '::ffff:0:', ...(first === 0 ? [] : ['::'])]) {
    list.addSubnet(`${before}${group}:0`, 96 + prefix, 'ipv6');
  }
  list.addSubnet(`2002:${group}::`, 16 + prefix, 'ipv6');
}

/** Lowest port that a peer is dialled at: what stands below was meant for other protocols. */
export const DIALLED_PORT_MIN = 1024;

/** Whether a peer can be there: not at link-local, multicast or unspecified addresses, nor at those of cloud metadata. */
export function mayDial(ip: string, port: number): boolean {
  return port >= DIALLED_PORT_MIN && !isListed(forbidden, ip);
}

/** Whether a host is this machine itself, by an address of loopback or by the name that everybody has for it. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || (isIP(host) !== 0 && isListed(loopback, host));
}

/** Whether a list has an IP address, also one of IPv4 that is written as IPv6. */
function isListed(list: BlockList, ip: string): boolean {
  return list.check(ip, isIPv6(ip) ? 'ipv6' : 'ipv4');
}
