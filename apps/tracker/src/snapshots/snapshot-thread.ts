// Owns the thread in which a snapshot is taken: starts it, feeds it from the log, and hears what came of it.
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { CommandLog } from '../command-log/command-log.ts';
import { RecordFeed } from '../command-log/record-feed.ts';
import type { SnapshotFeed, SnapshotNews, SnapshotWorkerData } from './snapshot-messages.ts';
import type { SnapshotOrder, SnapshotTaken, TakeSnapshot } from './snapshot-taking.ts';

/** What a thread needs of the tracker that it works for. */
export interface SnapshotThreadOptions {
  /** The folder of the snapshots. */
  readonly folder: string;
  readonly log: CommandLog;
  readonly warn: (message: string) => void;
}

/** Takes each snapshot in a thread of its own, which ends with it. Nobody else may write to the folder meanwhile. */
export function takeInThread(options: SnapshotThreadOptions): TakeSnapshot {
  return async (order, signal) => {
    if (signal.aborted) return null;
    const work = new SnapshotWork(order, options);
    const stop = (): void => work.end(null);
    signal.addEventListener('abort', stop, { once: true });
    try {
      return await work.result;
    } finally {
      signal.removeEventListener('abort', stop);
    }
  };
}

/** One snapshot that is being taken. */
class SnapshotWork {
  readonly #worker: Worker;
  readonly #records: RecordFeed;
  readonly #warn: (message: string) => void;
  readonly #taken = Promise.withResolvers<SnapshotTaken | null>();

  constructor(order: SnapshotOrder, { folder, log, warn }: SnapshotThreadOptions) {
    this.#records = new RecordFeed(log);
    this.#warn = warn;
    const data: SnapshotWorkerData = { folder, order };
    const here = extname(import.meta.url);
    this.#worker = new Worker(new URL(`./snapshot-worker${here}`, import.meta.url), { workerData: data });
    this.#worker.on('message', (news: SnapshotNews) => this.#hear(news));
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', () => this.#fail(new Error('the thread that takes a snapshot ended before it was done')));
  }

  get result(): Promise<SnapshotTaken | null> {
    return this.#taken.promise;
  }

  /** Ends the thread, with what came of its work. */
  end(taken: SnapshotTaken | null): void {
    this.#records.end();
    // Settled from now on: that the thread has ended without being asked is no failure any more.
    this.#taken.resolve(this.#worker.terminate().then(() => taken));
  }

  #fail(error: unknown): void {
    this.#records.end();
    this.#taken.reject(error instanceof Error ? error : new Error(String(error)));
  }

  #hear(news: SnapshotNews): void {
    switch (news.kind) {
      case 'read':
        this.#records.begin(news.fromOffset);
        void this.#feed();
        return;
      case 'more':
        void this.#feed();
        return;
      case 'warning':
        this.#warn(news.message);
        return;
      case 'taken':
        this.end(news.taken);
    }
  }

  async #feed(): Promise<void> {
    try {
      const feed: SnapshotFeed | null = await this.#records.next();
      if (feed !== null) this.#worker.postMessage(feed);
    } catch (error) {
      this.#fail(error);
      await this.#worker.terminate();
    }
  }
}
