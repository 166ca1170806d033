// What works and what is said while the log on Kafka is away, stuck, full, gone, or without enough of its brokers: trackers as
// processes, brokers that are killed, paused and filled up. None of the trackers is restarted where nothing says so.
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import kafkajs, { type Admin, type PartitionMetadata } from 'kafkajs';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { GroupItem } from '#wire/control-api';
import { type Broker, type Brokers, type BrokersMember, startBroker, startBrokers } from '../../infra/kafka/broker.mjs';
import { digestsAtSameOffset } from '../../infra/quick-start/tracker-status.ts';
import { Cluster, LOGS, type TestPeer, until } from './cluster.ts';
import {
  cohort,
  fails,
  mounted,
  outagesTold,
  troubleOf,
  unmount,
  untilAccepted,
  untilOutage,
} from './outage-checks.ts';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 240_000 });

const LOG_ANSWER_MS = 5_000;
// Brokers that are killed or paused have to be our own.
const skipReason = LOGS[1].skipReason ?? (process.env['KAFKA_BROKERS'] === undefined ? null : 'KAFKA_BROKERS is set');

const groupsOf = async (peer: TestPeer): Promise<string[]> =>
  (await peer.list<GroupItem>('/groups')).map(({ group }) => group);
const portOf = (broker: Broker): number => Number(broker.brokers.split(':')[1]);

let cluster: Cluster;
let alice: TestPeer;

async function start(logUrl: string): Promise<void> {
  cluster = await Cluster.start({ logUrl });
  alice = await cluster.user('alice');
}

async function withAdmin<Result>(brokers: string, use: (admin: Admin) => Promise<Result>): Promise<Result> {
  const admin = new kafkajs.Kafka({ brokers: brokers.split(','), logLevel: kafkajs.logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    return await use(admin);
  } finally {
    await admin.disconnect();
  }
}

/** What both trackers have in common after an outage: one state, and no restart. */
async function expectWhole(): Promise<void> {
  const [one, two] = await digestsAtSameOffset(cluster.system.trackers);
  expect(one).toEqual(two);
  expect(cluster.system.crashes).toBe('');
}

describe.skipIf(skipReason !== null)('three brokers', () => {
  const topic = 'cohort-commands';
  let kafka: Brokers;

  beforeAll(async () => {
    kafka = await startBrokers({ count: 3 });
    await start(`kafka:${kafka.brokers}/${topic}`);
  });
  afterAll(async () => {
    await cluster?.stop();
    await kafka?.stop();
  });

  const partition = (): Promise<PartitionMetadata | null> =>
    withAdmin(kafka.brokers, async (admin) => {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
      return topics[0]?.partitions[0] ?? null;
    }).catch(() => null);
  const leader = (): Promise<BrokersMember> =>
    until('the topic has a leader', async () => {
      const known = await partition();
      return kafka.members.find(({ id }) => id === known?.leader) ?? null;
    });
  // A broker that came back may lead only once it has caught up.
  const untilInStep = (): Promise<boolean> =>
    until('all three are in step', async () => (await partition())?.isr.length === 3, 90_000);

  it('keep every record three times, and twice before it counts', async () => {
    await withAdmin(kafka.brokers, async (admin) => {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
      expect(topics[0]?.partitions).toMatchObject([
        { replicas: expect.toSatisfy((ids: number[]) => ids.length === 3) },
      ]);
      const resources = [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic }];
      const settings = (await admin.describeConfigs({ includeSynonyms: false, resources })).resources[0]?.configEntries;
      expect(settings?.find(({ configName }) => configName === 'min.insync.replicas')?.configValue).toBe('2');
    });
  });

  it('lose their leader under commands: each is answered within 5 s and takes effect once, on the new leader', async () => {
    const old = await leader();
    const wanted = Array.from({ length: 60 }, (_, index) => `group ${index}`);
    for (const [index, group] of wanted.entries()) {
      if (index === 20) void old.kill();
      const key = randomUUID();
      const begin = performance.now();
      const outcome = await alice.outcome('create_group', { group }, key);
      expect(performance.now() - begin, `${group}: ${outcome}`).toBeLessThan(LOG_ANSWER_MS + 500);
      if (outcome !== '200 accepted') await untilAccepted(alice, group, key);
    }
    expect((await groupsOf(alice)).toSorted()).toEqual(wanted.toSorted());
    expect((await leader()).id).not.toBe(old.id);
    await untilOutage(alice, null);
    await expectWhole();
    await old.start();
  });

  it('lose two of three: nothing is acknowledged that one of them alone has, and one that comes back is enough', async () => {
    await untilInStep();
    await alice.accepted('create_group', { group: 'with three brokers' });
    const [first, second] = kafka.members;
    await Promise.all([first!.kill(), second!.kill()]);
    const key = randomUUID();
    await fails(alice, { group: 'with one broker', code: 'log_unavailable', withinMs: LOG_ANSWER_MS + 500, key });
    expect(await groupsOf(alice)).toContain('with three brokers');
    await untilOutage(alice, 'log_unavailable');
    await first!.start();
    await untilAccepted(alice, 'with one broker', key);
    await untilOutage(alice, null);
    await expectWhole();
  });
});

