import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import kafkajs, { type Admin, type Producer } from 'kafkajs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { CommandLog } from '../../apps/tracker/src/command-log/command-log.ts';
import { openCommandLog } from '../../apps/tracker/src/command-log/open-command-log.ts';
import {
  type Broker,
  consumeOnConsole,
  kafkaSkipReason,
  ownBrokerSkipReason,
  startBroker,
} from '../../infra/kafka/broker.mjs';
import { describeCommandLog, recordOf, take, textsOf } from './command-log.ts';

const skipReason = kafkaSkipReason();
if (skipReason !== null) {
  if (process.env['COHORT_REQUIRE_KAFKA'] === '1') throw new Error(`COHORT_REQUIRE_KAFKA=1, but ${skipReason}`);
  process.stderr.write(`Skipped: the log on Kafka, because ${skipReason}.\n`);
}

describe.skipIf(skipReason !== null)('Kafka', { timeout: 60_000 }, () => {
  let broker: Broker;
  beforeAll(async () => {
    broker = await startBroker();
  }, 180_000);
  afterAll(() => broker?.stop());

  const newTopic = (): string => `cohort-test-${randomUUID()}`;

  describeCommandLog('Kafka', () => Promise.resolve(`kafka:${broker.brokers}/${newTopic()}`));

  describe('a Kafka log', () => {
    const opened: CommandLog[] = [];
    let admin: Admin;
    let producer: Producer;

    const open = async (topic: string, brokers = broker.brokers, onWarning?: (message: string) => void) => {
      const url = `kafka:${brokers}/${topic}`;
      const log = await openCommandLog({ url, trackerInfoPath: null, ...(onWarning && { onWarning }) });
      opened.push(log);
      return log;
    };

    beforeAll(async () => {
      const client = new kafkajs.Kafka({ brokers: broker.brokers.split(','), logLevel: kafkajs.logLevel.NOTHING });
      admin = client.admin();
      producer = client.producer({ createPartitioner: () => () => 0 });
      await Promise.all([admin.connect(), producer.connect()]);
    });

    afterAll(() => Promise.all([admin.disconnect(), producer.disconnect()]));
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((log) => log.close()));
    });

    test('its topic has one partition and keeps everything, on disk', async () => {
      const topic = newTopic();
      await open(topic);
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
      expect(topics[0]!.partitions).toHaveLength(1);
      const { resources } = await admin.describeConfigs({
        includeSynonyms: false,
        resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic }],
      });
      const settings = new Map(resources[0]!.configEntries.map((entry) => [entry.configName, entry.configValue]));
      const names = ['cleanup.policy', 'retention.ms', 'retention.bytes', 'message.timestamp.type', 'flush.messages'];
      expect(names.map((name) => settings.get(name))).toEqual(['delete', '-1', '-1', 'LogAppendTime', '1']);
    });

    test.skipIf(ownBrokerSkipReason() !== null)(
      "Kafka's own console consumer prints the records, with what is sealed in a header",
      async () => {
        const topic = newTopic();
        const log = await open(topic);
        await log.append([recordOf('{"a":1}', 'hash'), recordOf('{"b":2}')]);
        const lines = await consumeOnConsole({
          brokers: broker.brokers,
          topic,
          maxMessages: 2,
          properties: { 'print.headers': 'true' },
        });
        expect(lines).toEqual(['sealed:hash\t{"a":1}', 'NO_HEADERS\t{"b":2}']);
      },
    );

    test('a record that another client produces is read like any other', async () => {
      const topic = newTopic();
      const log = await open(topic);
      const reading = take(log, { count: 2 });
      await log.append([recordOf('a')]);
      await producer.send({ topic, messages: [{ value: 'foreign' }] });
      expect(textsOf(await reading)).toEqual(['a', 'foreign']);
    });

    test('two trackers that start at once agree on one topic', async () => {
      const topic = newTopic();
      const logs = await Promise.all([open(topic), open(topic)]);
      await logs[0]!.append([recordOf('a')]);
      expect(textsOf(await take(logs[1]!, { count: 1 }))).toEqual(['a']);
    });

    test.each([
      ['two partitions', { numPartitions: 2 }, 'has 2 partitions'],
      ['compaction', { 'cleanup.policy': 'compact' }, 'cleanup.policy has to be delete'],
      ['a retention by age', { 'retention.ms': '86400000' }, 'retention.ms has to be -1'],
      ['a retention by size', { 'retention.bytes': '1000000' }, 'retention.bytes has to be -1'],
      ['no flush of its one replica', { 'flush.messages': '100' }, 'flush.messages has to be 1'],
    ])('a topic with %s is refused by name', async (_, wrong, message) => {
      const topic = newTopic();
      const right = { 'retention.ms': '-1', 'retention.bytes': '-1', 'flush.messages': '1' };
      const given: Record<string, string | number> = { ...right, ...wrong };
      const { numPartitions = 1, ...settings } = given;
      const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value: String(value) }));
      await admin.createTopics({
        topics: [{ topic, numPartitions: Number(numPartitions), replicationFactor: 1, configEntries }],
      });
      await expect(open(topic)).rejects.toMatchObject({
        code: 'log_misconfigured',
        message: expect.stringMatching(new RegExp(`${topic} .*${message}`)),
      });
    });

    test('a topic whose first records were deleted halts whoever needs them', async () => {
      const topic = newTopic();
      const log = await open(topic);
      await log.append([recordOf('a'), recordOf('b')]);
      await admin.fetchTopicOffsets(topic);
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '1' }] });
      await expect(take(log, { count: 1 })).rejects.toMatchObject({ code: 'log_halted' });
      expect(textsOf(await take(log, { from: 1, count: 1 }))).toEqual(['b']);
    });

    test('a topic that is deleted and made anew halts a running reader, also while it is empty', async () => {
      const topic = newTopic();
      const log = await open(topic);
      await log.append([recordOf('a'), recordOf('b')]);
      const reading = take(log, { count: 3 });
      await take(log, { count: 2 });
      const makeAnew = async (): Promise<void> => {
        await admin.deleteTopics({ topics: [topic] });
        await open(topic);
      };
      await Promise.all([expect(reading).rejects.toMatchObject({ code: 'log_halted' }), makeAnew()]);
    });
  });

  describe.skipIf(ownBrokerSkipReason() !== null)('a broker of its own', { timeout: 120_000 }, () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'cohort-kafka-outage-'));
    afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

    test('an outage fails appends within 5 s, and when the broker is back everything goes on by itself', async () => {
      const own = await startBroker({ dataDir });
      const port = Number(own.brokers.split(':')[1]);
      const warnings: string[] = [];
      const url = `kafka:${own.brokers}`;
      const log = await openCommandLog({
        url,
        trackerInfoPath: null,
        onWarning: (message) => void warnings.push(message),
      });
      await log.append([recordOf('before')]);
      const reading = take(log, { count: 2 });
      await own.stop();
      const startedAt = performance.now();
      const unavailable = { code: 'log_unavailable', retryable: true };
      await Promise.all([
        expect(log.append([recordOf('during')])).rejects.toMatchObject(unavailable),
        expect(log.end()).rejects.toMatchObject(unavailable),
        expect(openCommandLog({ url, trackerInfoPath: null })).rejects.toMatchObject(unavailable),
      ]);
      expect(performance.now() - startedAt).toBeLessThan(5_000);
      const back = await startBroker({ dataDir, port });
      const append = async (): Promise<readonly number[]> =>
        log.append([recordOf('after')]).catch((error: { retryable: boolean }) => {
          if (!error.retryable) throw error;
          return append();
        });
      await append();
      const texts = textsOf(await reading);
      expect(texts).toEqual(['before', 'after']);
      expect(await log.end()).toBe(2);
      expect(warnings.length).toBeGreaterThan(0);
      await log.close();
      await back.stop();
    });

    test.runIf(process.platform === 'linux')(
      'a broker starts from the archive of its classes, where Java makes one',
      async () => {
        const own = await startBroker({ dataDir });
        const archive = fileURLToPath(new URL('../../infra/kafka/target/classes.jsa', import.meta.url));
        const isRead = readFileSync(`/proc/${own.pid!}/maps`, 'utf8').includes(archive);
        await own.kill();
        expect(isRead).toBe(statSync(archive).size > 0);
      },
    );

    test('a broker that hangs fails appends within 5 s, and a reader goes on when it wakes up', async () => {
      const own = await startBroker({ dataDir });
      const topic = newTopic();
      const log = await openCommandLog({ url: `kafka:${own.brokers}/${topic}`, trackerInfoPath: null });
      await log.append([recordOf('before')]);
      const reading = take(log, { count: 2 });
      process.kill(own.pid!, 'SIGSTOP');
      const startedAt = performance.now();
      await expect(log.append([recordOf('during')])).rejects.toMatchObject({ code: 'log_unavailable' });
      expect(performance.now() - startedAt).toBeLessThan(5_000);
      process.kill(own.pid!, 'SIGCONT');
      expect(textsOf(await reading)).toEqual(['before', 'during']);
      await log.close();
      await own.kill();
    });
  });

  test('the client prints nothing of its own, and Node warns of none of its timers', async () => {
    const script = fileURLToPath(new URL('./command-log-writer.ts', import.meta.url));
    const words = [script, `kafka:${broker.brokers}/${newTopic()}`, 'quiet', '20'];
    const { stdout, stderr } = await promisify(execFile)(process.execPath, words);
    expect(stdout.trimEnd().split('\n')).toEqual(Array.from({ length: 20 }, (_, index) => `${index} quiet-${index}`));
    expect(stderr).toBe('');
  });
});
