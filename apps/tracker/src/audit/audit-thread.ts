// Owns one question of an auditor while a thread answers it: feeds the thread from the log, and makes a stream of each page of the
// answer, of which no more is held than one part. When nothing moves for long, because the log is away or nobody reads, it ends;
// behind a page that is not the last one it waits, with the state that it has come to.
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

/** How a thread is run. */
export interface AuditThreadOptions {
  readonly heapBytesMax: number;
  /** Hears that a page has ended and which `after` the next one has. From then on it waits for `continue` or `end`. */
  readonly onPaused: (next: string) => void;
}

/** A thread that answers one question. */
export class AuditThread {
  /** Resolves when it is gone. */
  readonly ended: Promise<void>;
  readonly #worker: Worker;
  readonly #records: RecordFeed;
  readonly #size: number;
  readonly #stall: NodeJS.Timeout;
  readonly #onPaused: (next: string) => void;
  #answer: Readable;
  #hasUntaken = false;
  #isPaused = false;
  #hasExited = false;

  constructor(log: Pick<CommandLog, 'read'>, data: AuditWorkerData, options: AuditThreadOptions) {
    this.#records = new RecordFeed(log);
    this.#size = data.size;
    this.#onPaused = options.onPaused;
    this.#answer = this.#newAnswer();
    const here = extname(import.meta.url);
    this.#worker = new Worker(new URL(`./audit-worker${here}`, import.meta.url), {
      workerData: data,
      resourceLimits: { maxOldGenerationSizeMb: options.heapBytesMax / 2 ** 20 },
    });
    this.#worker.on('message', (news: AuditNews) => this.#hear(news));
    this.#worker.on('error', (error) => this.end(endOfThread(error)));
    this.ended = new Promise((resolve) => {
      this.#worker.on('exit', () => {
        this.#hasExited = true;
        this.end(new Error('the thread of an audit ended before it was done'));
        resolve();
      });
    });
    this.#stall = setTimeout(() => {
      if (!this.#isPaused) this.end(stalled());
    }, AUDIT_STALL_TIMEOUT_MS).unref();
  }

  /** The answer, or the page of it that is made. Destroying it ends the thread. */
  get answer(): Readable {
    return this.#answer;
  }

  /** Goes on with a page of so many items, where the one before ended. */
  continue(limit: number): void {
    this.#answer = this.#newAnswer();
    this.#isPaused = false;
    this.#stall.refresh();
    this.#tell({ kind: 'continue', limit });
  }

  /** Ends the thread, and with it the answer if that is not whole. */
  end(error?: Error): void {
    if (this.#isPaused) this.#letGo();
    else this.#answer.destroy(error);
  }

  #newAnswer(): Readable {
    const answer = new Readable({
      read: () => this.#take(),
      destroy: (error, done) => {
        if (this.#isPaused || this.#hasExited) return done(error);
        this.#worker.once('exit', () => done(error));
        this.#letGo();
      },
    });
    // Who waits for the answer, or reads it, hears of a failure; between the two it is nobody's.
    return answer.on('error', () => undefined);
  }

  #letGo(): void {
    clearTimeout(this.#stall);
    this.#records.end();
    void this.#worker.terminate();
  }

  #take(): void {
    if (!this.#hasUntaken) return;
    this.#hasUntaken = false;
    this.#stall.refresh();
    this.#tell({ kind: 'taken' });
  }

  #tell(feed: AuditFeed): void {
    this.#worker.postMessage(feed);
  }

  #hear(news: AuditNews): void {
    // What was on its way when the question was given up.
    if (this.#answer.destroyed) return;
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
        this.#answer.push(news.bytes);
        return;
      case 'paused':
        this.#isPaused = true;
        this.#answer.push(null);
        this.#onPaused(news.next);
        return;
      case 'done':
        this.#answer.push(null);
        return;
      case 'failed':
        this.end(errorOf(news.failure, news.message));
    }
  }

  async #feed(reading: number): Promise<void> {
    try {
      const records = await this.#records.next();
      if (records === null) return;
      this.#stall.refresh();
      this.#tell({ kind: 'records', reading, records: records.filter(({ offset }) => offset < this.#size) });
    } catch (error) {
      if (!(error instanceof LogFailure)) return this.end(error as Error);
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
