// Owns a log that is handed out a batch at a time, each when somebody asks for it, as another thread does: nothing is read ahead of
// that, and a reading ends when it is called off, whoever waits.
import type { CommandLog, StoredRecord } from './command-log.ts';

/** One reading of a log after the other. */
export class RecordFeed {
  readonly #log: Pick<CommandLog, 'read'>;
  #stop = new AbortController();
  #batches: AsyncIterator<readonly StoredRecord[]> | null = null;

  constructor(log: Pick<CommandLog, 'read'>) {
    this.#log = log;
  }

  /** Reads from an offset on, in place of what was read before. */
  begin(fromOffset: number): void {
    this.end();
    this.#stop = new AbortController();
    this.#batches = this.#log.read(fromOffset, this.#stop.signal)[Symbol.asyncIterator]();
  }

  /** The next batch, once there is one; null when its reading has ended meanwhile. Rejects as the log's reading does. */
  async next(): Promise<readonly StoredRecord[] | null> {
    const { signal } = this.#stop;
    const next = await this.#batches?.next();
    return next === undefined || next.done === true || signal.aborted ? null : next.value;
  }

  /** A reader that waits to be asked for more does not hear the signal: it has to be told that nobody will. */
  end(): void {
    this.#stop.abort();
    this.#batches?.return?.().catch(() => undefined);
  }
}
