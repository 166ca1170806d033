// Owns the record that something came of: where it stands, when that was, who sent it and what it was.
import type { CommandName } from '#domain/command';
import { timeOf } from './facts.ts';
import type { AuditedRecord } from './replay.ts';

/** A place in the log that something began or ended at. */
export interface Cause {
  readonly offset: number;
  /** The log's time, RFC 3339. */
  readonly time: string;
  /** The user whose command it was, or `peer <id>`, or `tracker <id>`. */
  readonly by: string;
  readonly command: CommandName;
}

/** The cause that a record is; only those that say something are asked about. */
export function causeOf({ offset, timeMs, record }: AuditedRecord): Cause {
  const { actor, command } = record!;
  const by = actor.kind === 'tracker' ? `tracker ${actor.trackerId}` : (actor.user ?? `peer ${actor.peerId}`);
  return { offset, time: timeOf(timeMs), by, command: command.name };
}
