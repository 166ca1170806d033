// Owns how the log stands, as far as this tracker has noticed: when it answered last, and what keeps it from taking records
// or from being read. A log can be read and yet take nothing (its file is locked, its disk is full), so the two are told
// apart; whether it takes records is only known from those that are appended.
import type { LogFailure } from '../command-log/command-log.ts';

/** For how long a failed append says something about the next one, when the log can be read. */
const REFUSAL_HELD_MS = 30_000;

/** By both clocks, in milliseconds: one may be set back, the other stands still while the machine sleeps. */
interface Moment {
  readonly wallMs: number;
  readonly monotonicMs: number;
}

/** Takes in what becomes of each call of the log, and says how the log stands. */
export class LogWatch {
  readonly #now: () => number;
  readonly #monotonicNow: () => number;
  readonly #silenceMs: number;
  #answeredAt: Moment;
  /** What the last question came to; null after an answer. */
  #unanswered: string | null = null;
  /** What the last append came to; null after one that was taken. */
  #refused: { readonly detail: string; readonly at: Moment } | null = null;

  /** The log counts as silent when it has not answered for more than `silenceMs`. */
  constructor(from: { now: () => number; monotonicNow: () => number; silenceMs: number }) {
    this.#now = from.now;
    this.#monotonicNow = from.monotonicNow;
    this.#silenceMs = from.silenceMs;
    this.#answeredAt = this.#moment();
  }

  /** For how long the log has not answered, in milliseconds; 0 while it does. */
  silentMs(): number {
    const silentMs = this.#msSince(this.#answeredAt);
    return silentMs > this.#silenceMs ? silentMs : 0;
  }

  /** Why records cannot be appended now, in the words of the log's driver; null while nothing speaks against it. */
  get problem(): string | null {
    if (this.#unanswered !== null) return this.#unanswered;
    if (this.#refused !== null && this.#msSince(this.#refused.at) <= REFUSAL_HELD_MS) return this.#refused.detail;
    return this.silentMs() > 0 ? 'it does not answer' : null;
  }

  /** Something was read from the log, or its end was told. */
  answered(): void {
    this.#answeredAt = this.#moment();
    this.#unanswered = null;
  }

  /** A question had no answer. */
  unanswered({ message }: LogFailure): void {
    this.#unanswered = message;
  }

  /** The log has taken a record. */
  took(): void {
    this.answered();
    this.#refused = null;
  }

  /** An append failed; whether its records are stored is unknown. */
  refused({ message }: LogFailure): void {
    this.#refused = { detail: message, at: this.#moment() };
  }

  #moment(): Moment {
    return { wallMs: this.#now(), monotonicMs: this.#monotonicNow() };
  }

  #msSince({ wallMs, monotonicMs }: Moment): number {
    return Math.max(this.#now() - wallMs, this.#monotonicNow() - monotonicMs);
  }
}
