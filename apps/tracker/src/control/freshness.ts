// Owns the two ways in which a tracker may be too far behind to answer: not ready at all, or not yet where this peer has
// been already.
import type { Readiness } from '../replica/replica.ts';
import { type Failed, failed } from './answers.ts';

/** How long a request waits for what its peer has seen. */
export const SEEN_OFFSET_TIMEOUT_MS = 1_500;

/** This tracker has not read as far as the peer has seen. */
export function behind(): Failed {
  return failed('tracker_behind');
}

/** Whether views are answered. A wrong clock spoils what is appended, not what is read; a disputed state gives no grants. */
export function isReadable(readiness: Readiness): boolean {
  return readiness.ready || readiness.reason === 'clock_skew' || readiness.reason === 'checkpoint_disputed';
}

/** Why a tracker that is not ready does not answer, or null when it is. */
export function whyNotReady(readiness: Readiness): Failed | null {
  if (readiness.ready) return null;
  const { reason, detail } = readiness;
  return reason === 'catching_up' ? failed('tracker_behind', { detail }) : failed('tracker_unavailable', { detail });
}
