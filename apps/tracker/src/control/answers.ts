// Owns the shapes that handlers answer with, before the head that every reply carries: what the log decided, what a view
// shows, or why nothing was done.
import type { CommandResult, Outcome } from '#domain/outcome';
import type { RejectionReason } from '#domain/rejection';
import type { Refused } from '#wire/tracker-api';
import type { ErrorCode, FieldError } from '#wire/wire-error';
import type { LogFailure } from '../command-log/command-log.ts';

export type Failed = Extract<Refused, { status: 'failed' }>;
export type Answer = Refused | { readonly status: 'accepted'; readonly offset: number; readonly result: CommandResult };
export type ViewAnswer<View> = Refused | { readonly status: 'accepted'; readonly view: View };

/** A failure before the log: nothing was recorded, or nobody knows. */
export function failed(code: ErrorCode, about: { detail?: string; errors?: readonly FieldError[] } = {}): Failed {
  return { status: 'failed', code, ...about };
}

/** A view's refusal, by the guards of the domain. */
export function rejectedView(reason: RejectionReason): Refused {
  return { status: 'rejected', reason, offset: null };
}

/** What the log decided. */
export function outcomeAnswer({ outcome, offset }: { outcome: Outcome; offset: number }): Answer {
  return outcome.status === 'accepted'
    ? { status: 'accepted', offset, result: outcome.result }
    : { status: 'rejected', offset, reason: outcome.reason };
}

/** What a failure of the log means to who sent the command. */
export function logFailureAnswer({ code, message }: LogFailure): Failed {
  switch (code) {
    case 'log_unavailable':
      return failed('log_unavailable');
    case 'log_busy':
      return failed('busy');
    case 'record_too_large':
      return failed('too_large');
    case 'log_halted':
    case 'log_misconfigured':
      return failed('tracker_unavailable', { detail: message });
  }
}
