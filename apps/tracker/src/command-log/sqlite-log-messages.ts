// Owns what is said between the SQLite adapter and its worker. One request, one answer, in the order of the requests.
import type { LogFailureCode } from './command-log.ts';
import type { PackedRecords } from './record-pack.ts';

/** What a worker starts with. */
export interface SqliteWorkerData {
  readonly file: string;
  /** Which file the log is known to be, from an earlier worker's `open`; null for the first one, which may create it. */
  readonly fileIdentity: string | null;
  /** Whether nothing may be made or changed. */
  readonly readsOnly: boolean;
}

/** Each request with what it is answered by. */
export interface SqliteExchange {
  /** Opens or creates the log; the identity changes when another file takes its place. */
  open: { request: { kind: 'open' }; result: { fileIdentity: string } };
  append: { request: { kind: 'append'; records: PackedRecords }; result: { firstOffset: number } };
  read: { request: { kind: 'read'; fromOffset: number }; result: LogPage };
  end: { request: { kind: 'end' }; result: { end: number } };
  /** Gives the file back, so that the worker can be ended. */
  close: { request: { kind: 'close' }; result: { closed: true } };
}

/** Records from the offset on that was asked for, without a gap. */
export interface LogPage {
  readonly records: PackedRecords;
  /** When each was appended. */
  readonly appendTimesMs: readonly number[];
  /** Whether it ends where a page has to end, and not where the log does. */
  readonly isFull: boolean;
  /** Of a page without records the end of the log, which tells that from a log cut short. */
  readonly end: number | null;
}

export type SqliteRequest = SqliteExchange[keyof SqliteExchange]['request'];

export type SqliteAnswer =
  | { readonly id: number; readonly result: SqliteExchange[keyof SqliteExchange]['result'] }
  | {
      readonly id: number;
      readonly failure: { readonly code: LogFailureCode; readonly message: string; readonly cause: unknown };
    };
