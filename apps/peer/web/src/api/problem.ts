// Owns what the page is told when something could not be done: the problem document of the peer, or that the peer did not answer.
// Refusals are values, and their sentences are shown as they came.
import type { ErrorCode, FieldError } from '#wire/wire-error';

/** Why something was not done. `peer_away`: no answer came, so that it is not known whether it was. */
export interface PageProblem {
  readonly code: ErrorCode | 'peer_away';
  /** What happened and what to do, as a sentence. */
  readonly detail: string;
  /** Whether the same may succeed later without a change. */
  readonly retryable: boolean;
  readonly errors: readonly FieldError[];
}

/** What came of a question or a command. */
export type Answer<Value> =
  | { readonly ok: true; readonly value: Value; readonly status: number }
  | { readonly ok: false; readonly problem: PageProblem };

/** The peer did not answer, or not as a peer does. */
export const PEER_AWAY: PageProblem = {
  code: 'peer_away',
  detail: 'The peer does not answer. The page goes on by itself when it is back.',
  retryable: true,
  errors: [],
};

/** What is wrong with one field, as a sentence for beside it; null when nothing is said of it. */
export function fieldProblem(problem: PageProblem | null, field: string): string | null {
  const found = problem?.errors.find((error) => error.field === field);
  return found === undefined ? null : asSentence(found.message);
}

/** What is to be said beside a form whose fields are these: all that is not said beside one of them. */
export function restOfProblem(problem: PageProblem | null, fields: readonly string[]): string | null {
  if (problem === null) return null;
  if (problem.errors.length === 0) return problem.detail;
  const others = problem.errors.filter(({ field }) => !fields.includes(field));
  return others.length === 0 ? null : others.map(({ field, message }) => `${field} ${message}.`).join(' ');
}

function asSentence(message: string): string {
  return `${message.charAt(0).toUpperCase()}${message.slice(1)}${message.endsWith('.') ? '' : '.'}`;
}
