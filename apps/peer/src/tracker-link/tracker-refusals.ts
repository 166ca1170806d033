// Owns what a tracker in trouble means to who asks it: the refusal of a command, and the outage that is told.
import type { Refused } from '#wire/tracker-api';
import type { TrackerTrouble } from '#wire/tracker-trouble';
import { ERRORS } from '#wire/wire-error';
import type { Outage } from './tracker-link.ts';
import { type ChangedKey, changedKeyInWords } from './tracker-trust.ts';

export type Failed = Extract<Refused, { readonly status: 'failed' }>;

/** What a tracker in trouble answers to a command. */
export function refusalBy({ reason, detail }: TrackerTrouble): Failed {
  if (reason === 'log_unavailable') return { status: 'failed', code: 'log_unavailable', detail };
  return { status: 'failed', code: reason === 'catching_up' ? 'tracker_behind' : 'tracker_unavailable', detail };
}

/** Why a tracker with another key is not spoken to. */
export function keyTrouble(changedKey: ChangedKey): TrackerTrouble {
  return { reason: 'key_changed', detail: changedKeyInWords(changedKey) };
}

/** A failure as the outage that it is. */
export function outageOf({ code, detail }: Pick<Failed, 'code' | 'detail'>): Outage {
  return { code, detail: detail ?? ERRORS[code].detail };
}
