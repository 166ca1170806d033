// Owns the record that something came of: where it stands, when that was, who sent it and what it was.
import type { CommandName } from '#domain/command';
import type { Actor } from '#domain/record';
import { type Place, placeOf } from './place.ts';
import type { AuditedRecord } from './replay.ts';

/** A place in the log that something began or ended at. */
export interface Cause extends Place {
  /** As `actorText` has it. */
  readonly by: string;
  readonly command: CommandName;
}

/** The cause that a record is; only those that say something are asked about. */
export function causeOf(audited: AuditedRecord): Cause {
  const { actor, command } = audited.record!;
  return { ...placeOf(audited), by: actorText(actor), command: command.name };
}

/** The user whose command it is, or `peer <id>` without a session, or `tracker <id>`. */
export function actorText(actor: Actor): string {
  return actor.kind === 'tracker' ? `tracker ${actor.trackerId}` : (actor.user ?? `peer ${actor.peerId}`);
}
