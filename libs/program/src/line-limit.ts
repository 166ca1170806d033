// Owns how often one thing is said: of lines with the same words a bounded number in each stretch of time, and the first one
// after that tells how many were left out. What is remembered is bounded as well.

const LINES_MAX = 10;
const STRETCH_MS = 10_000;
const KEYS_MAX = 1_000;

interface Said {
  readonly sinceMs: number;
  count: number;
}

/** Counts what is said. */
export class LineLimit {
  readonly #now: () => number;
  /** By what is said, the longest quiet first. */
  readonly #said = new Map<string, Said>();

  /** `now` in milliseconds, from anywhere on. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Null when there were too many like it; else how many were left out since the last one that was not. */
  take(key: string): number | null {
    const nowMs = this.#now();
    const said = this.#said.get(key);
    if (said !== undefined && nowMs - said.sinceMs < STRETCH_MS) {
      said.count += 1;
      return said.count <= LINES_MAX ? 0 : null;
    }
    this.#said.delete(key);
    this.#said.set(key, { sinceMs: nowMs, count: 1 });
    if (this.#said.size > KEYS_MAX) this.#said.delete(this.#said.keys().next().value!);
    return Math.max(0, (said?.count ?? 0) - LINES_MAX);
  }
}
