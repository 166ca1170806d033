// A command log in memory for tests: keeps the port's promises, and can be paused, made unavailable or cut.
import {
  type AppendRecord,
  type CommandLog,
  LogFailure,
  type StoredRecord,
} from '../../../apps/tracker/src/command-log/command-log.ts';

export class MemoryLog implements CommandLog {
  readonly records: StoredRecord[] = [];
  /** The log's clock. */
  now: () => number = Date.now;
  /** What appends fail with while the log can be read. */
  refuses: LogFailure | null = null;
  #isAvailable = true;
  #isReadingPaused = false;
  #changed = Promise.withResolvers<void>();

  append(records: readonly AppendRecord[]): Promise<readonly number[]> {
    if (!this.#isAvailable) return Promise.reject(new LogFailure('log_unavailable', 'the log is away'));
    if (this.refuses !== null) return Promise.reject(this.refuses);
    const offsets = records.map(({ value, sealed }) => {
      const offset = this.records.length;
      this.records.push({ value, sealed, offset, appendTimeMs: this.now() });
      return offset;
    });
    this.#wake();
    return Promise.resolve(offsets);
  }

  async *read(fromOffset: number, signal: AbortSignal): AsyncIterable<readonly StoredRecord[]> {
    let next = fromOffset;
    const aborted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    while (!signal.aborted) {
      const changed = this.#changed.promise;
      const batch = this.#isReadingPaused || !this.#isAvailable ? [] : this.records.slice(next, next + 500);
      if (batch.length > 0) {
        next += batch.length;
        yield batch;
      } else {
        await Promise.race([changed, aborted]);
      }
    }
  }

  end(): Promise<number> {
    if (!this.#isAvailable) return Promise.reject(new LogFailure('log_unavailable', 'the log is away'));
    return Promise.resolve(this.records.length);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  set isAvailable(isAvailable: boolean) {
    this.#isAvailable = isAvailable;
    this.#wake();
  }

  pauseReading(): void {
    this.#isReadingPaused = true;
  }

  resumeReading(): void {
    this.#isReadingPaused = false;
    this.#wake();
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}
