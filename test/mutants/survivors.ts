// Owns why a mutant may live: each that no test can find, by the line that it changes and what it writes there. Lines and not
// their numbers, so that an explanation stays with its line when others move, and is void when that line changes.

/** Mutants of one line that change nothing anybody could see. */
export interface Explained {
  readonly file: string;
  /** The line without its indentation. */
  readonly line: string;
  /** What the mutants write, each as the list of survivors shows it. */
  readonly mutants: readonly string[];
  readonly why: string;
}

export const EXPLAINED: readonly Explained[] = [
  {
    file: 'libs/domain/src/decide.ts',
    line: "if (actor.kind !== 'tracker' || actor.trackerId !== signer) return 'not_a_tracker';",
    mutants: ["actor.kind !== 'tracker' → false"],
    why: 'no peer has a tracker id, so none equals a signer; the type does not know that',
  },
];
