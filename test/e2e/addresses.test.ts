import { createServer } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { StatusView } from '#wire/control-status';
import { freePorts } from '../../infra/quick-start/ports.mjs';
import { Cluster, sha1Of, type TestPeer, until } from './cluster.ts';

vi.setConfig({ testTimeout: 90_000 });

let cluster: Cluster | undefined;
afterEach(async () => {
  await cluster?.stop();
  cluster = undefined;
});

/** alice shares, bob downloads: the address that bob used. */
async function addressUsed(alice: TestPeer, bob: TestPeer): Promise<string> {
  await cluster!.group('films', alice, bob);
  const path = await cluster!.file('a.bin', 3_000_000);
  await alice.upload('films', path);
  const done = await bob.download('films', 'a.bin', bob.dataDirectory);
  expect(await sha1Of(done.path)).toBe(await sha1Of(path));
  return done.peers[0]!.address;
}

const hasIpv6 = await new Promise<boolean>((resolve) => {
  const server = createServer().once('error', () => resolve(false));
  server.listen(0, '::1', () => server.close(() => resolve(true)));
});

describe('a peer', () => {
  it('is reached where --advertise says, though it listens elsewhere', async () => {
    cluster = await Cluster.start();
    const [port] = await freePorts('127.0.0.1', [0]);
    const flags = ['--listen', `0.0.0.0:${port}`, '--advertise', `127.0.0.2:${port}`];
    const alice = await cluster.user('alice', { address: `127.0.0.1:${port}`, flags });
    const bob = await cluster.user('bob');
    expect(await addressUsed(alice, bob)).toBe(`127.0.0.2:${port}`);
  });

  it('is reached by a host name', async () => {
    cluster = await Cluster.start();
    const [port] = await freePorts('127.0.0.1', [0]);
    const alice = await cluster.user('alice', { address: `localhost:${port}` });
    const bob = await cluster.user('bob');
    expect(await addressUsed(alice, bob)).toBe(`localhost:${port}`);
  });

  it.skipIf(!hasIpv6)('is reached over IPv6, as trackers are', async () => {
    cluster = await Cluster.start({ host: '::1' });
    const alice = await cluster.user('alice');
    const bob = await cluster.user('bob');
    expect(await addressUsed(alice, bob)).toMatch(/^\[::1\]:\d+$/);
  });

  it('that others cannot reach is told so', async () => {
    cluster = await Cluster.start();
    const [free] = await freePorts('127.0.0.1', [0]);
    const alice = await cluster.user('alice', { flags: ['--advertise', `127.0.0.1:${free}`] });
    const status = await until(
      'alice is told',
      async () => {
        const view = await alice.view<StatusView>('/status');
        return view.reachable === false && view;
      },
      45_000,
    );
    expect(status.advertise).toBe(`127.0.0.1:${free}`);
    const bob = await cluster.user('bob');
    await until('bob is reachable', async () => (await bob.view<StatusView>('/status')).reachable === true, 45_000);
  });

  it('without TLS exchanges files with others without TLS, and not with those who ask for it', async () => {
    cluster = await Cluster.start();
    const alice = await cluster.user('alice', { flags: ['--plain'] });
    const bob = await cluster.user('bob', { flags: ['--plain'] });
    const carol = await cluster.user('carol');
    await addressUsed(alice, bob);
    await carol.accepted('join_group', { group: 'films' });
    await alice.accepted('accept_request', { group: 'films', user: 'carol' });
    const id = await carol.begin('films', 'a.bin', carol.dataDirectory);
    const stalled = await carol.untilTransfer(id, 'stalled', ({ state }) => state === 'stalled');
    expect(stalled.verifiedBytes).toBe(0);
  });
});
