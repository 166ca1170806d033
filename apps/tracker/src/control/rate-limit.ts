// Owns how often one source may try: token buckets by key, bounded in number. What is limited are attempts that cost the
// tracker work or the log space without a session behind them.
import { RATE_LIMIT_KEYS_MAX } from '#wire/limits';

/** How much is allowed, and by which clock. */
export interface RateLimitOptions {
  /** Attempts at once. */
  readonly burst: number;
  /** Time after which one more attempt is allowed. */
  readonly refillMs: number;
  readonly now: () => number;
}

interface Bucket {
  /** Less than none after attempts that were charged for later. */
  readonly tokens: number;
  readonly atMs: number;
}

/** Token buckets, one for each key. */
export class RateLimit {
  readonly #options: RateLimitOptions;
  readonly #buckets = new Map<string, Bucket>();

  constructor(options: RateLimitOptions) {
    this.#options = options;
  }

  /** Whether the key has an attempt left, which is not taken. */
  allows(key: string): boolean {
    return this.#tokens(key) >= 1;
  }

  /** Takes an attempt when there is one left; false when there is none. */
  take(key: string): boolean {
    if (!this.allows(key)) return false;
    this.charge(key);
    return true;
  }

  /** Takes an attempt that was made already, on credit when there is none left. */
  charge(key: string): void {
    const tokens = this.#tokens(key) - 1;
    this.#buckets.delete(key);
    if (this.#buckets.size >= RATE_LIMIT_KEYS_MAX) this.#forgetOldest();
    this.#buckets.set(key, { tokens, atMs: this.#options.now() });
  }

  #tokens(key: string): number {
    const { burst, refillMs, now } = this.#options;
    const bucket = this.#buckets.get(key);
    if (bucket === undefined) return burst;
    const refilled = Math.max(0, now() - bucket.atMs) / refillMs;
    return Math.min(burst, bucket.tokens + refilled);
  }

  #forgetOldest(): void {
    const [oldest] = this.#buckets.keys();
    if (oldest !== undefined) this.#buckets.delete(oldest);
  }
}