describe.skipIf(skipReason !== null)('one broker', () => {
  let dataDir: string;
  let broker: Broker;

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'cohort-kafka-outages-'));
    broker = await startBroker({ dataDir });
  });
  afterAll(async () => {
    await broker?.kill();
    await rm(dataDir, { recursive: true, force: true });
  });
  afterEach(() => cluster?.stop());

  it('paused, then restarted: commands fail within 5 s and say so, views go on, the same ids work afterwards', async () => {
    await start(`kafka:${broker.brokers}/cohort-${randomUUID()}`);
    await alice.accepted('create_group', { group: 'before' });
    const keys = { paused: randomUUID(), stopped: randomUUID() };
    process.kill(broker.pid!, 'SIGSTOP');
    await fails(alice, { group: 'paused', code: 'log_unavailable', withinMs: LOG_ANSWER_MS, key: keys.paused });
    expect(await groupsOf(alice)).toEqual(['before']);
    const { trackers } = await untilOutage(alice, 'log_unavailable');
    const { logProblem } = await troubleOf(cluster, trackers.findIndex(({ trouble }) => trouble !== null) + 1);
    expect(logProblem).toMatch(/no answer within|Kafka/);
    process.kill(broker.pid!, 'SIGCONT');
    await untilAccepted(alice, 'paused', keys.paused);
    await untilOutage(alice, null);
    await broker.stop();
    await fails(alice, { group: 'stopped', code: 'log_unavailable', withinMs: LOG_ANSWER_MS, key: keys.stopped });
    await untilOutage(alice, 'log_unavailable');
    broker = await startBroker({ dataDir, port: portOf(broker) });
    await untilAccepted(alice, 'stopped', keys.stopped);
    await untilOutage(alice, null);
    expect((await groupsOf(alice)).toSorted()).toEqual(['before', 'paused', 'stopped']);
    expect(await outagesTold(alice)).toEqual(['log_unavailable', null, 'log_unavailable', null]);
    await expectWhole();
  });

  it('with a topic that is wrong: the tracker ends and says what to change', async () => {
    const topic = `cohort-${randomUUID()}`;
    await withAdmin(broker.brokers, (admin) =>
      admin.createTopics({
        topics: [{ topic, numPartitions: 1, configEntries: [{ name: 'retention.ms', value: '1000' }] }],
      }),
    );
    const trackerInfo = join(dataDir, 'tracker_info.txt');
    await writeFile(trackerInfo, '127.0.0.1:9001\n');
    const words = ['tracker', trackerInfo, '1', '--data-dir', join(dataDir, 'tracker'), '--log'];
    const change = `retention.ms has to be -1: kafka-configs.sh --alter --topic ${topic} --add-config retention.ms=-1`;
    expect(await cohort([...words, `kafka:${broker.brokers}/${topic}`])).toMatchObject({
      code: 64,
      errors: expect.stringContaining(change) as string,
    });
  });

  it('whose topic is deleted: the trackers end and say so, and refuse the empty one that stands there then', async () => {
    const topic = `cohort-${randomUUID()}`;
    await start(`kafka:${broker.brokers}/${topic}`);
    await alice.accepted('create_group', { group: 'gone' });
    const ended = Promise.all(cluster.system.trackers.map(({ process }) => process.endsByItself()));
    await withAdmin(broker.brokers, (admin) => admin.deleteTopics({ topics: [topic] }));
    expect((await ended).map(({ code }) => code)).toEqual([69, 69]);
    await untilOutage(alice, 'tracker_unavailable');
    const words = ['tracker', cluster.system.trackerInfo, '1', '--data-dir', cluster.path('tracker-1')];
    const refused = await cohort([...words, '--log', cluster.logUrl]);
    expect(refused).toMatchObject({ code: 64, errors: expect.stringContaining('put that log back') as string });
  });
});

describe.skipIf(skipReason !== null)('a broker', () => {
  it('whose disk is full ends; the trackers say so, and go on by themselves when it has room and runs again', async ({
    skip,
  }) => {
    const disk = await mkdtemp(join(tmpdir(), 'cohort-kafka-disk-'));
    skip(!mounted(disk, 'size=96m'), 'needs the right to mount a small file system');
    let broker = await startBroker({ dataDir: disk });
    try {
      await start(`kafka:${broker.brokers}/cohort-commands`);
      await alice.accepted('create_group', { group: 'before' });
      await writeFile(join(disk, 'ballast'), Buffer.alloc(128 * 1024 * 1024)).catch(() => undefined);
      const acknowledged = ['before'];
      const refused = await until('the disk is full', async () => {
        const group = `group ${acknowledged.length}`;
        const outcome = await alice.outcome('create_group', { group });
        if (outcome === '200 accepted') acknowledged.push(group);
        return outcome === '200 accepted' ? false : outcome;
      });
      expect(refused).toBe('503 log_unavailable');
      await untilOutage(alice, 'log_unavailable');
      expect(await groupsOf(alice)).toHaveLength(acknowledged.length);
      await broker.kill();
      await rm(join(disk, 'ballast'));
      broker = await startBroker({ dataDir: disk, port: portOf(broker) });
      await untilAccepted(alice, 'afterwards', randomUUID());
      await untilOutage(alice, null);
      expect(await groupsOf(alice)).toEqual(expect.arrayContaining([...acknowledged, 'afterwards']));
      await expectWhole();
    } finally {
      await cluster?.stop();
      await broker.kill();
      unmount(disk);
      await rm(disk, { recursive: true, force: true });
    }
  });
});
