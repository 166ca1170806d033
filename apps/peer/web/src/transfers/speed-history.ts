// Owns the rates of the last five minutes, one a second, in a ring that never grows. Pure: the time is a parameter.

/** Seconds that are kept. */
export const HISTORY_SECONDS = 300;

/** A rate each way, in bytes a second. */
export interface Rates {
  readonly downBytesPerSecond: number;
  readonly upBytesPerSecond: number;
}

/** The last five minutes, oldest first, always as many seconds as are kept. */
export interface RateSeries {
  readonly down: Float64Array;
  readonly up: Float64Array;
}

/** Rates by the second. Of a second that was told of twice the later one counts; seconds that were missed had the rate before. */
export class SpeedHistory {
  readonly #down = new Float64Array(HISTORY_SECONDS);
  readonly #up = new Float64Array(HISTORY_SECONDS);
  #second: number | null = null;

  note(nowMs: number, { downBytesPerSecond, upBytesPerSecond }: Rates): void {
    const second = Math.floor(nowMs / 1000);
    // A clock that was set back, or a machine that slept, begins anew.
    const passed = this.#second === null ? 0 : second - this.#second;
    if (passed < 0 || passed > HISTORY_SECONDS) this.#clear();
    else if (passed > 1) this.#fill(this.#second!, second);
    this.#second = second;
    this.#down[second % HISTORY_SECONDS] = downBytesPerSecond;
    this.#up[second % HISTORY_SECONDS] = upBytesPerSecond;
  }

  /** Whether anything moved in what is kept. */
  get isSilent(): boolean {
    return this.#down.every((rate) => rate === 0) && this.#up.every((rate) => rate === 0);
  }

  series(): RateSeries {
    return { down: this.#unrolled(this.#down), up: this.#unrolled(this.#up) };
  }

  #clear(): void {
    this.#down.fill(0);
    this.#up.fill(0);
  }

  #fill(from: number, until: number): void {
    const [down, up] = [this.#down[from % HISTORY_SECONDS]!, this.#up[from % HISTORY_SECONDS]!];
    for (let second = from + 1; second < until; second++) {
      this.#down[second % HISTORY_SECONDS] = down;
      this.#up[second % HISTORY_SECONDS] = up;
    }
  }

  #unrolled(ring: Float64Array): Float64Array {
    const begin = ((this.#second ?? -1) + 1) % HISTORY_SECONDS;
    const series = new Float64Array(HISTORY_SECONDS);
    series.set(ring.subarray(begin));
    series.set(ring.subarray(0, begin), HISTORY_SECONDS - begin);
    return series;
  }
}

/** The top of the scale of a graph: a round rate that all of it fits under. */
export function scaleTop({ down, up }: RateSeries): number {
  let highest = 0;
  for (const rates of [down, up]) for (const rate of rates) highest = Math.max(highest, rate);
  let top = 64 * 1024;
  while (top < highest) top *= 2;
  return top;
}
