// Owns the queue in front of a log: one write in flight, and everything that queued meanwhile goes in the next one, so that
// one flush to disk pays for many commands. An append is never split, the queue is bounded in bytes, and no caller waits
// longer than the deadline, whatever the write does.
import { APPEND_BATCH_BYTES_MAX, RECORD_BYTES_MAX } from '#wire/limits';
import { type AppendRecord, LogFailure } from './command-log.ts';

/** Stores records, neighbours in this order, all or none; resolves with the offset of the first. Has to settle in the end. */
export type BatchWrite = (records: readonly AppendRecord[]) => Promise<number>;

/** What keeps the queue short. */
export interface GroupCommitLimits {
  /** How long an append may wait for its answer. */
  readonly timeoutMs: number;
  /** How many bytes may wait for the next write. */
  readonly queueBytesMax: number;
}

interface WaitingAppend {
  readonly records: readonly AppendRecord[];
  readonly byteCount: number;
  readonly timer: NodeJS.Timeout;
  readonly resolve: (offsets: readonly number[]) => void;
  readonly reject: (failure: unknown) => void;
}

/** Counted for each record on top of its own bytes, for what a log writes around it; keeps batches of tiny records small. */
const RECORD_ENVELOPE_BYTES = 64;

const DEFAULT_LIMITS: GroupCommitLimits = { timeoutMs: 4_000, queueBytesMax: 32 * 1024 * 1024 };

/** Group commit over one log; `append` has the contract of `CommandLog.append`. */
export class GroupCommit {
  readonly #write: BatchWrite;
  readonly #limits: GroupCommitLimits;
  /** Oldest first. All wait equally long, so the oldest is also the first to run out of time. */
  readonly #queue: WaitingAppend[] = [];
  readonly #inFlight = new Set<WaitingAppend>();
  #queuedBytes = 0;
  #running = false;
  #closed = false;

  constructor(write: BatchWrite, limits: Partial<GroupCommitLimits> = {}) {
    this.#write = write;
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
  }

  append(records: readonly AppendRecord[]): Promise<readonly number[]> {
    if (records.length === 0) return Promise.resolve([]);
    const byteCount = records.reduce((sum, record) => sum + byteCountOf(record) + RECORD_ENVELOPE_BYTES, 0);
    const refusal = this.#refusalOf(records, byteCount);
    if (refusal !== null) return Promise.reject(refusal);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#expire(waiting), this.#limits.timeoutMs);
      const waiting: WaitingAppend = { records, byteCount, timer, resolve, reject };
      this.#queue.push(waiting);
      this.#queuedBytes += byteCount;
      if (!this.#running) void this.#run();
    });
  }

  /** Fails what has not been answered, and every append from now on. */
  close(): void {
    this.#closed = true;
    const failure = new LogFailure('log_unavailable', 'The log was closed before it answered.');
    for (const waiting of [...this.#inFlight, ...this.#queue]) this.#settle(waiting, () => waiting.reject(failure));
    this.#queue.length = 0;
    this.#queuedBytes = 0;
  }

  #refusalOf(records: readonly AppendRecord[], byteCount: number): LogFailure | null {
    if (this.#closed) return new LogFailure('log_unavailable', 'The log is closed.');
    const longest = Math.max(...records.map(byteCountOf));
    if (longest > RECORD_BYTES_MAX) {
      return new LogFailure(
        'record_too_large',
        `A record of ${longest} bytes is above the ${RECORD_BYTES_MAX} allowed.`,
      );
    }
    if (byteCount > APPEND_BATCH_BYTES_MAX) {
      return new LogFailure(
        'record_too_large',
        `${records.length} records of ${byteCount} bytes in one append are above the ${APPEND_BATCH_BYTES_MAX} allowed.`,
      );
    }
    if (this.#queuedBytes + byteCount > this.#limits.queueBytesMax) {
      return new LogFailure('log_busy', `${this.#queue.length} appends wait for the log already.`);
    }
    return null;
  }

  async #run(): Promise<void> {
    this.#running = true;
    do {
      // One turn of the event loop: what one burst appends shares a write, and readers that the last write woke go first.
      await new Promise(setImmediate);
      await this.#writeBatch(this.#takeBatch());
    } while (this.#queue.length > 0);
    this.#running = false;
  }

  #takeBatch(): WaitingAppend[] {
    let byteCount = 0;
    const isOver = (waiting: WaitingAppend): boolean => (byteCount += waiting.byteCount) > APPEND_BATCH_BYTES_MAX;
    const overAt = this.#queue.findIndex(isOver);
    const batch = this.#queue.splice(0, overAt === -1 ? this.#queue.length : overAt);
    for (const waiting of batch) this.#queuedBytes -= waiting.byteCount;
    return batch;
  }

  async #writeBatch(batch: readonly WaitingAppend[]): Promise<void> {
    if (batch.length === 0) return;
    for (const waiting of batch) this.#inFlight.add(waiting);
    try {
      let offset = await this.#write(batch.flatMap((waiting) => waiting.records));
      for (const waiting of batch) {
        const first = offset;
        offset += waiting.records.length;
        this.#settle(waiting, () => waiting.resolve(waiting.records.map((_, index) => first + index)));
      }
    } catch (failure) {
      for (const waiting of batch) this.#settle(waiting, () => waiting.reject(failure));
    }
  }

  #expire(waiting: WaitingAppend): void {
    const position = this.#queue.indexOf(waiting);
    if (position !== -1) {
      this.#queue.splice(position, 1);
      this.#queuedBytes -= waiting.byteCount;
    }
    const failure = new LogFailure('log_unavailable', `The log gave no answer within ${this.#limits.timeoutMs} ms.`);
    this.#settle(waiting, () => waiting.reject(failure));
  }

  /** Answers once: a promise ignores a second answer, as when a write ends after its deadline. */
  #settle(waiting: WaitingAppend, answer: () => void): void {
    clearTimeout(waiting.timer);
    this.#inFlight.delete(waiting);
    answer();
  }
}

function byteCountOf({ value, sealed }: AppendRecord): number {
  return value.byteLength + (sealed === null ? 0 : Buffer.byteLength(sealed));
}
