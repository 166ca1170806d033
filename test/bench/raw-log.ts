// Owns what a tracker's commands are compared with: the same records appended to the same technology with nothing around it,
// as many at once, and on Kafka read back by a consumer of the same process.
import { randomUUID } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { Kafka, logLevel, type Message } from 'kafkajs';
import { topicPlan } from '../../apps/tracker/src/command-log/kafka-topic-rules.ts';

/** What is appended, and how many records are under way at a time. */
export interface RawAppends {
  readonly values: readonly Uint8Array[];
  readonly inFlight: number;
}

/** Records appended in a second. */
export type RawRate = (appends: RawAppends) => Promise<number>;

/** Transactions of `inFlight` records in a file of its own: WAL, flushed with each. */
export function rawSqlite(file: string): RawRate {
  return ({ values, inFlight }) => {
    const database = new DatabaseSync(`${file}-${randomUUID()}`);
    database.exec('PRAGMA synchronous = FULL; PRAGMA journal_mode = WAL');
    database.exec('CREATE TABLE records (offset INTEGER PRIMARY KEY, value TEXT NOT NULL)');
    const insert = database.prepare('INSERT INTO records VALUES (?, CAST(? AS TEXT))');
    const begin = performance.now();
    for (let from = 0; from < values.length; from += inFlight) {
      database.exec('BEGIN IMMEDIATE');
      for (const [index, value] of values.slice(from, from + inFlight).entries()) insert.run(from + index, value);
      database.exec('COMMIT');
    }
    const seconds = (performance.now() - begin) / 1000;
    database.close();
    return Promise.resolve(values.length / seconds);
  };
}

/** kafkajs alone, on a topic of its own: one produce under way, everything that became free meanwhile goes in the next. */
export function rawKafka(brokers: readonly string[]): RawRate {
  return async (appends) => {
    const kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING });
    const topic = `raw-${randomUUID()}`;
    const [admin, producer] = [kafka.admin(), kafka.producer({ createPartitioner: () => () => 0 })];
    const consumer = kafka.consumer({ groupId: topic, maxWaitTimeInMs: 100 });
    await Promise.all([admin.connect(), producer.connect(), consumer.connect()]);
    try {
      const configEntries = Object.entries(topicPlan(1).settings).map(([name, value]) => ({ name, value }));
      await admin.createTopics({ topics: [{ topic, numPartitions: 1, configEntries }] });
      await consumer.subscribe({ topic, fromBeginning: true });
      const slots = new Slots(appends, (messages) => producer.send({ topic, acks: -1, messages }));
      await consumer.run({
        autoCommit: false,
        eachBatch: ({ batch }) => Promise.resolve(slots.free(batch.messages.length)),
      });
      return await slots.run();
    } finally {
      await Promise.all([consumer.disconnect(), producer.disconnect(), admin.disconnect()]);
    }
  };
}

/** Keeps so many records under way until all have come back. */
class Slots {
  readonly #messages: readonly Message[];
  readonly #inFlight: number;
  readonly #send: (messages: Message[]) => Promise<unknown>;
  readonly #done = Promise.withResolvers<void>();
  #sent = 0;
  #received = 0;
  #isSending = false;

  constructor({ values, inFlight }: RawAppends, send: (messages: Message[]) => Promise<unknown>) {
    this.#messages = values.map((value) => ({ value: Buffer.from(value) }));
    this.#inFlight = inFlight;
    this.#send = send;
  }

  async run(): Promise<number> {
    const begin = performance.now();
    void this.#pump();
    await this.#done.promise;
    return this.#messages.length / ((performance.now() - begin) / 1000);
  }

  free(count: number): void {
    this.#received += count;
    if (this.#received >= this.#messages.length) this.#done.resolve();
    void this.#pump();
  }

  async #pump(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    try {
      for (let batch = this.#nextBatch(); batch.length > 0; batch = this.#nextBatch()) await this.#send(batch);
    } catch (error) {
      this.#done.reject(error);
    }
    this.#isSending = false;
  }

  #nextBatch(): Message[] {
    const batch = this.#messages.slice(this.#sent, this.#received + this.#inFlight);
    this.#sent += batch.length;
    return batch;
  }
}
