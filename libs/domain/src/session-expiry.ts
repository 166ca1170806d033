// Owns the end of sessions that nobody renewed. A record of the log ends them, by the log's time: first the one of whoever sends
// it, so that nobody acts with an expired session, and then those of others, a bounded number at once.
import type { Event } from './event.ts';
import { evolve } from './evolve.ts';
import type { Actor } from './record.ts';
import { SESSION_EXPIRY_RULES_VERSION, sessionExpiresAtMs } from './session-term.ts';
import type { Session, State } from './state.ts';

/** How many sessions one record ends at most: the first record after a long silence must not stop trackers. */
export const EXPIRED_AT_ONCE_MAX = 64;

const NONE: readonly Event[] = [];

/** Ends what has expired by the time of the log, whoever was renewed longest ago first; the effects. */
export function endExpiredSessions(state: State, actor: Actor, { offset }: { offset: number }): readonly Event[] {
  // As a rule that is all: where the first one lasts, all of them do.
  if (state.rulesVersion < SESSION_EXPIRY_RULES_VERSION || !hasExpired(state, firstOf(state))) return NONE;
  const events: Event[] = [];
  const own = actor.kind === 'peer' ? state.sessions.get(actor.peerId) : undefined;
  for (let session = hasExpired(state, own) ? own : firstOf(state); session !== undefined; session = firstOf(state)) {
    if (events.length === EXPIRED_AT_ONCE_MAX || !hasExpired(state, session)) break;
    const event: Event = { peerId: session.peerId, type: 'session_expired', user: session.user };
    evolve(state, event, { offset });
    events.push(event);
  }
  return events;
}

function firstOf({ sessionOrder, sessions }: State): Session | undefined {
  return sessionOrder.first(sessions);
}

function hasExpired(state: State, session: Session | undefined): boolean {
  const expiresAtMs = session === undefined ? null : sessionExpiresAtMs(state, session);
  return expiresAtMs !== null && state.logTimeMs >= expiresAtMs;
}
