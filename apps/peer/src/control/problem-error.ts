// Owns the one error that a handler of the control endpoint throws: a problem document on its way to the filter.
import { codeOfRejection, type ErrorCode, type FieldError, type Problem, problemOf } from '#wire/wire-error';
import type { Refused } from '#wire/tracker-api';

/** Carries a problem to the filter, which answers with it. */
export class ProblemError extends Error {
  readonly problem: Problem;

  constructor(code: ErrorCode, about: Parameters<typeof problemOf>[1] = {}) {
    super(about.detail ?? code);
    this.problem = problemOf(code, about);
  }
}

/** The problem of a refusal by a tracker, or of a failure on the way to one. */
export function problemOfRefusal(refused: Refused, commandId?: string): Problem {
  const about = commandId === undefined ? {} : { commandId };
  if (refused.status === 'rejected') {
    return problemOf(codeOfRejection(refused.reason), {
      ...about,
      ...(refused.offset !== null && { offset: refused.offset }),
    });
  }
  const { code, detail, errors } = refused;
  return problemOf(code, {
    ...about,
    ...(detail !== undefined && { detail }),
    ...(errors !== undefined && { errors }),
  });
}

/** What was accepted; a refusal is thrown on to the filter. */
export function acceptedOrThrow<Answer extends { readonly status: string }>(
  answer: Answer | Refused,
  commandId?: string,
): Exclude<Answer, Refused> {
  if (isRefused(answer)) {
    const problem = problemOfRefusal(answer, commandId);
    throw new ProblemError(problem.code, problem);
  }
  return answer as Exclude<Answer, Refused>;
}

function isRefused(answer: { readonly status: string }): answer is Refused {
  return answer.status === 'rejected' || answer.status === 'failed';
}

/** A request whose field is wrong. */
export function invalidField(field: string, message: string): ProblemError {
  const errors: FieldError[] = [{ field, message }];
  return new ProblemError('invalid_request', { errors });
}
