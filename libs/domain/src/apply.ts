// Owns the one function that turns a record into an outcome: deduplicate, decide, fold. Trackers, the audit and tests share
// it; equal records in equal order give equal states, outcomes and events everywhere.
import type { Checkpoint } from './checkpoint.ts';
import { commandDataProblem, COMMANDS } from './command.ts';
import { decide } from './decide.ts';
import type { Event } from './event.ts';
import { evolve } from './evolve.ts';
import { type Outcome, rejected } from './outcome.ts';
import { actorKey, type LogRecord } from './record.ts';
import { endExpiredSessions } from './session-expiry.ts';
import type { State } from './state.ts';

/** How many records back a command id is remembered, and how far behind a sender may be. */
export const OUTCOME_WINDOW_RECORDS = 1_000_000;

/** A record as it arrives from the log. */
export interface AppendedRecord {
  readonly offset: number;
  /** Null for bytes that are no record. */
  readonly record: LogRecord | null;
  /** The tracker whose signature on the record holds, or null. */
  readonly signer: string | null;
  /** What the note of a `checkpoint` says when that tracker signed the note too, otherwise null. */
  readonly checkpoint: Checkpoint | null;
}

/**
 * What a record came to. A repeated command id has its first outcome, that one's offset, and no events of its own: any record
 * may end sessions that have expired, before it is decided.
 */
export interface Applied {
  readonly outcome: Outcome;
  /** The record that the outcome belongs to: this one, or the first with the same command id. */
  readonly outcomeOffset: number;
  readonly events: readonly Event[];
}

/** Applies the next record. Throws when its offset is not the next one: a gap is never papered over. */
export function apply(state: State, appended: AppendedRecord): Applied {
  const { offset, record } = appended;
  if (offset !== state.appliedOffset + 1) {
    throw new Error(`record ${offset} cannot be applied after record ${state.appliedOffset}`);
  }
  state.appliedOffset = offset;
  state.outcomes.forgetBefore(offset - OUTCOME_WINDOW_RECORDS);
  // A command of newer rules is for builds that do not know it no record at all.
  if (record === null || !isOfRules(state, record)) return refusal(offset, 'malformed_record');
  state.logTimeMs = Math.max(state.logTimeMs, record.timeMs);
  const expired = endExpiredSessions(state, record.actor, { offset });
  const applied = applyRecord(state, record, appended);
  return expired.length === 0 ? applied : { ...applied, events: [...expired, ...applied.events] };
}

function applyRecord(state: State, record: LogRecord, appended: AppendedRecord): Applied {
  const { offset } = appended;
  if (!isSupported(state, record)) return refusal(offset, 'unsupported_record');
  const { name, data } = record.command;
  if (commandDataProblem(name, data, state.rulesVersion) !== null) return refusal(offset, 'malformed_record');
  return applyOnce(state, record, appended);
}

/** Before the genesis those of version 1 are in force. */
function isOfRules({ rulesVersion }: State, { command }: LogRecord): boolean {
  return COMMANDS[command.name].sinceRules <= Math.max(1, rulesVersion);
}

function isSupported(state: State, record: LogRecord): boolean {
  return record.schemaVersion === 1 && (state.logId !== null || record.command.name === 'genesis');
}

function applyOnce(state: State, record: LogRecord, { offset, signer, checkpoint }: AppendedRecord): Applied {
  const key = outcomeKey(record);
  const content = state.outcomes.contentOf(record.command);
  const first = state.outcomes.first(key, content);
  if (first === 'other_command') return refusal(offset, 'idempotency_key_reused');
  if (first !== null) return { outcome: first.outcome, outcomeOffset: first.offset, events: [] };
  // Too far behind to know whether its id was used and forgotten.
  if (record.seenOffset < offset - OUTCOME_WINDOW_RECORDS) return refusal(offset, 'command_expired');
  const decision = decide(state, record.command, { offset, actor: record.actor, signer, checkpoint });
  const isRefused = typeof decision === 'string';
  const outcome = isRefused ? rejected(decision) : ({ result: decision.result, status: 'accepted' } as const);
  const events = isRefused ? [] : decision.events;
  for (const event of events) evolve(state, event, { offset });
  const peerId = record.actor.kind === 'peer' ? record.actor.peerId : null;
  state.outcomes.set(key, { offset, peerId, content, outcome });
  return { outcome, outcomeOffset: offset, events };
}

/** The key of a record's command id in `State.outcomes`: ids are scoped to their actor. */
export function outcomeKey(record: Pick<LogRecord, 'actor' | 'id'>): string {
  return `${actorKey(record.actor)} ${record.id}`;
}

function refusal(offset: number, reason: Parameters<typeof rejected>[0]): Applied {
  return { outcome: rejected(reason), outcomeOffset: offset, events: [] };
}
