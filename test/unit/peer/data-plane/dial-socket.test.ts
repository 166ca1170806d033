import { once } from 'node:events';
import { type AddressInfo, createServer, type LookupFunction } from 'node:net';
import { createSecureContext } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { DIALLED_PORT_MIN } from '#identity/dialled-addresses';
import { dialSocket, lookupFor } from '../../../../apps/peer/src/data-plane/dial-socket.ts';

/** What becomes of a dial that nothing but its address ends. */
function ended(host: string, port: number, { isTls = false, dialsLoopback = true }): Promise<string> {
  return new Promise((resolve) => {
    dialSocket(
      { host, port },
      {
        secureContext: isTls ? createSecureContext() : null,
        dialsLoopback,
        nextBuffer: () => new Uint8Array(1),
        onBytes: () => undefined,
        timeoutMs: 60_000,
        onReady: () => resolve('connected'),
        onEnd: resolve,
      },
    );
  });
}

describe.each([true, false])('with TLS: %s', (isTls) => {
  it.each([
    ['169.254.169.254', 8080],
    ['::ffff:169.254.169.254', 8080],
    ['64:ff9b::a9fe:a9fe', 8080],
    ['64:ff9b::169.254.169.254', 8080],
    ['64:ff9b::e000:1', 9101],
    ['64:ff9b::1', 9101],
    ['::ffff:0:a9fe:a9fe', 8080],
    ['::169.254.169.254', 8080],
    ['2002:a9fe:a9fe::1', 8080],
    ['2002:e000:1::', 9101],
    ['fe80::1', 9101],
    ['fd00:ec2::254', 9101],
    ['0.0.0.0', 9101],
    ['::', 9101],
    ['224.0.0.1', 9101],
    ['127.0.0.1', 22],
    ['localhost', 1023],
    ['127.0.0.1', 0],
  ])('%s, port %i, is not dialled', async (host, port) => {
    expect(await ended(host, port, { isTls })).toBe(`no peer is at ${host}, port ${port}`);
  });
});

it('a peer on this machine is dialled by one that is there, too', async () => {
  const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  expect(await ended('localhost', (server.address() as AddressInfo).port, {})).toBe('connected');
  server.close();
  for (const host of ['127.0.0.1', '::1']) {
    expect(await ended(host, DIALLED_PORT_MIN, {}), host).not.toMatch(/^no peer is at/);
  }
});

it.each([
  ...['127.0.0.1', '127.8.9.10', '::1', '::ffff:127.0.0.1', 'localhost'],
  ...['64:ff9b::7f00:1', '::ffff:0:7f00:1', '2002:7f08:90a::1'],
])('%s is not dialled by a peer that is elsewhere itself', async (host) => {
  expect(await ended(host, 9101, { dialsLoopback: false })).toBe(`no peer is at ${host}, port 9101`);
});

it('a name is not dialled when any of its addresses must not be', () => {
  const answers = (addresses: string[]): LookupFunction => {
    const found = addresses.map((address) => ({ address, family: 4 }));
    return lookupFor({ port: 9101, dialsLoopback: false }, (_name, _options, callback) => callback(null, found));
  };
  const refusalOf = (addresses: string[]): string | undefined => {
    let refusal: string | undefined;
    answers(addresses)('peer.example', { all: true }, (error) => (refusal = error?.message));
    return refusal;
  };
  expect(refusalOf(['192.0.2.1', '10.0.0.1'])).toBeUndefined();
  expect(refusalOf(['192.0.2.1', '169.254.169.254'])).toBe('no peer is at peer.example, port 9101');
  expect(refusalOf(['192.0.2.1', '127.0.0.1'])).toBe('no peer is at peer.example, port 9101');
});
