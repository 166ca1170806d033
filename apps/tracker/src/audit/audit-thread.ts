// Owns one question of an auditor while a thread answers it: feeds the thread from the log, and is the stream of its answer, of
// which no more is held than one part. When nothing moves for long, because the log is away or nobody reads, it ends.
import { extname } from 'node:path';
import { Readable } from 'node:stream';
import { Worker } from 'node:worker_threads';
import { BadInput } from '#identity/start-input';
import { AUDIT_STALL_TIMEOUT_MS } from '#wire/limits';
import { type CommandLog, LogFailure } from '../command-log/command-log.ts';
import { RecordFeed } from '../command-log/record-feed.ts';
import type { AuditFailure, AuditFeed, AuditNews, AuditWorkerData } from './audit-messages.ts';
import { AuditRefusal } from './audit-refusal.ts';
import { UnknownThing } from './unknown-thing.ts';

/** The answer to one question. Destroying it ends the thread. */
export class AuditThread extends Readable {
  readonly #worker: Worker;
  readonly #records: RecordFeed;
  readonly #size: number;
  readonly #stall: NodeJS.Timeout;
  #hasUntaken = false;
  #hasExited = false;

  constructor(log: Pick<CommandLog, 'read'>, data: AuditWorkerData, heapBytesMax: number) {
    super();
    this.#records = new RecordFeed(log);
    this.#size = data.size;
    const here = extname(import.meta.url);
    this.#worker = new Worker(new URL(`./audit-worker${here}`, import.meta.url), {
      workerData: data,
      resourceLimits: { maxOldGenerationSizeMb: heapBytesMax / 2 ** 20 },
    });
    // Who waits for the answer, or reads it, hears of a failure; between the two it is nobody's.
    this.on('error', () => undefined);
    this.#worker.on('message', (news: AuditNews) => this.#hear(news));
    this.#worker.on('error', (error) => this.destroy(endOfThread(error)));
    this.#worker.on('exit', () => {
      this.#hasExited = true;
      this.destroy(new Error('the thread of an audit ended before it was done'));
    });
    this.#stall = setTimeout(() => this.destroy(stalled()), AUDIT_STALL_TIMEOUT_MS).unref();
  }

  override _read(): void {
    if (!this.#hasUntaken) return;
    this.#hasUntaken = false;
    this.#stall.refresh();
    this.#tell({ kind: 'taken' });
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    clearTimeout(this.#stall);
    this.#records.end();
    if (this.#hasExited) return done(error);
    this.#worker.once('exit', () => done(error));
    void this.#worker.terminate();
  }

  #tell(feed: AuditFeed): void {
    this.#worker.postMessage(feed);
  }

  #hear(news: AuditNews): void {
    // What was on its way when the question was given up.
    if (this.destroyed) return;
    this.#stall.refresh();
    switch (news.kind) {
      case 'read':
        this.#records.begin(0);
        void this.#feed(news.reading);
        return;
      case 'more':
        void this.#feed(news.reading);
        return;
      case 'part':
        this.#hasUntaken = true;
        this.push(news.bytes);
        return;
      case 'done':
        this.push(null);
        return;
      case 'failed':
        this.destroy(errorOf(news.failure, news.message));
    }
  }

  async #feed(reading: number): Promise<void> {
    try {
      const records = await this.#records.next();
      if (records === null) return;
      this.#stall.refresh();
      this.#tell({ kind: 'records', reading, records: records.filter(({ offset }) => offset < this.#size) });
    } catch (error) {
      if (!(error instanceof LogFailure)) return void this.destroy(error as Error);
      this.#tell({ kind: 'failure', reading, code: error.code, message: error.message });
    }
  }
}

function stalled(): AuditRefusal {
  return new AuditRefusal(
    'log_unavailable',
    'Nothing has come from the log for a minute, or nobody has read the answer.',
  );
}

function endOfThread(error: unknown): Error {
  if ((error as NodeJS.ErrnoException).code !== 'ERR_WORKER_OUT_OF_MEMORY') return error as Error;
  return new AuditRefusal(
    'too_large',
    'The log is larger than what is audited in a tracker: take an export, and ask that with cohort audit --file.',
  );
}

function errorOf(failure: AuditFailure, message: string): Error {
  switch (failure) {
    case 'bad_input':
      return new BadInput(message);
    case 'unknown_thing':
      return new UnknownThing(message);
    case 'log_failure':
      return new LogFailure('log_unavailable', message);
    case 'bug':
      return new Error(message);
  }
}
