// Owns what is asked of whoever types: one line, with what helps to type it, and that there is none.

/** What stands in the place of the end of a line that is completed: `by` are the texts that it may become. */
export interface LineCompletion {
  readonly replaced: string;
  readonly by: readonly string[];
}

/** A prompt for one line. */
export interface LineQuestion {
  readonly question: string;
  /** What the Tab key makes of a line up to the cursor. Never rejects. */
  readonly complete: (line: string) => Promise<LineCompletion>;
  /** Earlier lines, the last one first. */
  readonly history: readonly string[];
}

/** There is no next line: standard input has ended, or the person gave up with Ctrl-C or Ctrl-D. */
export class InputEnded extends Error {
  readonly isInterrupt: boolean;
  constructor(isInterrupt: boolean) {
    super(isInterrupt ? 'Interrupted.' : 'Standard input ended where an answer was needed.');
    this.isInterrupt = isInterrupt;
  }
}
