// Owns the Kafka adapter, and is the only file that knows kafkajs. One topic with one partition gives the total order. No
// idempotent producer: after a failed send kafkajs may reuse a sequence number, so that a record is acknowledged and never
// stored (its issue 1005); duplicates are removed where records are applied. The consumer never commits: each start is
// told where to read, and whatever it delivers out of order is a failure.
import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import kafkajs, {
  type Admin,
  type Consumer,
  type EachBatchPayload,
  Kafka,
  type KafkaConfig,
  type KafkaMessage,
  type LogEntry,
  logLevel,
  type Producer,
  type SASLOptions,
} from 'kafkajs';
import { BatchHandover } from './batch-handover.ts';
import { type AppendRecord, type CommandLog, LogFailure, type StoredRecord } from './command-log.ts';
import { GroupCommit } from './group-commit.ts';
import type { KafkaClientSettings } from './kafka-client-file.ts';
import { isCertainlyUnsent, kafkaFailure } from './kafka-failure.ts';
import { topicFaults, topicPlan } from './kafka-topic-rules.ts';

/** Which topic of which cluster. */
export interface KafkaLogOptions {
  /** `host:port` of some brokers of the cluster. */
  readonly brokers: readonly string[];
  readonly topic: string;
  /** How its brokers are spoken to. */
  readonly client: KafkaClientSettings;
  /** Whether a topic that is not there is refused, not made. */
  readonly mustExist?: boolean;
  readonly onWarning: (message: string) => void;
}

type Handover = BatchHandover<readonly StoredRecord[]>;

const SEALED_HEADER = 'sealed';
const ANSWER_TIMEOUT_MS = 4_000;
const PRODUCE_TIMEOUT_MS = 3_000;
const RECONNECT_PAUSE_MS = 250;
const HEARTBEAT_MS = 3_000;
const CLOSE_TIMEOUT_MS = 2_000;
const BOUNDS_LOOK_MS = 5_000;
const REPEATED_WARNING_MS = 30_000;

/** Opens the log, creating its topic when that is missing. Rejects with a `LogFailure` within 5 s. */
export async function openKafkaCommandLog(options: KafkaLogOptions): Promise<CommandLog> {
  stopIdleTimers();
  const log = new KafkaCommandLog(options);
  const started = log.start();
  try {
    await answered(started, 'opening the log');
    return log;
  } catch (failure) {
    // A client that is still connecting cannot be closed yet.
    void started.catch(() => undefined).then(() => log.close());
    throw failure;
  }
}

/** What kafkajs is told. */
export function kafkaConfigOf({
  brokers,
  client: { tls, sasl },
  onWarning,
}: Omit<KafkaLogOptions, 'topic'>): KafkaConfig {
  const { serverName, ...pem } = tls ?? {};
  return {
    clientId: 'cohort-tracker',
    brokers: [...brokers],
    ...(tls !== null && { ssl: { ...pem, ...(serverName !== undefined && { servername: serverName }) } }),
    ...(sasl !== null && { sasl: sasl as SASLOptions }),
    connectionTimeout: 1_000,
    authenticationTimeout: PRODUCE_TIMEOUT_MS,
    requestTimeout: PRODUCE_TIMEOUT_MS,
    retry: { initialRetryTime: 100, maxRetryTime: 500, retries: 4 },
    logLevel: logLevel.WARN,
    logCreator: () => warningsTo(onWarning),
  };
}

class KafkaCommandLog implements CommandLog {
  readonly #topic: string;
  readonly #mustExist: boolean;
  readonly #kafka: Kafka;
  readonly #admin: Admin;
  readonly #producer: Producer;
  readonly #commit = new GroupCommit((records) => this.#write(records));
  readonly #closing = new AbortController();
  readonly #leaving = new Set<Promise<void>>();

