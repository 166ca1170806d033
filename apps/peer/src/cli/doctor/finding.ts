// Owns what a check of a set-up comes to: how it stands, what was seen, and what to do about it.

/** `unknown`: it could not be looked at now, and is nobody's fault. */
export type FindingState = 'ok' | 'warning' | 'problem' | 'unknown';

/** One thing that was looked at. */
export interface Finding {
  readonly state: FindingState;
  /** What was looked at, in a word or two. */
  readonly check: string;
  /** What was seen, as a sentence. */
  readonly detail: string;
  /** What to do, as a sentence; null when there is nothing to be done. */
  readonly action: string | null;
}

/** Makes findings about one thing. */
export class Findings {
  readonly #check: string;

  constructor(check: string) {
    this.#check = check;
  }

  ok(detail: string): Finding {
    return { state: 'ok', check: this.#check, detail, action: null };
  }

  warning(detail: string, action: string): Finding {
    return { state: 'warning', check: this.#check, detail, action };
  }

  problem(detail: string, action: string): Finding {
    return { state: 'problem', check: this.#check, detail, action };
  }

  unknown(detail: string, action: string | null = null): Finding {
    return { state: 'unknown', check: this.#check, detail, action };
  }
}
