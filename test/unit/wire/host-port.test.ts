// Facts about addresses as text.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { formatHostPort, networkOf, parseHostPort } from '#wire/host-port';

it.each([
  ['127.0.0.1:7070', '127.0.0.1', 7070],
  ['0.0.0.0:0', '0.0.0.0', 0],
  ['[::1]:7070', '::1', 7070],
  ['[::]:65535', '::', 65_535],
  ['[FE80:0:0:0:0:0:0:1]:1', 'fe80::1', 1],
  ['localhost:80', 'localhost', 80],
  ['Tracker-1.Example.org:9001', 'tracker-1.example.org', 9001],
  ['tracker_1:9001', 'tracker_1', 9001],
])('%s is an address', (text, host, port) => {
  expect(parseHostPort(text)).toEqual({ ok: true, address: { host, port } });
});

it.each([
  ['', /not host:port/],
  ['localhost', /not host:port/],
  ['::1:7070', /not host:port/],
  ['a:b:1', /not host:port/],
  ['[::1]', /not host:port/],
  ['[::1:7070', /not host:port/],
  [' localhost:1', /not a host/],
  [':7070', /not a host/],
  ['[]:1', /not a host/],
  ['[localhost]:1', /not a host/],
  ['[fe80::1%eth0]:1', /not a host/],
  ['[1::2::3]:1', /not a host/],
  ['256.1.1.1:1', /not a host/],
  ['1.2.3:1', /not a host/],
  ['01.2.3.4:1', /not a host/],
  ['example.7:1', /not a host/],
  ['a..b:1', /not a host/],
  ['-a:1', /not a host/],
  ['a-:1', /not a host/],
  ['a/b:1', /not a host/],
  [`${'a'.repeat(64)}:1`, /not a host/],
  [`${'a.'.repeat(127)}a:1`, /not a host/],
  ['localhost:', /not a port/],
  ['localhost:65536', /not a port/],
  ['localhost:-1', /not a port/],
  ['localhost:080', /not a port/],
  ['localhost:1e3', /not a port/],
  ['localhost:80 ', /not a port/],
])('"%s" is refused with what to write instead', (text, message) => {
  expect(parseHostPort(text)).toEqual({ ok: false, message: expect.stringMatching(message) });
});

const host = fc.oneof(
  fc.ipV4(),
  fc.constantFrom('::', '::1', '2001:db8::7', 'fe80::1:2'),
  fc.domain().filter((name) => parseHostPort(`${name}:1`).ok),
);

it('what is formatted is read back', () => {
  fc.assert(
    fc.property(fc.record({ host, port: fc.nat(65_535) }), (address) => {
      expect(parseHostPort(formatHostPort(address))).toEqual({ ok: true, address });
    }),
  );
});

it('whatever is read has one spelling', () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV6(), fc.domain()), (any) => {
      const parsed = parseHostPort(any.includes(':') ? `[${any}]:1` : `${any}:1`);
      if (parsed.ok) expect(parseHostPort(formatHostPort(parsed.address))).toEqual(parsed);
    }),
  );
});

it.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['', ''],
])('%s counts as %s', (address, network) => {
  expect(networkOf(address)).toBe(network);
});
