import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { mayTry, Reachability } from '../../../../apps/tracker/src/presence/reachability.ts';

describe('reachability', () => {
  it.each([
    ['169.254.169.254', '169.254.1.1'],
    ['fe80::1', 'fe80::2'],
    ['fd00:ec2::254', '10.0.0.1'],
    ['0.0.0.0', '127.0.0.1'],
    ['::', '::1'],
    ['224.0.0.1', '10.0.0.1'],
    ['255.255.255.255', '10.0.0.1'],
    ['127.0.0.1', '10.0.0.1'],
    ['::1', '192.0.2.1'],
    ['::ffff:169.254.169.254', '10.0.0.1'],
    ['::ffff:127.0.0.1', '10.0.0.1'],
  ])('%s is never tried for a peer from %s', (ip, askedFrom) => {
    expect(mayTry({ ip, port: 9101 }, askedFrom)).toBe(false);
  });

  it.each([
    ['192.0.2.7', '198.51.100.1'],
    ['10.1.2.3', '10.0.0.1'],
    ['127.0.0.1', '127.0.0.1'],
    ['127.0.0.1', '::ffff:127.0.0.1'],
    ['::1', '127.0.0.1'],
    ['2001:db8::1', '2001:db8::2'],
  ])('%s may be tried for a peer from %s', (ip, askedFrom) => {
    expect(mayTry({ ip, port: 9101 }, askedFrom)).toBe(true);
  });

  it('is not tried at a port that is meant for something else', () => {
    expect([22, 80, 1023, 1024].filter((port) => mayTry({ ip: '192.0.2.7', port }, '198.51.100.1'))).toEqual([1024]);
  });

  it('is unknown at first, then true for what listens and false for what does not', async () => {
    const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    let nowMs = 0;
    const reachability = new Reachability({ now: () => nowMs, mayBegin: () => true });
    const question = { address, askedFrom: '127.0.0.1' };
    expect(reachability.ask(question)).toBeNull();
    await vi.waitFor(() => expect(reachability.ask(question)).toBe(true));
    server.close();
    await once(server, 'close');
    expect(reachability.ask(question)).toBe(true);
    nowMs += 60_001;
    await vi.waitFor(() => expect(reachability.ask(question)).toBe(false));
  });

  it('is not found out for who has asked too often', async () => {
    const asked: string[] = [];
    const mayBegin = (askedFrom: string): boolean => asked.push(askedFrom) > 1;
    const reachability = new Reachability({ now: () => 0, mayBegin });
    const question = { address: '127.0.0.1:1', askedFrom: '127.0.0.1' };
    expect(reachability.ask(question)).toBeNull();
    expect(asked).toEqual(['127.0.0.1']);
    await vi.waitFor(() => expect(reachability.ask(question)).toBe(false));
  });
});
