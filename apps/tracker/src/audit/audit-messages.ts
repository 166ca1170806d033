// What the thread of a tracker and the one that answers an auditor tell each other. The log stays with the first, which hands over
// the records, one batch for each time that it is asked; an answer comes in parts, each of which is waited for until it was taken,
// and a page that is not the last one leaves the thread waiting for whoever asks for the next.
import type { LogFailureCode, StoredRecord } from '../command-log/command-log.ts';
import type { AuditQuestion } from './audit-question.ts';

/** What the thread is started with. */
export interface AuditWorkerData {
  readonly question: AuditQuestion;
  /** How many records of the log count. */
  readonly size: number;
}

/** To the thread. Records belong to the reading that asked for them, counted from 1. */
export type AuditFeed =
  | { readonly kind: 'records'; readonly reading: number; readonly records: readonly StoredRecord[] }
  | { readonly kind: 'failure'; readonly reading: number; readonly code: LogFailureCode; readonly message: string }
  | { readonly kind: 'taken' }
  | { readonly kind: 'continue'; readonly limit: number };

/** Why there is no answer, or no more of it. */
export type AuditFailure = 'bad_input' | 'unknown_thing' | 'log_failure' | 'bug';

/** From the thread. `read` begins at offset 0, `more` asks for what follows, `paused` ends a page, `done` and `failed` are the last. */
export type AuditNews =
  | { readonly kind: 'read' | 'more'; readonly reading: number }
  | { readonly kind: 'part'; readonly bytes: Uint8Array }
  | { readonly kind: 'paused'; readonly next: string }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly failure: AuditFailure; readonly message: string };
