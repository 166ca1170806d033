// Owns which addresses are never dialled. Addresses of peers come from other users, and a program that connects wherever it is
// told is a way into the networks that it stands in. Private networks are allowed: groups share files in them.
import { BlockList, isIP, isIPv6 } from 'node:net';

const forbidden = new BlockList();
forbidden.addSubnet('0.0.0.0', 8, 'ipv4');
// Link-local; the metadata of cloud machines lives there.
forbidden.addSubnet('169.254.0.0', 16, 'ipv4');
forbidden.addSubnet('224.0.0.0', 3, 'ipv4');
forbidden.addAddress('::', 'ipv6');
forbidden.addSubnet('fe80::', 10, 'ipv6');
forbidden.addSubnet('ff00::', 8, 'ipv6');
forbidden.addAddress('fd00:ec2::254', 'ipv6');

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

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
