// Owns how often one source may try: token buckets by key, bounded in number. What is limited are attempts that cost the
// tracker work or the log space without a session behind them.

export interface RateLimitOptions {
  /** Attempts at once. */
  readonly burst: number;
  /** Time after which one more attempt is allowed. */
  readonly refillMs: number;
  readonly now: () => number;
}

interface Bucket {
  readonly tokens: number;
  readonly atMs: number;
}

const KEYS_MAX = 100_000;

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
    const tokens = this.#tokens(key);
    if (tokens < 1) return false;
    this.#buckets.delete(key);
    if (this.#buckets.size >= KEYS_MAX) this.#forgetOldest();
    this.#buckets.set(key, { tokens: tokens - 1, atMs: this.#options.now() });
    return true;
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
