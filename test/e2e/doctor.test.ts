import { chmod, rename, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { StatusView } from '#wire/control-status';
import type { Finding } from '../../apps/peer/src/cli/doctor/finding.ts';
import { Cluster, type TestPeer } from './cluster.ts';
import { cohort, type Typed } from './typed-commands.ts';

vi.setConfig({ testTimeout: 60_000 });

let cluster: Cluster;
let peer: TestPeer;

beforeAll(async () => {
  cluster = await Cluster.start();
  peer = await cluster.user('ann');
  await peer.view('/groups');
}, 120_000);
afterAll(() => cluster.stop());

const doctor = (...words: string[]): Promise<Typed> => cohort(['doctor', '--data-dir', peer.dataDirectory, ...words]);

/** What is wrong or doubtful, as `state check: detail`. */
async function troubles(...words: string[]): Promise<readonly string[]> {
  const { out } = await doctor('--json', ...words);
  const { findings } = JSON.parse(out) as { findings: Finding[] };
  return findings
    .filter(({ state }) => state === 'warning' || state === 'problem')
    .map(({ state, check, detail }) => `${state} ${check}: ${detail}`);
}

it('finds nothing wrong with a set-up that works', async () => {
  const reachable = async (): Promise<boolean> =>
    (await peer.view<{ reachable: boolean | null }>('/status')).reachable === true;
  await vi.waitUntil(reachable, { timeout: 20_000 });
  const { exitCode, out, complaint } = await doctor();
  expect({ exitCode, out, complaint }).toMatchObject({ exitCode: 0, complaint: '' });
  expect(out.split('\n').at(-2)).toBe('Everything is as it should be.');
  for (const check of ['Node', 'data directory', 'control token', 'peer', 'reachable', 'session', 'log', 'clock']) {
    expect(out).toMatch(new RegExp(`^ok +${check} `, 'm'));
  }
  for (const { address } of cluster.system.trackers) expect(out).toMatch(new RegExp(`^ok +tracker ${address} `, 'm'));
});

it('says who is away, and that nothing is wrong with the others', async () => {
  const [, second] = cluster.system.trackers;
  await second!.process.stop();
  const { exitCode, out } = await doctor();
  expect(exitCode).toBe(69);
  expect(out).toMatch(
    new RegExp(`^PROBLEM +tracker ${second!.address} +Nothing listens there[^\n]*\n +Start the tracker`, 'm'),
  );
  expect(out).toMatch(/^1 problem found\.$/m);
  await cluster.system.restartTracker(2);
  const isBack = async (): Promise<boolean> =>
    (await peer.view<StatusView>('/status')).trackers.every(({ state }) => state === 'ready');
  await vi.waitUntil(isBack, { timeout: 20_000 });
});

it('says which key a tracker shows that should have another one', async () => {
  const [first, second] = cluster.system.trackers;
  const file = cluster.path('other-keys.txt');
  await writeFile(file, `${first!.address} sha256:${'ab'.repeat(32)}\n${second!.address}\n`);
  const found = await troubles(file);
  expect(found).toEqual([
    expect.stringMatching(`^problem tracker ${first!.address}: It shows the key sha256:[0-9a-f]{64}, and tracker_info`),
  ]);
});

it('names every line of tracker_info.txt that is wrong', async () => {
  const file = cluster.path('wrong.txt');
  await writeFile(file, '127.0.0.1:9001\nnowhere\n');
  expect(await troubles(file)).toEqual([expect.stringMatching(/^problem tracker_info\.txt: .*wrong\.txt:2: /)]);
});

it('knows what others may read', async () => {
  const token = join(peer.dataDirectory, 'control-token');
  await chmod(token, 0o644);
  expect(await troubles()).toEqual([
    expect.stringMatching(/^problem control token: Others on this machine can use .*mode 644/),
  ]);
  await chmod(token, 0o600);
});

it('knows which process holds a data directory, when that does not answer', async () => {
  const control = join(peer.dataDirectory, 'control.json');
  await rename(control, `${control}.away`);
  const found = await troubles();
  expect(found[0]).toMatch(/^problem peer: The process \d+ \(\S+\) holds /);
  await rename(`${control}.away`, control);
});

it('looks at what it can when the peer is down: ports, session, trackers that it remembers', async () => {
  await peer.process.stop();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const { exitCode, out } = await doctor('--control', `127.0.0.1:${port}`, '127.0.0.1:0');
  server.close();
  expect(exitCode).toBe(69);
  expect(out).toMatch(/^PROBLEM +peer +No peer runs on /m);
  expect(out).toMatch(
    new RegExp(`^PROBLEM +control port +127\\.0\\.0\\.1:${port} is in use by process ${process.pid} `, 'm'),
  );
  expect(out).toMatch(/^ok +peers' port +127\.0\.0\.1:0 is free/m);
  expect(out).toMatch(/^ok +session +ann is logged in until /m);
  for (const { address } of cluster.system.trackers) expect(out).toMatch(new RegExp(`^ok +tracker ${address} `, 'm'));
  await peer.restart();
});

it('says of a folder that no peer has run on that there is none', async () => {
  const { exitCode, out } = await cohort(['doctor', '--data-dir', cluster.path('nobody')]);
  expect(exitCode).toBe(69);
  expect(out).toMatch(/^PROBLEM +data directory +There is no folder /m);
});
