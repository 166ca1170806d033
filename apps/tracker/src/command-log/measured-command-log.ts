// Owns what is measured of a log: how long each append takes until it is durable, and what becomes of it.
import type { AppendRecord, CommandLog, LogFailureCode, StoredRecord } from './command-log.ts';
import { LogFailure } from './command-log.ts';

/** Takes what became of an append: null for one that was taken. */
export type AppendMeasured = (failure: LogFailureCode | null, seconds: number) => void;

/** A log that tells how its appends went, and is what it was otherwise. */
export class MeasuredCommandLog implements CommandLog {
  readonly #log: CommandLog;
  readonly #measured: AppendMeasured;

  constructor(log: CommandLog, measured: AppendMeasured) {
    this.#log = log;
    this.#measured = measured;
  }

  async append(records: readonly AppendRecord[]): Promise<readonly number[]> {
    const beganMs = performance.now();
    const seconds = (): number => (performance.now() - beganMs) / 1_000;
    try {
      const offsets = await this.#log.append(records);
      this.#measured(null, seconds());
      return offsets;
    } catch (error) {
      if (error instanceof LogFailure) this.#measured(error.code, seconds());
      throw error;
    }
  }

  read(fromOffset: number, signal: AbortSignal): AsyncIterable<readonly StoredRecord[]> {
    return this.#log.read(fromOffset, signal);
  }

  end(): Promise<number> {
    return this.#log.end();
  }

  close(): Promise<void> {
    return this.#log.close();
  }
}
