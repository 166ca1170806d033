// Owns a record as the audit shows it: who, when, through which tracker, and what it came to.
import type { RejectionReason } from '#domain/rejection';
import { actorText } from './cause.ts';
import { timeOf } from './place.ts';
import type { AuditedRecord } from './replay.ts';

/** One record of `audit log --json`. What is no record at all has neither type nor actor, and its bytes as base64. */
export interface LogEntry {
  readonly offset: number;
  /** By the record's own stamp, RFC 3339. */
  readonly time: string | null;
  readonly type: string | null;
  /** As `actorText` has it. */
  readonly actor: string | null;
  /** Peer id, when a peer sent it. */
  readonly peerId: string | null;
  /** Id of the tracker that appended it. */
  readonly tracker: string | null;
  readonly commandId: string | null;
  readonly correlationId: string | null;
  readonly outcome: 'accepted' | 'rejected';
  readonly reason: RejectionReason | null;
  /** Of the record whose outcome a repeated command has; its own otherwise. */
  readonly outcomeOffset: number;
  readonly body: unknown;
}

/** The entry of a record that was applied. */
export function entryOf({ offset, record, applied, bytes }: AuditedRecord): LogEntry {
  const { outcome, outcomeOffset } = applied;
  const came = {
    outcome: outcome.status,
    reason: outcome.status === 'rejected' ? outcome.reason : null,
    outcomeOffset,
  };
  if (record === null) {
    const nothing = { time: null, type: null, actor: null, peerId: null, tracker: null };
    return { offset, ...nothing, commandId: null, correlationId: null, ...came, body: base64(bytes) };
  }
  const { actor, command } = record;
  return {
    offset,
    time: timeOf(record.timeMs),
    type: command.name,
    actor: actorText(actor),
    peerId: actor.kind === 'peer' ? actor.peerId : null,
    tracker: record.trackerId,
    commandId: record.id,
    correlationId: record.correlationId,
    ...came,
    body: came.reason === 'malformed_record' ? bodyOf(command.data, bytes) : command.data,
  };
}

/** What a malformed record says, when that is as flat as a command's data is; or all its bytes, which may be nested without end. */
function bodyOf(data: unknown, bytes: Uint8Array): unknown {
  const isFlat = typeof data === 'object' && Object.values(data ?? {}).every((value) => typeof value !== 'object');
  return isFlat || typeof data !== 'object' ? data : base64(bytes);
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
