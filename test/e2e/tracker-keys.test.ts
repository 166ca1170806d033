// A tracker whose key is not the one that a peer knows: nothing is said to it, and the person is told so wherever they look.
import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { StatusView } from '#wire/control-status';
import type { PeerEventListView } from '#wire/control-events';
import { until } from '../../infra/quick-start/until.ts';
import type { ProblemBody } from '../../infra/quick-start/control-api.ts';
import { Cluster } from './cluster.ts';

vi.setConfig({ testTimeout: 60_000 });
let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.start({ trackerCount: 1 });
}, 60_000);
afterAll(() => cluster.stop());

it('a changed key is refused, and said in /status, in an event, in a line and in the answer to a command', async () => {
  const alice = await cluster.user('alice');
  const [before] = (await alice.view<StatusView>('/status')).trackers;
  const other = `sha256:${'0a'.repeat(32)}`;
  await alice.process.stop();
  const info = await readFile(cluster.system.trackerInfo, 'utf8');
  await writeFile(cluster.system.trackerInfo, info.replace(before!.fingerprint!, other));
  await alice.restart();
  const refused = async (): Promise<boolean> =>
    (await alice.view<StatusView>('/status')).trackers[0]?.state === 'refused';
  await until('the tracker is refused', refused);
  const detail =
    `The tracker at ${before!.address} shows the key ${before!.fingerprint}, not ${other}: it is not trusted. ` +
    'If its key was changed on purpose, correct its line in tracker_info.txt, or, when that names no key, stop this peer, ' +
    'remove known-trackers.json from its data directory, and start it again.';
  const status = await alice.view<StatusView>('/status');
  expect(status.trackers).toMatchObject([{ fingerprint: other, trouble: { reason: 'key_changed', detail } }]);
  expect(status.outage).toEqual({ code: 'tracker_unavailable', detail });
  const { items } = await alice.view<PeerEventListView>('/events?since=0&timeout=0');
  const keys = { expected: other.slice(7), shown: before!.fingerprint!.slice(7) };
  expect(items).toContainEqual(
    expect.objectContaining({ type: 'tracker_key_changed', data: { address: before!.address, ...keys, detail } }),
  );
  const answer = await alice.control.command<ProblemBody>('create_group', { group: 'g' });
  expect([answer.status, answer.body.code, answer.body.detail]).toEqual([503, 'tracker_unavailable', detail]);
  expect(alice.process.output).toContain(detail);
  expect(alice.process.output).toContain(
    `tracker_info.txt gives ${other} for ${before!.address}, which showed ${before!.fingerprint} before: only ${other} is trusted`,
  );
  await writeFile(cluster.system.trackerInfo, info);
});
