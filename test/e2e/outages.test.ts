// What works and what is said while trackers, or the embedded log under them, are away, stuck, full or replaced: whole systems,
// real processes, real files. The lines about Kafka are in outages.kafka.test.ts.
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { GroupItem } from '#wire/control-api';
import type { StatusView } from '#wire/control-status';
import { NodeProcess } from '../../infra/quick-start/node-process.ts';
import { digestsAtSameOffset } from '../../infra/quick-start/tracker-status.ts';
import { Cluster, type TestPeer, until } from './cluster.ts';
import {
  cohort,
  fails,
  mounted,
  outagesTold,
  remounted,
  troubleOf,
  unmount,
  untilAccepted,
  untilOutage,
} from './outage-checks.ts';

vi.setConfig({ testTimeout: 90_000, hookTimeout: 120_000 });

const LOG_ANSWER_MS = 5_000;
const ANSWER_MS = 2_000;
const groupsOf = async (peer: TestPeer): Promise<string[]> =>
  (await peer.list<GroupItem>('/groups')).map(({ group }) => group);

let cluster: Cluster;
let alice: TestPeer;
let disk: string;

async function start(logUrl?: string): Promise<void> {
  cluster = await Cluster.start(logUrl === undefined ? {} : { logUrl });
  alice = await cluster.user('alice');
}

beforeEach(async () => {
  disk = await mkdtemp(join(tmpdir(), 'cohort-disk-'));
});
afterEach(async () => {
  await cluster?.stop();
  unmount(disk);
  await rm(disk, { recursive: true, force: true });
});

describe('the file of the log', () => {
  it('locked by another program: commands fail within 5 s and say so, views go on, the same id works afterwards', async () => {
    await start();
    await alice.accepted('create_group', { group: 'before' });
    const other = new DatabaseSync(cluster.path('log.sqlite'));
    other.exec('BEGIN IMMEDIATE');
    const key = randomUUID();
    const detail = await fails(alice, { group: 'during', code: 'log_unavailable', withinMs: LOG_ANSWER_MS, key });
    expect(detail).toContain('Idempotency-Key');
    expect(await groupsOf(alice)).toEqual(['before']);
    const { trackers, outage } = await untilOutage(alice, 'log_unavailable');
    expect(outage?.detail).toContain('/status of each tracker says why');
    const troubled = trackers.findIndex(({ trouble }) => trouble !== null);
    expect(trackers[troubled]).toMatchObject({ state: 'ready', trouble: { reason: 'log_unavailable' } });
    const why = /database is locked; another program holds its lock: let that finish, or end it/;
    expect(await troubleOf(cluster, troubled + 1)).toMatchObject({
      ready: true,
      logProblem: expect.stringMatching(why) as string,
    });
    await until('the tracker says so', () => why.test(cluster.system.trackers[troubled]!.process.output));
    const [typed, shown] = [
      await cohort(['--data-dir', alice.dataDirectory, 'create_group', 'typed']),
      await cohort(['--data-dir', alice.dataDirectory, 'status']),
    ];
    expect(typed).toMatchObject({ code: 69, errors: expect.stringContaining('--command-id') as string });
    expect(shown.out).toMatch(/^commands +fail now: The log takes no records now.*\(log_unavailable\)$/m);
    other.exec('ROLLBACK');
    other.close();
    await untilAccepted(alice, 'during', key);
    await untilOutage(alice, null);
    expect(await outagesTold(alice)).toEqual(['log_unavailable', null]);
    expect(cluster.system.crashes).toBe('');
  });

  it('on a disk that is full: the same, and nothing that was acknowledged is lost', async ({ skip }) => {
    skip(!mounted(disk, 'size=6m'), 'needs the right to mount a small file system');
    await start(`sqlite:${join(disk, 'log.sqlite')}`);
    await writeFile(join(disk, 'ballast'), Buffer.alloc(8 * 1024 * 1024)).catch(() => undefined);
    const acknowledged: string[] = [];
    const key = randomUUID();
    const refused = await until('the disk is full', async () => {
      const group = `group ${acknowledged.length}`;
      const outcome = await alice.outcome('create_group', { group }, acknowledged.length === 0 ? key : undefined);
      if (outcome !== '200 accepted') return outcome;
      acknowledged.push(group);
      return false;
    });
    expect(refused).toBe('503 log_unavailable');
    expect(await alice.list('/groups')).toHaveLength(acknowledged.length);
    const { trackers } = await untilOutage(alice, 'log_unavailable');
    const { logProblem } = await troubleOf(cluster, trackers.findIndex(({ trouble }) => trouble !== null) + 1);
    expect(logProblem).toMatch(/make room on its disk|not full/);
    await rm(join(disk, 'ballast'));
    await untilAccepted(alice, 'there is room', randomUUID());
    await untilOutage(alice, null);
    expect((await groupsOf(alice)).toSorted()).toEqual(expect.arrayContaining(acknowledged.toSorted()));
    const [one, two] = await digestsAtSameOffset(cluster.system.trackers);
    expect(one).toEqual(two);
  });

  it('that cannot be written when a tracker starts: it says so, and is ready by itself when it can', async ({
    skip,
  }) => {
    skip(!mounted(disk, 'size=8m'), 'needs the right to mount a small file system');
    await start(`sqlite:${join(disk, 'log.sqlite')}`);
    await Promise.all(cluster.system.trackers.map(({ process }) => process.stop()));
    skip(!remounted(disk, 'ro'), 'needs the right to mount a file system read-only');
    const words = [cluster.system.trackerInfo, '1', '--data-dir', cluster.path('tracker-1'), '--log', cluster.logUrl];
    const tracker = new NodeProcess({ name: 'tracker 1', words: ['tracker', ...words] });
    const ready = tracker.ready();
    await until('it says why', () => /let this user write the file and its folder.*trying again/.test(tracker.output));
    await untilOutage(alice, 'tracker_unavailable');
    remounted(disk, 'rw');
    await ready;
    await untilOutage(alice, null);
    await alice.accepted('create_group', { group: 'afterwards' });
    expect(await groupsOf(alice)).toEqual(['afterwards']);
    await tracker.stop();
  });

  it('gone or replaced: trackers end and say so, refuse an empty one, and go on when it is put back', async () => {
    await start();
    await alice.accepted('create_group', { group: 'kept' });
    const log = cluster.path('log.sqlite');
    const ends = cluster.system.trackers.map(({ process }) => process);
    const files = ['-shm', '-wal', ''].map((ending) => `${log}${ending}`);
    const ended = Promise.all(ends.map((tracker) => tracker.endsByItself()));
    for (const file of files) await rename(file, `${file}.moved`);
    await writeFile(log, '');
    const codes = await ended;
    expect(codes.map(({ code }) => code)).toEqual([69, 69]);
    for (const { output } of ends)
      expect(output).toContain('was deleted or replaced while it was in use: put the log back');
    await untilOutage(alice, 'tracker_unavailable');
    const tracker = (n: number) =>
      cohort([
        'tracker',
        cluster.system.trackerInfo,
        `${n}`,
        '--data-dir',
        cluster.path(`tracker-${n}`),
        '--log',
        cluster.logUrl,
      ]);
    const refused = await tracker(1);
    expect(refused).toMatchObject({
      code: 64,
      errors: expect.stringMatching(/is empty, and this tracker has followed/) as string,
    });
    expect(refused.errors).toContain(
      `put that log back. To follow the other one from now on, remove ${cluster.path('tracker-1', 'log-id')}`,
    );
    for (const file of files) {
      await rm(file, { force: true });
      await rename(`${file}.moved`, file);
    }
    await Promise.all([1, 2].map((ordinal) => cluster.system.restartTracker(ordinal)));
    await untilOutage(alice, null);
    expect(await groupsOf(alice)).toEqual(['kept']);
  });
});

