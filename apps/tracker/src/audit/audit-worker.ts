// Owns the thread that answers one question of an auditor and ends: it has a heap of its own with a bound, so that neither the
// replay nor its garbage is felt by who answers commands.
import { parentPort, workerData } from 'node:worker_threads';
import { BadInput } from '#identity/start-input';
import { LogFailure, type StoredRecord } from '../command-log/command-log.ts';
import type { AuditFailure, AuditFeed, AuditNews, AuditWorkerData } from './audit-messages.ts';
import { prepared } from './audit-question.ts';
import type { AuditSource } from './replay.ts';
import { UnknownThing } from './unknown-thing.ts';

const { question, size } = workerData as AuditWorkerData;
const port = parentPort!;

const tell = (news: AuditNews): void => port.postMessage(news);

/** The first records of the tracker's log, as they are handed over. */
class FedSource implements AuditSource {
  readonly name = 'the log';
  #reading = 0;
  #asked: PromiseWithResolvers<readonly StoredRecord[]> | null = null;

  async *records(): AsyncGenerator<readonly StoredRecord[]> {
    const reading = ++this.#reading;
    let count = 0;
    let coming = size > 0 ? this.#ask({ kind: 'read', reading }) : null;
    while (coming !== null) {
      const records: readonly StoredRecord[] = await coming;
      count += records.length;
      // Asked for before this batch is applied, so that the log is read meanwhile.
      coming = count < size ? this.#ask({ kind: 'more', reading }) : null;
      yield records;
    }
  }

  async close(): Promise<void> {}

  hear(feed: Extract<AuditFeed, { reading: number }>): void {
    // What an earlier reading asked for may come when nobody wants it any more.
    if (feed.reading !== this.#reading) return;
    if (feed.kind === 'records') this.#asked?.resolve(feed.records);
    else this.#asked?.reject(new LogFailure(feed.code, feed.message));
  }

  #ask(news: Extract<AuditNews, { reading: number }>): Promise<readonly StoredRecord[]> {
    this.#asked = Promise.withResolvers();
    const { promise } = this.#asked;
    // Whoever takes it hears of a failure; nobody has to take what was asked for ahead.
    promise.catch(() => undefined);
    tell(news);
    return promise;
  }
}

const source = new FedSource();
let taken: () => void = () => {};
let continued: (limit: number) => void = () => {};

port.on('message', (feed: AuditFeed) => {
  if (feed.kind === 'taken') taken();
  else if (feed.kind === 'continue') continued(feed.limit);
  else source.hear(feed);
});

const write = (bytes: Uint8Array): Promise<void> =>
  new Promise((resolve) => {
    taken = resolve;
    tell({ kind: 'part', bytes });
  });

const pause = (next: string): Promise<number> =>
  new Promise((resolve) => {
    continued = resolve;
    tell({ kind: 'paused', next });
  });

function failureOf(error: unknown): AuditFailure {
  if (error instanceof BadInput) return 'bad_input';
  if (error instanceof UnknownThing) return 'unknown_thing';
  return error instanceof LogFailure ? 'log_failure' : 'bug';
}

try {
  await prepared(question).answer(source, size, { write, pause });
  tell({ kind: 'done' });
} catch (error) {
  const failure = failureOf(error);
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  tell({ kind: 'failed', failure, message: failure === 'bug' ? (stack ?? message) : message });
}
