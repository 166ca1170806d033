// Owns how reading keeps to a rate: after each slice it waits until the rate would have come as far, with nothing saved up but
// what a moment allows. Waits are short ones, between which whoever called the work off is heard.
import { setTimeout as sleep } from 'node:timers/promises';
import { reserveTokens } from '#domain/token-bucket';

/** How many slices are read in a second, as long as they are neither too short nor too long. */
const SLICES_PER_SECOND = 4;
const SLICE_BYTES_MIN = 16 * 1024;
const SLICE_BYTES_MAX = 1024 * 1024;
const WAIT_MS_MAX = 100;

/** What it waits by: simulated in tests. */
export interface PaceClock {
  readonly nowMicros: () => number;
  readonly sleep: (ms: number) => Promise<unknown>;
}

const CLOCK: PaceClock = { nowMicros: () => Number(process.hrtime.bigint() / 1000n), sleep };

/** The pace of one piece of work. */
export class ReadingPace {
  readonly #bytesPerSecond: number;
  readonly #isCalledOff: () => boolean;
  readonly #clock: PaceClock;
  #freeAtMicros: number;

  constructor(bytesPerSecond: number, isCalledOff: () => boolean, clock = CLOCK) {
    this.#bytesPerSecond = bytesPerSecond;
    this.#isCalledOff = isCalledOff;
    this.#clock = clock;
    this.#freeAtMicros = clock.nowMicros();
  }

  /** How much to read at once. */
  get sliceBytes(): number {
    return Math.min(SLICE_BYTES_MAX, Math.max(SLICE_BYTES_MIN, Math.floor(this.#bytesPerSecond / SLICES_PER_SECOND)));
  }

  /** Resolves when these bytes, which were read just now, are within the rate, or when the work was called off. */
  async spent(bytes: number): Promise<void> {
    const { nowMicros, sleep: wait } = this.#clock;
    const asked = { nowMicros: nowMicros(), bytes, bytesPerSecond: this.#bytesPerSecond };
    this.#freeAtMicros = reserveTokens(this.#freeAtMicros, asked).freeAtMicros;
    for (;;) {
      const waitMs = (this.#freeAtMicros - nowMicros()) / 1000;
      if (waitMs <= 0 || this.#isCalledOff()) return;
      await wait(Math.min(waitMs, WAIT_MS_MAX));
    }
  }
}
