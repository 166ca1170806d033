// Owns the closed set of reasons for which `apply` refuses a record. Each is also the `code` that a person reads.

/** Every reason that a decision on the log can give; part of the log's meaning, so only a new rules version adds one. */
export const REJECTION_REASONS = [
  'malformed_record',
  'unsupported_record',
  'idempotency_key_reused',
  'command_expired',
  'not_a_tracker',
  'log_already_started',
  'rules_unknown',
  'checkpoint_not_found',
  'not_logged_in',
  'wrong_credentials',
  'credential_changed',
  'already_logged_in',
  'session_not_found',
  'user_exists',
  'user_not_found',
  'group_exists',
  'group_not_found',
  'not_a_member',
  'request_pending',
  'request_not_found',
  'already_member',
  'already_requested',
  'not_group_owner',
  'owner_must_hand_over',
  'file_exists',
  'file_not_found',
  'not_share_owner',
  'version_not_found',
  'version_changed',
] as const;

/** Why the log refuses a command. */
export type RejectionReason = (typeof REJECTION_REASONS)[number];
