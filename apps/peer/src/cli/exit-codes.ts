// Owns what the process says with its exit code (sysexits where they fit), so that scripts can tell a conflict from an
// outage without reading text.
import { ERRORS, type ErrorCode } from '#wire/wire-error';

/** Exit codes of every command. 1 and 2 are kept for verdicts: something is damaged, or not there to be judged. */
export const EXIT = {
  ok: 0,
  damaged: 1,
  incomplete: 2,
  badInput: 64,
  conflict: 65,
  unknownThing: 66,
  unavailable: 69,
  bug: 70,
  outcomeUnknown: 75,
  refused: 77,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const BY_STATUS: Readonly<Record<number, ExitCode>> = {
  400: EXIT.badInput,
  401: EXIT.refused,
  403: EXIT.refused,
  404: EXIT.unknownThing,
  409: EXIT.conflict,
  413: EXIT.badInput,
  415: EXIT.badInput,
  416: EXIT.badInput,
  422: EXIT.conflict,
  429: EXIT.unavailable,
  500: EXIT.bug,
  503: EXIT.unavailable,
};

/** The exit code for a refusal or failure that the peer reported. */
export function exitCodeOf(code: ErrorCode): ExitCode {
  if (code === 'outcome_unknown') return EXIT.outcomeUnknown;
  return BY_STATUS[ERRORS[code].status] ?? EXIT.bug;
}
