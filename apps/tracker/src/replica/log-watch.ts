// Owns how the log stands, as far as this tracker has noticed: when it answered last, and what keeps it from taking records
// or from being read. A log can be read and yet take nothing (its file is locked, its disk is full), so the two are told
// apart; whether it takes records is only known from those that are appended.
import type { LogFailure } from '../command-log/command-log.ts';

/** For how long a failed append says something about the next one, when the log can be read. */
const REFUSAL_HELD_MS = 30_000;

/** Takes in what becomes of each call of the log, and says how the log stands. */
export class LogWatch {
  readonly #now: () => number;
  readonly #silenceMs: number;
  #answeredAtMs: number;
  /** What the last question came to; null after an answer. */
  #unanswered: string | null = null;
  /** What the last append came to; null after one that was taken. */
  #refused: { readonly detail: string; readonly atMs: number } | null = null;

  /** The log counts as silent when it has not answered for more than `silenceMs`. */
  constructor({ now, silenceMs }: { now: () => number; silenceMs: number }) {
    this.#now = now;
    this.#silenceMs = silenceMs;
    this.#answeredAtMs = now();
  }

  /** For how long the log has not answered, in milliseconds; 0 while it does. */
  silentMs(): number {
    const silentMs = this.#now() - this.#answeredAtMs;
    return silentMs > this.#silenceMs ? silentMs : 0;
  }

  /** Why records cannot be appended now, in the words of the log's driver; null while nothing speaks against it. */
  get problem(): string | null {
    if (this.#unanswered !== null) return this.#unanswered;
    if (this.#refused !== null && this.#now() - this.#refused.atMs <= REFUSAL_HELD_MS) return this.#refused.detail;
    return this.silentMs() > 0 ? 'it does not answer' : null;
  }

  /** Something was read from the log, or its end was told. */
  answered(): void {
    this.#answeredAtMs = this.#now();
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
    this.#refused = { detail: message, atMs: this.#now() };
  }
}
