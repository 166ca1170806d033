// Owns the end of sessions that nobody renewed. A record of the log ends them, by the log's time: first the one of whoever sends
// it, so that nobody acts with an expired session, and then those of others, a bounded number at once.
import type { Event } from './event.ts';
import { evolve } from './evolve.ts';
import type { Actor } from './record.ts';
import { sessionExpiresAtMs } from './session-term.ts';
import type { Session, State } from './state.ts';

/** How many sessions one record ends at most: the first record after a long silence must not stop trackers. */
export const EXPIRED_AT_ONCE_MAX = 64;

/** Ends what has expired by the time of the log, whoever was renewed longest ago first; the effects. */
export function endExpiredSessions(state: State, actor: Actor, { offset }: { offset: number }): readonly Event[] {
  const events: Event[] = [];
  const endIfExpired = (session: Session | undefined): boolean => {
    const expiresAtMs = session === undefined ? null : sessionExpiresAtMs(state, session);
    if (session === undefined || expiresAtMs === null || state.logTimeMs < expiresAtMs) return false;
    const event: Event = { type: 'session_expired', user: session.user, peerId: session.peerId };
    evolve(state, event, { offset });
    events.push(event);
    return true;
  };
  if (actor.kind === 'peer') endIfExpired(state.sessions.get(actor.peerId));
  while (events.length < EXPIRED_AT_ONCE_MAX && endIfExpired(state.sessionOrder.first(state.sessions))) {
    // Each of them was the first, and is gone.
  }
  return events;
}
