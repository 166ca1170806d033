// Owns from where a replica may begin instead of reading all of the log again, and what is asked of the log before it does:
// whether the state of an earlier process is of just these records.
import type { Rules } from '#domain/rules';
import { type CommandLog, LogFailure, type StoredRecord } from '../command-log/command-log.ts';
import { DerivedState } from './derived-state.ts';
import { leafHash } from './merkle-frontier.ts';

/** How a replica looks at a derived state of an earlier process. */
export interface Restart {
  /** Why a state is none of this log, as a sentence; null when it is. */
  readonly problemOf: (derived: DerivedState) => Promise<string | null>;
  /** What this build knows of the rules: a state under newer ones is none to begin with. */
  readonly rules: Rules;
  /** To be called between steps of the work, so that other work has its turn. */
  readonly turn: () => Promise<void> | undefined;
}

/** A snapshot that is on the disk. */
export interface KeptSnapshot {
  /** Of the last record that it is about. */
  readonly offset: number;
  /** SHA-256 of its file but for the hash itself, 64 hex characters: equal for equal states. */
  readonly hash: string;
}

/** Where a replica may begin: a cache, which may have nothing. */
export interface StartingPoints {
  /** Those that this process has read or knows to be written, newest first. */
  readonly kept: readonly KeptSnapshot[];
  /** The newest derived state that is sound and of this log, or null. */
  load(restart: Restart): Promise<DerivedState | null>;
  /** Puts all of them out of use, for the reason given. */
  discard(reason: string): Promise<void>;
}

/** The log as a replica found it. */
export interface FoundLog {
  readonly log: CommandLog;
  /** The offset that follows its last record. */
  readonly end: number;
  readonly signal: AbortSignal;
}

/** The id that its genesis gives a log; null while it has none. */
export async function logIdOf({ log, end, signal }: FoundLog): Promise<string | null> {
  const begun = new DerivedState();
  await eachRecord({ log, signal, size: end }, 0, (stored) => {
    begun.apply(stored);
    return begun.state.logId === null;
  });
  return begun.state.logId;
}

/** Why a derived state is none of this log, as a sentence, or null. Throws when the log has lost what the state has applied. */
export async function problemOfStart(
  { state, lastLeaf }: DerivedState,
  logId: string | null,
  { log, end, signal }: FoundLog,
): Promise<string | null> {
  const { appliedOffset } = state;
  if (state.logId !== logId) return `it is of another log, ${state.logId}`;
  if (appliedOffset >= end) {
    const detail = `the log ends at offset ${end}, but this tracker has a snapshot of offset ${appliedOffset}`;
    throw lostEnd(detail, appliedOffset);
  }
  let isSame = true;
  await eachRecord({ log, signal, size: appliedOffset + 1 }, appliedOffset, ({ value }) => {
    isSame = lastLeaf?.equals(leafHash(value)) === true;
    return false;
  });
  return isSame ? null : `this log has another record at offset ${appliedOffset}`;
}

/** A log that ends before what a tracker has read is not followed until somebody has said that this is how it goes on. */
export function lostEnd(detail: string, appliedOffset: number): LogFailure {
  const finish = 'if it is copied to, finish the copy first';
  const remedy = `${finish}; if it was restored from before that, run cohort log skip ${appliedOffset + 1}, and start again`;
  return new LogFailure('log_halted', `${detail}: it was cut, or is another log; ${remedy}`);
}

/** Hands over the records from an offset on, up to the first `size` of the log, for as long as more are wanted. */
async function eachRecord(
  { log, size, signal }: { log: CommandLog; size: number; signal: AbortSignal },
  fromOffset: number,
  wantsMore: (stored: StoredRecord) => boolean,
): Promise<void> {
  if (fromOffset >= size) return;
  const enough = new AbortController();
  try {
    for await (const batch of log.read(fromOffset, AbortSignal.any([signal, enough.signal]))) {
      for (const stored of batch) if (!wantsMore(stored) || stored.offset + 1 >= size) return;
    }
  } finally {
    enough.abort();
  }
}
