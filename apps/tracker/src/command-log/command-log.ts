// The port to the one durable log that every tracker appends to and replays. Offsets are contiguous from 0 and never
// change; what was acknowledged survives a crash. An adapter for each technology stands beside this file, and one contract
// suite (test/contract/command-log.ts) says what all of them do.

/** What a tracker appends. */
export interface AppendRecord {
  /** The exact UTF-8 bytes of the record: what is hashed, copied and replayed. At most RECORD_BYTES_MAX with `sealed`. */
  readonly value: Uint8Array;
  /** The password hash and nonce that travel beside the record, which only commits to them; null on records without. */
  readonly sealed: string | null;
}

/** A record as it stands in the log. */
export interface StoredRecord extends AppendRecord {
  readonly offset: number;
  /** When the log itself took the record, in milliseconds since 1970; null where the log keeps no such time. */
  readonly appendTimeMs: number | null;
}

/** The log. Any number of instances, in any number of processes, may share one. */
export interface CommandLog {
  /**
   * Appends the records in this order, neighbours of each other, and resolves with their offsets once they are durable.
   * All of them are stored or none. Rejects with a `LogFailure`; after `log_unavailable` the outcome is *unknown*: the
   * records may still reach the log, so a retry has to be recognisable by what is in the record. Answers within 5 s.
   */
  append(records: readonly AppendRecord[]): Promise<readonly number[]>;
  /**
   * Every record from `fromOffset` on, in order and without gaps, in batches of bounded size that are never empty; then
   * live, until `signal` is aborted, which ends the iteration without an error. Waits out an outage of the log by itself.
   * Throws a `LogFailure` of code `log_halted` when the log is not what was read before: a gap, a reset, a log that ends
   * before `fromOffset`.
   */
  read(fromOffset: number, signal: AbortSignal): AsyncIterable<readonly StoredRecord[]>;
  /** The offset that follows the last record (0: empty). Everything acknowledged before the call lies below it. */
  end(): Promise<number>;
  /** Lets go of files, threads and connections. Appends that have not been answered fail; reads end. */
  close(): Promise<void>;
}

/**
 * `log_unavailable`: cannot be reached or written to right now; the outcome of an append is unknown.
 * `log_busy`: too much is queued already; nothing of this append was or will be stored.
 * `record_too_large`: the record breaks a limit of the log; nothing was stored.
 * `log_halted`: the log contradicts what was read from it before; going on would serve a wrong state.
 * `log_misconfigured`: the address or the log's own settings are wrong; a person has to change them.
 */
export type LogFailureCode = 'log_unavailable' | 'log_busy' | 'record_too_large' | 'log_halted' | 'log_misconfigured';

/** An operating failure of the log, wrapped once, at its adapter. */
export class LogFailure extends Error {
  override readonly name = 'LogFailure';
  readonly code: LogFailureCode;
  /** Whether the same call may succeed later with nobody changing anything. */
  readonly retryable: boolean;

  constructor(code: LogFailureCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.retryable = code === 'log_unavailable' || code === 'log_busy';
  }
}
