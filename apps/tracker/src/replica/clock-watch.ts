// Owns the comparison of this tracker's clock with the log's. A record that was appended long ago tells nothing, so our
// clock counts as ahead only by a record of our own, and as behind by any record that comes from the future.

/** How far the clocks may be apart. */
export const CLOCK_SKEW_MAX_MS = 30_000;

interface Observation {
  /** When the log took the record, by the log's clock. */
  readonly appendTimeMs: number;
  /** When this tracker stamped the record, by its own clock; null for a record of another. */
  readonly ownTimeMs: number | null;
}

/** Tells when this tracker's clock and the log's are too far apart. */
export class ClockWatch {
  readonly #now: () => number;
  readonly #monotonicNow: () => number;
  /** Wall clock minus monotonic clock when the skew was seen; null while there is none. */
  #skewedAt: number | null = null;

  constructor({ now, monotonicNow }: { now: () => number; monotonicNow: () => number }) {
    this.#now = now;
    this.#monotonicNow = monotonicNow;
  }

  /** Whether the clocks are too far apart. A skewed tracker appends nothing, so it ends when our clock is set anew. */
  isSkewed(): boolean {
    if (this.#skewedAt === null) return false;
    const isClockSetAnew = Math.abs(this.#clockOffset() - this.#skewedAt) > 1_000;
    if (isClockSetAnew) this.#skewedAt = null;
    return this.#skewedAt !== null;
  }

  /** Takes in a record that was read live. */
  observe({ appendTimeMs, ownTimeMs }: Observation): void {
    const isBehind = appendTimeMs - this.#now() > CLOCK_SKEW_MAX_MS;
    const isAhead = ownTimeMs !== null && ownTimeMs - appendTimeMs > CLOCK_SKEW_MAX_MS;
    if (isBehind || isAhead) this.#skewedAt = this.#clockOffset();
    else if (Math.abs(appendTimeMs - this.#now()) <= CLOCK_SKEW_MAX_MS) this.#skewedAt = null;
  }

  #clockOffset(): number {
    return this.#now() - this.#monotonicNow();
  }
}
