// Owns the text form of an address: `host:port` with a name, an IPv4 address, or an IPv6 address in brackets. Hosts come
// out in one spelling (lowercase, IPv6 compressed), so that equal addresses are equal texts.

/** Where something listens; `host` has no brackets, port 0 asks for a free one. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** An address, or a sentence that says why the text is none. */
export type ParsedHostPort =
  { readonly ok: true; readonly address: HostPort } | { readonly ok: false; readonly message: string };

const HOST_CHARACTERS_MAX = 253;
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;

/** Reads `127.0.0.1:7070`, `[::1]:7070` or `name.example:7070`. The message is a whole sentence that names the fix. */
export function parseHostPort(text: string): ParsedHostPort {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):([^:]*)$/.exec(text);
  if (match === null) return failed(`"${text}" is not host:port; write it like 127.0.0.1:7070 or [::1]:7070.`);
  const [, bracketed, bare, portText] = match;
  const host = bracketed === undefined ? parseNameOrIpv4(bare ?? '') : parseIpv6(bracketed);
  if (host === null) {
    return failed(
      `"${bracketed ?? bare}" is not a host; give a name, an IPv4 address, or an IPv6 address in brackets.`,
    );
  }
  const port = parsePort(portText ?? '');
  if (port === null) return failed(`"${portText}" is not a port; give a number from 0 to 65535.`);
  return { ok: true, address: { host, port } };
}

/** The text that `parseHostPort` reads back. */
export function formatHostPort({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * What a limit for each remote address counts by: an IPv4 address as it is, also one written as IPv6, and of an IPv6 address
 * the network (/64), because one machine has as many addresses in it as it wants. Anything else stays as it is.
 */
export function networkOf(address: string): string {
  const ipv6 = address.includes(':') ? parseIpv6(address.replace(/%.*$/, '')) : null;
  if (ipv6 === null) return address;
  const [head = '', tail] = ipv6.split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const zeros = tail === undefined ? 0 : 8 - groups(head).length - groups(tail).length;
  const all = [...groups(head), ...Array<string>(zeros).fill('0'), ...groups(tail ?? '')];
  if (all.slice(0, 6).join() !== '0,0,0,0,0,ffff') return `${all.slice(0, 4).join(':')}::/64`;
  return all
    .slice(6)
    .flatMap((group) => [parseInt(group, 16) >> 8, parseInt(group, 16) & 0xff])
    .join('.');
}

/** A port number in plain decimal digits, 0 to 65535, or null. */
function parsePort(text: string): number | null {
  if (!/^(?:0|[1-9][0-9]{0,4})$/.test(text)) return null;
  const port = Number(text);
  return port <= 65_535 ? port : null;
}

function parseNameOrIpv4(text: string): string | null {
  const host = text.toLowerCase();
  if (host.length > HOST_CHARACTERS_MAX) return null;
  const labels = host.split('.');
  // What ends in a number is taken for an IPv4 address everywhere, so it has to be a plain one.
  if (/^[0-9]+$/.test(labels.at(-1) ?? '')) return isIpv4(labels) ? host : null;
  return labels.every((label) => LABEL.test(label)) ? host : null;
}

function isIpv4(labels: readonly string[]): boolean {
  return labels.length === 4 && labels.every((label) => /^(?:0|[1-9][0-9]{0,2})$/.test(label) && Number(label) <= 255);
}

/** An IPv6 address in its shortest spelling, or null. A zone (`%eth0`) names an interface of one machine: refused. */
function parseIpv6(text: string): string | null {
  const url = /^[0-9a-fA-F:.]+$/.test(text) ? URL.parse(`http://[${text}]/`) : null;
  return url === null ? null : url.hostname.slice(1, -1);
}

function failed(message: string): ParsedHostPort {
  return { ok: false, message };
}
