// Owns a rate over the last two seconds, from samples of a running total.

const WINDOW_MS = 2_000;

export class RateMeter {
  readonly #now: () => number;
  #samples: { readonly atMs: number; readonly bytes: number }[] = [];

  constructor(now: () => number) {
    this.#now = now;
    this.#samples.push({ atMs: now(), bytes: 0 });
  }

  /** Takes the total so far; true when it grew. */
  sample(bytes: number): boolean {
    const atMs = this.#now();
    const grew = bytes > (this.#samples.at(-1)?.bytes ?? 0);
    this.#samples.push({ atMs, bytes });
    while (this.#samples.length > 2 && atMs - (this.#samples[1]?.atMs ?? atMs) >= WINDOW_MS) this.#samples.shift();
    return grew;
  }

  get bytesPerSecond(): number {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (first === undefined || last === undefined || last.atMs <= first.atMs) return 0;
    return Math.round(((last.bytes - first.bytes) * 1000) / (last.atMs - first.atMs));
  }
}