  constructor(options: KafkaLogOptions) {
    this.#topic = options.topic;
    this.#mustExist = options.mustExist ?? false;
    this.#kafka = new Kafka(kafkaConfigOf(options));
    this.#admin = this.#kafka.admin();
    this.#producer = this.#kafka.producer({
      allowAutoTopicCreation: false,
      createPartitioner: () => () => 0,
      idempotent: false,
      retry: { retries: 0 },
    });
  }

  async start(): Promise<void> {
    const giveUpAt = performance.now() + PRODUCE_TIMEOUT_MS;
    for (;;) {
      try {
        await this.#admin.connect();
        await this.#prepareTopic();
        return await this.#producer.connect();
      } catch (error) {
        const failure = kafkaFailure(error, `preparing topic ${this.#topic}`);
        if (failure.code !== 'log_halted') throw failure;
        // Nothing was read before that could be contradicted. Brokers hear one after the other of a topic that is made or
        // deleted, so for a while one may list it and not know it.
        if (performance.now() > giveUpAt) throw new LogFailure('log_unavailable', failure.message, error);
        await sleep(RECONNECT_PAUSE_MS);
      }
    }
  }

  append(records: readonly AppendRecord[]): Promise<readonly number[]> {
    return this.#commit.append(records);
  }

  async *read(fromOffset: number, signal: AbortSignal): AsyncGenerator<readonly StoredRecord[]> {
    const stop = AbortSignal.any([signal, this.#closing.signal]);
    let next = fromOffset;
    while (!stop.aborted) {
      try {
        for await (const records of this.#readOnce(next, stop)) {
          yield records;
          next += records.length;
        }
      } catch (error) {
        const failure = kafkaFailure(error, `reading topic ${this.#topic}`);
        if (!failure.retryable) throw failure;
        await sleep(RECONNECT_PAUSE_MS, undefined, { signal: stop }).catch(() => undefined);
      }
    }
  }

  async end(): Promise<number> {
    return (await answered(this.#bounds(), 'asking for the end')).end;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#commit.close();
    const goodbyes = [this.#producer.disconnect(), this.#admin.disconnect(), ...this.#leaving];
    await Promise.race([Promise.allSettled(goodbyes), sleep(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
  }

  async #prepareTopic(): Promise<void> {
    const topic = this.#topic;
    if (!(await this.#admin.listTopics()).includes(topic)) {
      if (this.#mustExist) {
        throw new LogFailure('log_misconfigured', `there is no Kafka topic ${topic}: say which log with --log`);
      }
      const { replicaCount, settings } = topicPlan((await this.#admin.describeCluster()).brokers.length);
      const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }));
      // Resolves with false when another tracker was faster; then its topic is checked like any other.
      await this.#admin.createTopics({
        topics: [{ topic, numPartitions: 1, replicationFactor: replicaCount, configEntries }],
      });
    }
    const faults = await this.#faults();
    if (faults.length === 0) return;
    throw new LogFailure('log_misconfigured', `Kafka topic ${topic} cannot hold the log. ${faults.join(' ')}`);
  }

  async #faults(): Promise<readonly string[]> {
    const topic = this.#topic;
    const metadata = await this.#admin.fetchTopicMetadata({ topics: [topic] });
    const partitions = metadata.topics[0]?.partitions ?? [];
    const { resources } = await this.#admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic }],
    });
    const entries = resources[0]?.configEntries ?? [];
    return topicFaults({
      topic,
      partitionCount: partitions.length,
      replicaCount: partitions[0]?.replicas.length ?? 0,
      settings: new Map(entries.map(({ configName, configValue }) => [configName, configValue])),
    });
  }

  /**
   * All of one batch stands in one record batch of Kafka's, so it is stored as a whole, under consecutive offsets. It is sent
   * again only when it was certainly not stored, as while the leader moves: a batch of unknown outcome would be there twice.
   */
  async #write(records: readonly AppendRecord[]): Promise<number> {
    const giveUpAt = performance.now() + PRODUCE_TIMEOUT_MS;
    for (;;) {
      try {
        return await this.#send(records);
      } catch (error) {
        if (!isCertainlyUnsent(error) || performance.now() > giveUpAt || this.#closing.signal.aborted) {
          throw kafkaFailure(error, 'appending');
        }
        await sleep(RECONNECT_PAUSE_MS);
      }
    }
  }

  async #send(records: readonly AppendRecord[]): Promise<number> {
    const [stored] = await this.#producer.send({
      topic: this.#topic,
      acks: -1,
      timeout: PRODUCE_TIMEOUT_MS,
      messages: records.map(({ value, sealed }) => ({
        value: Buffer.from(value.buffer, value.byteOffset, value.byteLength),
        ...(sealed !== null && { headers: { [SEALED_HEADER]: sealed } }),
      })),
    });
    return Number(stored?.baseOffset);
  }

  /** First and next offset of the partition. */
  async #bounds(): Promise<{ start: number; end: number }> {
    try {
      const [partition] = await this.#admin.fetchTopicOffsets(this.#topic);
      return { start: Number(partition?.low), end: Number(partition?.high) };
    } catch (error) {
      throw kafkaFailure(error, `asking for the bounds of topic ${this.#topic}`);
    }
  }

  /** Throws when the partition does not reach from before this offset to it or further. */
  async #refuseOutside(offset: number): Promise<void> {
    const { start, end } = await this.#bounds();
    if (start > offset) throw halted(`its records before ${start} are gone, ${offset} was to be read`);
    if (end < offset) throw halted(`it ends at ${end}, before ${offset}`);
  }

  /**
   * Reads with one consumer, as long as that lives. Of a topic that is made anew a consumer may hear nothing at all, so where
   * the partition ends is looked at beside it.
   */
  async *#readOnce(fromOffset: number, stop: AbortSignal): AsyncGenerator<readonly StoredRecord[]> {
    await this.#refuseOutside(fromOffset);
    const handover: Handover = new BatchHandover();
    let next = fromOffset;
    const looking = setInterval(() => {
      this.#refuseOutside(next).catch((failure: LogFailure) => {
        if (!failure.retryable) handover.fail(failure);
      });
    }, BOUNDS_LOOK_MS);
    const onStop = (): void => handover.end();
    stop.addEventListener('abort', onStop, { once: true });
    if (stop.aborted) onStop();
    const consumer = this.#newConsumer();
    const started = this.#consume({ consumer, fromOffset, handover }).catch((error: unknown) => handover.fail(error));
    try {
      for (let records = await handover.take(); records !== null; records = await handover.take()) {
        yield records;
        next += records.length;
      }
    } finally {
      clearInterval(looking);
      stop.removeEventListener('abort', onStop);
      handover.end();
      this.#leave(consumer, started);
    }
  }

  #newConsumer(): Consumer {
    return this.#kafka.consumer({
      groupId: `cohort-tracker-${randomUUID()}`,
      allowAutoTopicCreation: false,
      // A broker answers at once when there are records; asking anew all the time is what an idle tracker would spend most on.
      maxWaitTimeInMs: 500,
      heartbeatInterval: HEARTBEAT_MS,
      // kafkajs would restart at the beginning of the log; we start a new consumer where this one was.
      retry: { initialRetryTime: 100, maxRetryTime: 500, retries: 4, restartOnFailure: () => Promise.resolve(false) },
    });
  }

  async #consume(run: { consumer: Consumer; fromOffset: number; handover: Handover }): Promise<void> {
    const { consumer, handover } = run;
    const topic = this.#topic;
    let next = run.fromOffset;
    // Each time the consumer joins its group, it forgets where it was.
    consumer.on(consumer.events.GROUP_JOIN, () => consumer.seek({ topic, partition: 0, offset: String(next) }));
    consumer.on(consumer.events.CRASH, ({ payload }) => handover.fail(payload.error));
    // Without commits of ours, it commits only when it resets itself to an offset that it finds in range.
    consumer.on(consumer.events.REQUEST, ({ payload }) => {
      if (payload.apiName === 'OffsetCommit') handover.fail(halted(`offset ${next} is out of its range`));
    });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatch: async (payload: EachBatchPayload) => {
        const records = payload.batch.messages.map(storedRecord);
        const gapAt = records.findIndex(({ offset }, index) => offset !== next + index);
        if (gapAt !== -1) {
          handover.fail(halted(`it has ${records[gapAt]!.offset} where ${next + gapAt} has to be`));
          return;
        }
        next += records.length;
        await whileBeating(handover.offer(records), () => payload.heartbeat());
      },
    });
  }

  /** Leaves the group without keeping the reader waiting. A consumer that is still joining cannot be stopped yet. */
  #leave(consumer: Consumer, started: Promise<void>): void {
    const left = started
      .then(() => consumer.disconnect())
      .catch(() => undefined)
      .finally(() => this.#leaving.delete(left));
    this.#leaving.add(left);
  }
}

