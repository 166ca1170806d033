// Owns the closed set of error codes that a person or a script can meet, with their HTTP status, whether to try again, and
// the sentence that says what to do. One table: the control endpoint, the tracker link and the command line read it.
import type { RejectionReason } from '#domain/rejection';

interface ErrorRule {
  readonly status: number;
  /** Whether the same request, with the same command id, may succeed later without a change. */
  readonly retryable: boolean;
  readonly detail: string;
}

const rule = (status: number, detail: string): ErrorRule => ({ status, retryable: false, detail });
const retry = (status: number, detail: string): ErrorRule => ({ status, retryable: true, detail });

/** Every code with what it means. */
export const ERRORS = {
  invalid_request: rule(400, 'The request is not well-formed; errors names each field and what it must be.'),
  control_token_required: rule(401, 'Send the token from control-token in the data directory as a bearer token.'),
  audit_key_required: rule(
    401,
    'Send an audit key as a bearer token: cohort audit-keys create makes one on the machine of this tracker.',
  ),
  not_logged_in: rule(401, 'Nobody is logged in on this peer: log in first.'),
  wrong_credentials: rule(401, 'The user name or the password is wrong.'),
  not_a_member: rule(403, 'Only members of the group may do this: ask to join it with join_group.'),
  request_pending: rule(403, 'The request to join this group is still waiting for its owner.'),
  not_group_owner: rule(403, 'Only the owner of the group may do this.'),
  not_share_owner: rule(
    403,
    'Only who shared the file, or the owner of the group, may publish its next version or take it out everywhere.',
  ),
  foreign_host: rule(403, 'The Host header names another host than this peer answers for; see --allow-host.'),
  foreign_origin: rule(403, 'The request comes from a page of another origin.'),
  group_not_found: rule(404, 'There is no group of that name: list_groups shows those there are.'),
  file_not_found: rule(404, 'There is no such file in the group: list_files shows those there are.'),
  version_not_found: rule(404, 'The file has no such version any more: list_files --versions shows those there are.'),
  user_not_found: rule(404, 'There is no such user, or the user is not in the group.'),
  request_not_found: rule(404, 'That user has no open request to join the group.'),
  session_not_found: rule(404, 'This user has no session on that peer.'),
  transfer_not_found: rule(404, 'This peer has no transfer of that id.'),
  command_not_found: rule(404, 'No command of that name or id is known here.'),
  not_found: rule(404, 'There is nothing at this address; the interface is described at /api/docs.'),
  user_exists: rule(409, 'That user name is taken.'),
  group_exists: rule(409, 'That group name is taken.'),
  file_exists: rule(
    409,
    "The group has another file of that name: share it under another name, or, as who shared it or the group's owner, as its next version with update.",
  ),
  version_changed: rule(
    409,
    'Another version has been published or taken out since this upload began: look at list_files, and upload it again if it is still wanted.',
  ),
  already_member: rule(409, 'The user is a member of the group already.'),
  already_requested: rule(409, 'The request to join this group was made already.'),
  already_logged_in: rule(409, 'A user is logged in on this peer already: log out first.'),
  owner_must_hand_over: rule(409, 'The owner cannot go while others remain: hand over with transfer_ownership first.'),
  destination_exists: rule(409, 'There is a file at the destination: choose another one, or say overwrite.'),
  transfer_failed: rule(409, 'The transfer failed; its reason says why and what to do.'),
  transfer_unfinished: rule(
    409,
    'Only a copy that was complete once can be rechecked; what a download has so far is checked whenever it goes on.',
  ),
  credential_changed: rule(409, 'The password was changed meanwhile: try again with the new one.'),
  too_large: rule(413, 'The request is larger than the limit.'),
  range_not_satisfiable: rule(416, 'The file has none of these bytes: Content-Range says how many it has.'),
  json_required: rule(415, 'The body must be application/json.'),
  idempotency_key_reused: rule(422, 'This Idempotency-Key was used for another command: use a new one.'),
  command_expired: rule(
    422,
    'The command is too far behind the log to tell whether it ran: look, then send a new one.',
  ),
  rate_limited: retry(429, 'Too many attempts: wait a little.'),
  internal_error: rule(500, 'This is a bug; the log of the process has the details.'),
  tracker_unavailable: retry(
    503,
    'No tracker of tracker_info.txt answers: start one, or correct its line. Running downloads go on while their grants last, finished copies are served.',
  ),
  tracker_behind: retry(503, 'The tracker has not yet read as far as this peer has seen.'),
  trackers_disagree: rule(
    503,
    'The trackers of tracker_info.txt serve different logs: give all of them one --log, and restart this peer when that is another one than before.',
  ),
  log_unavailable: retry(
    503,
    'The log takes no records now: /status of each tracker says why. Views and running downloads go on; send a command again with the same Idempotency-Key.',
  ),
  content_unavailable: retry(503, 'Nobody who has these bytes sends them now.'),
  busy: retry(503, 'Too much is under way: try again shortly.'),
  outcome_unknown: retry(
    503,
    'No answer came in time: the command may have run. Repeat it with the same Idempotency-Key.',
  ),
} as const satisfies Record<string, ErrorRule>;

/** The closed set of error codes. */
export type ErrorCode = keyof typeof ERRORS;

/** One field of a request and what is wrong with it. */
export interface FieldError {
  readonly field: string;
  readonly message: string;
}

/** `application/problem+json` (RFC 9457) as the control endpoint answers it. */
export interface Problem {
  readonly type: 'about:blank';
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly commandId?: string;
  /** What the request is known by in logs. */
  readonly correlationId?: string;
  readonly offset?: number;
  readonly errors: readonly FieldError[];
}

/** The code that a person reads for a refusal decided on the log. */
export function codeOfRejection(reason: RejectionReason): ErrorCode {
  return Object.hasOwn(ERRORS, reason) ? (reason as ErrorCode) : 'invalid_request';
}

/** A problem document for a code; what is left out of `about` takes the table's words. */
export function problemOf(
  code: ErrorCode,
  about: { detail?: string; commandId?: string; offset?: number; errors?: readonly FieldError[] } = {},
): Problem {
  const { status, retryable, detail } = ERRORS[code];
  return {
    type: 'about:blank',
    title: code.replaceAll('_', ' '),
    status,
    detail: about.detail ?? detail,
    code,
    retryable,
    ...(about.commandId !== undefined && { commandId: about.commandId }),
    ...(about.offset !== undefined && { offset: about.offset }),
    errors: about.errors ?? [],
  };
}
