// Owns doing something again and again while that is of use.

export class Ticker {
  readonly #act: () => void;
  readonly #everyMs: number;
  #timer: NodeJS.Timeout | null = null;

  constructor(everyMs: number, act: () => void) {
    this.#everyMs = everyMs;
    this.#act = act;
  }

  start(): void {
    this.#timer ??= setInterval(this.#act, this.#everyMs);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }
}