function storedRecord({ offset, timestamp, value, headers }: KafkaMessage): StoredRecord {
  const sealed = headers?.[SEALED_HEADER];
  const appendTimeMs = Number(timestamp);
  return {
    offset: Number(offset),
    value: value ?? new Uint8Array(),
    sealed: sealed === undefined ? null : String(sealed),
    appendTimeMs: appendTimeMs >= 0 ? appendTimeMs : null,
  };
}

/** Keeps the membership of the group alive for as long as a batch waits for its reader. */
async function whileBeating(taken: Promise<void>, heartbeat: () => Promise<void>): Promise<void> {
  const done = taken.then(() => true);
  for (;;) {
    const timer = new AbortController();
    const beat = sleep(HEARTBEAT_MS, false, { signal: timer.signal }).catch(() => false);
    const isTaken = await Promise.race([done, beat]);
    timer.abort();
    if (isTaken) return;
    await heartbeat();
  }
}

async function answered<Answer>(answer: Promise<Answer>, doing: string): Promise<Answer> {
  const timer = new AbortController();
  const late = sleep(ANSWER_TIMEOUT_MS, undefined, { signal: timer.signal }).then(() => {
    throw new LogFailure('log_unavailable', `Kafka, ${doing}: no answer within ${ANSWER_TIMEOUT_MS} ms.`);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    late.catch(() => undefined);
    timer.abort();
  }
}

function halted(contradiction: string): LogFailure {
  return new LogFailure('log_halted', `The topic is not the log that was read before: ${contradiction}.`);
}

/** kafkajs repeats itself several times a second while a broker is away: each warning comes once in a while. */
function warningsTo(onWarning: (message: string) => void): (entry: LogEntry) => void {
  const toldAtMs = new Map<string, number>();
  return ({ namespace, log }) => {
    const now = performance.now();
    for (const [message, atMs] of toldAtMs) if (now - atMs > REPEATED_WARNING_MS) toldAtMs.delete(message);
    const message = `Kafka, ${namespace}: ${log.message}`;
    if (toldAtMs.has(message)) return;
    toldAtMs.set(message, now);
    onWarning(message);
  };
}

interface RequestQueue {
  readonly pending: readonly unknown[];
  readonly throttledUntil: number;
  scheduleCheckPendingRequests: (this: RequestQueue) => void;
}

/**
 * kafkajs 2.2.4 sets a timer of minus 1.7e12 ms for each connection whenever none of its requests wait; it fires at once and
 * sets the next one, without end, and Node warns of it (TimeoutNegativeWarning). Where nothing waits, nothing is checked.
 */
function stopIdleTimers(): void {
  const { prototype } = createRequire(import.meta.url)('kafkajs/src/network/requestQueue') as {
    prototype: RequestQueue;
  };
  const { scheduleCheckPendingRequests } = prototype;
  if (scheduleCheckPendingRequests.name === checkWhenNeeded.name) return;
  prototype.scheduleCheckPendingRequests = checkWhenNeeded;
  function checkWhenNeeded(this: RequestQueue): void {
    if (this.pending.length > 0 || this.throttledUntil > Date.now()) scheduleCheckPendingRequests.call(this);
  }
}
