// Owns how long a session lasts, by the time of the log: since rules version 2 it ends 30 days after its peer last renewed it,
// which a peer does by itself every week while it runs, so that nothing ends but what nobody runs any more.
import type { Session, State } from './state.ts';

/** Since this version of the rules sessions expire. */
export const SESSION_EXPIRY_RULES_VERSION = 2;
const DAY_MS = 24 * 60 * 60 * 1_000;
/** How long a session lasts without being renewed. */
export const SESSION_LIFETIME_MS = 30 * DAY_MS;
/** How old a session is when its peer renews it. */
export const SESSION_RENEWAL_MS = 7 * DAY_MS;

/** When a session expires unless it is renewed, milliseconds since 1970; null under rules without expiry. */
export function sessionExpiresAtMs({ rulesVersion }: Pick<State, 'rulesVersion'>, session: Session): number | null {
  return rulesVersion < SESSION_EXPIRY_RULES_VERSION ? null : session.renewedAtMs + SESSION_LIFETIME_MS;
}
