// Owns what a record of the log says, apart from its bytes. Time, ids and who sent it are stamped before the append, so
// nothing that `apply` decides depends on the tracker that runs it.
import type { Command } from './command.ts';

/** Who a record speaks for. A peer with a session has a user; a tracker's record counts only if its signature holds. */
export type Actor =
  | { readonly kind: 'peer'; readonly peerId: string; readonly user: string | null }
  | { readonly kind: 'tracker'; readonly trackerId: string };

/** One decoded record. */
export interface LogRecord {
  /** UUID, unique for its actor. */
  readonly id: string;
  /** The tracker that appended it. */
  readonly trackerId: string;
  /** Milliseconds since 1970, by that tracker's clock. */
  readonly timeMs: number;
  readonly actor: Actor;
  readonly correlationId: string;
  /** The highest offset that the sender had seen, -1 for none. */
  readonly seenOffset: number;
  readonly schemaVersion: number;
  readonly command: Command;
}

/** The scope of a command id: the user, or the peer while nobody is logged in, or the tracker. */
export function actorKey(actor: Actor): string {
  if (actor.kind === 'tracker') return `tracker ${actor.trackerId}`;
  return actor.user === null ? `peer ${actor.peerId}` : `user ${actor.user}`;
}
