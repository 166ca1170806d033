// Owns how what goes wrong with an auditor's question becomes a problem document: each with a code of the closed set.
import { BadInput } from '#identity/start-input';
import { type ErrorCode, type Problem, problemOf } from '#wire/wire-error';
import { LogFailure } from '../command-log/command-log.ts';
import { UnknownThing } from './unknown-thing.ts';

/** A question that is not answered, for a reason that is not in the question. */
export class AuditRefusal extends Error {
  override readonly name = 'AuditRefusal';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, detail?: string) {
    super(detail);
    this.code = code;
  }
}

/** The problem that an error is; null for a bug. Flags of the command line are parameters here. */
export function auditProblemOf(error: unknown): Problem | null {
  if (error instanceof AuditRefusal)
    return problemOf(error.code, error.message === '' ? {} : { detail: error.message });
  if (error instanceof UnknownThing) return problemOf('not_found', { detail: error.message });
  if (error instanceof LogFailure) return problemOf('log_unavailable', { detail: error.message });
  if (!(error instanceof BadInput)) return null;
  const [, field, message] = /^--([^:\s]+): (.*)$/s.exec(error.message) ?? [];
  if (field === undefined || message === undefined) return problemOf('invalid_request', { detail: error.message });
  return problemOf('invalid_request', { errors: [{ field, message }] });
}
