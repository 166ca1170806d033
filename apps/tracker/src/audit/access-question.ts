// Owns where an access is asked about: at one moment, or from one to another.
import { BadInput } from '#identity/start-input';
import { END, type Moment, momentOf } from './moment.ts';

/** One moment, or the first and the last of a time. */
export type AccessQuestion = { readonly at: Moment } | { readonly between: readonly [Moment, Moment] };

/** Reads what was given; with nothing it is the end of the log. Throws BadInput. */
export function accessQuestionOf(given: {
  readonly at?: string | undefined;
  readonly between?: readonly string[] | undefined;
}): AccessQuestion {
  const { at, between } = given;
  if (between === undefined) return { at: at === undefined ? END : momentOf('--at', at) };
  const [from, to, ...rest] = between.map((text) => momentOf('--between', text));
  if (at !== undefined || from === undefined || to === undefined || rest.length > 0) {
    throw new BadInput('give --at with one moment, or --between with two');
  }
  return { between: [from, to] };
}
