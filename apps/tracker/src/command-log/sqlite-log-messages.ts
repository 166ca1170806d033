// Owns what is said between the SQLite adapter and its worker. One request, one answer, in the order of the requests.
import type { AppendRecord, LogFailureCode, StoredRecord } from './command-log.ts';

/** What a worker starts with. */
export interface SqliteWorkerData {
  readonly file: string;
  /** Which file the log is known to be, from an earlier worker's `open`; null for the first one, which may create it. */
  readonly fileIdentity: string | null;
}

/** Each request with what it is answered by. */
export interface SqliteExchange {
  /** Opens or creates the log; the identity changes when another file takes its place. */
  open: { request: { kind: 'open' }; result: { fileIdentity: string } };
  append: { request: { kind: 'append'; records: readonly AppendRecord[] }; result: { firstOffset: number } };
  /** Records from an offset on, a bounded number of them; with none there, `end` tells an end from a log cut short. */
  read: {
    request: { kind: 'read'; fromOffset: number };
    result: { records: readonly StoredRecord[]; end: number | null };
  };
  end: { request: { kind: 'end' }; result: { end: number } };
  /** Gives the file back, so that the worker can be ended. */
  close: { request: { kind: 'close' }; result: { closed: true } };
}

export type SqliteRequest = SqliteExchange[keyof SqliteExchange]['request'];

export type SqliteAnswer =
  | { readonly id: number; readonly result: SqliteExchange[keyof SqliteExchange]['result'] }
  | {
      readonly id: number;
      readonly failure: { readonly code: LogFailureCode; readonly message: string; readonly cause: unknown };
    };
