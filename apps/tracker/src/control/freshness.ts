// Owns what keeps a tracker from answering, or from taking commands: not ready, not yet where this peer has been already, or
// with a log that takes no records.
import type { TrackerTrouble } from '#wire/tracker-trouble';
import { ERRORS } from '#wire/wire-error';
import type { Readiness, Replica } from '../replica/replica.ts';
import { type Failed, failed } from './answers.ts';

/** This tracker has not read as far as the peer has seen, or says that it has: what helps for good is not for it to say. */
export function behind({ appliedOffset }: Pick<Replica, 'appliedOffset'>, seenOffset: number): Failed {
  const seen = `The tracker has read up to offset ${appliedOffset}, and this peer has seen offset ${seenOffset}`;
  const detail = `${seen}. If that stays so, tell who runs the tracker.`;
  return failed('tracker_behind', { detail });
}

/** Whether views are answered. A wrong clock spoils what is appended, not what is read; a disputed state gives no grants. */
export function isReadable(readiness: Readiness): boolean {
  return readiness.ready || readiness.reason === 'clock_skew' || readiness.reason === 'checkpoint_disputed';
}

/** What keeps this tracker from taking commands. What the log's driver says is for who runs the tracker, not for peers. */
export function troubleOf({ readiness, logProblem }: Pick<Replica, 'readiness' | 'logProblem'>): TrackerTrouble | null {
  if (!readiness.ready) return { reason: readiness.reason, detail: readiness.detail };
  return logProblem === null ? null : { reason: 'log_unavailable', detail: ERRORS.log_unavailable.detail };
}

/** Why a tracker that is not ready does not answer, or null when it is. */
export function whyNotReady(readiness: Readiness): Failed | null {
  if (readiness.ready) return null;
  const { reason, detail } = readiness;
  return reason === 'catching_up' ? failed('tracker_behind', { detail }) : failed('tracker_unavailable', { detail });
}
