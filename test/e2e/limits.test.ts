// Limits of whole peers: set by flags, over HTTP and on the command line, kept over restarts, and holding for what is under way.
import { mkdir } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { TransferView } from '#wire/control-api';
import type { LimitsBody } from '#wire/control-limits';
import { runCohort } from '../../infra/quick-start/node-process.ts';
import { Cluster, sha1Of, type TestPeer, until } from './cluster.ts';

vi.setConfig({ testTimeout: 90_000 });

const MIB = 1024 * 1024;
const NONE = { uploadBytesPerSecond: null, downloadBytesPerSecond: null, activeTransfers: null, groups: [] };
const SLOW = 2048;
const FLAGS = ['--upload-limit', '100MB', '--active-transfers', '5'];
let cluster: Cluster;
let alice: TestPeer;
let bob: TestPeer;

beforeAll(async () => {
  cluster = await Cluster.start();
  alice = await cluster.user('alice');
  bob = await cluster.user('bob', { flags: FLAGS });
  await cluster.group('films', alice, bob);
  for (const name of ['one', 'two', 'three', 'four', 'five', 'six'])
    await alice.upload('films', await cluster.file(name, 2 * MIB));
}, 120_000);
afterAll(() => cluster.stop());

async function folder(name: string): Promise<string> {
  const path = cluster.path(name);
  await mkdir(path, { recursive: true });
  return path;
}

const limit = (peer: TestPeer, limits: object) => peer.control.request<LimitsBody>('PUT', '/limits', { body: limits });

function cohort(...words: string[]): Promise<string> {
  return runCohort(['--data-dir', bob.dataDirectory, ...words]);
}

it('flags, the endpoint and the command line say the same limits', async () => {
  const started = { ...NONE, uploadBytesPerSecond: 100_000_000, activeTransfers: 5 };
  expect(await bob.view('/limits')).toEqual(started);
  const films = { group: 'films', uploadBytesPerSecond: null, downloadBytesPerSecond: 5_000_000 };
  expect(await limit(bob, { ...started, groups: [films] })).toMatchObject({ status: 200, body: { groups: [films] } });
  expect(await cohort('limits')).toMatch(/everything +100MB\/s +none\n.*films +none +5MB\/s\n\nactive transfers  5\n/);
  await cohort('limits', '--upload', 'none', '--active', '7');
  await cohort('limits', '--group', 'films', '--download', 'none');
  expect(await bob.view('/limits')).toEqual({ ...NONE, activeTransfers: 7 });
  expect(await limit(bob, { activeTransfers: 0 })).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
});

it('downloads wait for their turn in order, over a restart too, and go on faster when the limit is taken away', async () => {
  await limit(bob, { ...NONE, downloadBytesPerSecond: SLOW, activeTransfers: 1 });
  const destination = await folder('queue');
  const ids: string[] = [];
  for (const name of ['one', 'two', 'three']) ids.push(await bob.begin('films', name, destination));
  const states = () => Promise.all(ids.map(async (id) => (await bob.transfer(id)).state));
  await bob.untilTransfer(
    ids[0]!,
    'downloading',
    ({ state, bytesPerSecond }) => state === 'downloading' && bytesPerSecond > 0,
  );
  expect(await states()).toEqual(['downloading', 'queued', 'queued']);

  await bob.process.kill();
  await bob.restart();
  // The flags come before what was kept.
  expect(await bob.view('/limits')).toMatchObject({ uploadBytesPerSecond: 100_000_000, activeTransfers: 5 });
  expect(await bob.view('/limits')).toMatchObject({ downloadBytesPerSecond: SLOW });
  await limit(bob, { ...NONE, downloadBytesPerSecond: SLOW, activeTransfers: 1 });
  await bob.untilTransfer(ids[0]!, 'downloading', ({ state }) => state === 'downloading');
  expect(await states()).toEqual(['downloading', 'queued', 'queued']);

  await limit(bob, { ...NONE, activeTransfers: 1 });
  for (const [number, name] of ['one', 'two', 'three'].entries()) {
    const { path } = await bob.untilTransfer(ids[number]!, 'complete', ({ state }) => state === 'complete');
    expect(await sha1Of(path)).toBe(await sha1Of(cluster.path(name)));
  }
});

it('waiting for a download waits through the queue', async () => {
  await limit(bob, { ...NONE, downloadBytesPerSecond: SLOW, activeTransfers: 1 });
  const destination = await folder('waited');
  await bob.begin('films', 'four', destination);
  const waited = bob.download('films', 'five', destination);
  const queued = async (): Promise<readonly string[]> =>
    (await bob.list<TransferView>('/transfers')).filter(({ state }) => state === 'queued').map(({ file }) => file);
  await until('only the second one is queued', async () => (await queued()).join() === 'five');
  await limit(bob, NONE);
  expect(await waited).toMatchObject({ state: 'complete', verifiedBytes: 2 * MIB });
});

it('a limited upload of a group delivers the file as it is', async () => {
  const films = { group: 'films', uploadBytesPerSecond: 4 * MIB, downloadBytesPerSecond: null };
  await limit(alice, { ...NONE, groups: [films] });
  await limit(bob, NONE);
  const { path } = await bob.download('films', 'six', await folder('group'));
  expect(await sha1Of(path)).toBe(await sha1Of(cluster.path('six')));
});