describe('a tracker', () => {
  it('with the log of another cluster is refused, and peers refuse trackers of two logs until they agree', async () => {
    await start();
    await mkdir(cluster.path('elsewhere'));
    const other = `sqlite:${cluster.path('elsewhere', 'log.sqlite')}`;
    await cluster.system.trackers[1]!.process.stop();
    const words = ['tracker', cluster.system.trackerInfo, '2', '--data-dir', cluster.path('tracker-2'), '--log', other];
    await rm(cluster.path('tracker-2', 'log-id'));
    const stray = new NodeProcess({ name: 'tracker 2', words });
    await stray.ready();
    const { outage } = await untilOutage(alice, 'trackers_disagree');
    expect(outage?.detail).toContain('give all of them one --log');
    await fails(alice, { group: 'lost', code: 'trackers_disagree', withinMs: ANSWER_MS });
    await stray.stop();
    const back = await cohort([...words.slice(0, -1), cluster.logUrl]);
    expect(back).toMatchObject({
      code: 64,
      errors: expect.stringMatching(/is another one, \w{64}, .* give the --log/) as string,
    });
    await rm(cluster.path('tracker-2', 'log-id'));
    await cluster.system.restartTracker(2);
    await untilOutage(alice, null);
    await alice.accepted('create_group', { group: 'found' });
    expect(await outagesTold(alice)).toEqual(['trackers_disagree', null]);
  });

  it('that is paused, not dead: the other one answers within 2 s, and when it goes on it knows what it missed', async () => {
    await start();
    const bob = await cluster.user('bob');
    await cluster.group('films', alice, bob);
    await alice.upload('films', await cluster.file('a.bin', 100_000));
    const bobs = (await bob.view<StatusView>('/status')).trackers.findIndex(({ active }) => active);
    const paused = cluster.system.trackers[bobs]!;
    process.kill(paused.process.pid, 'SIGSTOP');
    const begin = performance.now();
    const key = randomUUID();
    await bob.accepted('create_group', { group: 'meanwhile' }, key);
    expect(performance.now() - begin).toBeLessThan(ANSWER_MS);
    expect((await bob.view<StatusView>('/status')).outage).toBeNull();
    await until('bob has given it up', async () => {
      const { trackers } = await bob.view<StatusView>('/status');
      return trackers[bobs]!.state === 'unreachable';
    });
    await alice.accepted('remove_member', { group: 'films', user: 'bob' });
    process.kill(paused.process.pid, 'SIGCONT');
    // What bob had sent it before it was given up is in its hands now: one command, one effect.
    await until('bob is linked to it again', async () => {
      const { trackers } = await bob.view<StatusView>('/status');
      return trackers[bobs]!.state === 'ready';
    });
    const outcome = await bob.outcome('download_file', {
      group: 'films',
      file: 'a.bin',
      destination: bob.dataDirectory,
    });
    expect(outcome).toBe('403 not_a_member');
    expect(await bob.list<GroupItem>('/groups')).toEqual([
      { group: 'films', owner: 'alice', membership: 'none', copies: 0 },
      { group: 'meanwhile', owner: 'bob', membership: 'owner', copies: 0 },
    ]);
    const [one, two] = await digestsAtSameOffset(cluster.system.trackers);
    expect(one).toEqual(two);
  });
});
