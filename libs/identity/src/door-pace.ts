// Owns how fast strangers are let in at a door: one after the other, and the next when the event loop has had nothing to do for
// as long as it was busy since the last one. A handshake costs a loop milliseconds wherever it comes from, so a crowd gets half of the
// loop's time at most, and the other half is there for who is inside, and for the next one that comes. Who keeps a loop busy by
// other work does not keep strangers out: after a while the next one comes in anyway.

/** How long the loop had nothing to do, and how long it was busy, in milliseconds since it began. */
export interface LoopLoad {
  readonly idle: number;
  readonly active: number;
}

/** So long after the last one the next is let in, however busy the loop is. */
const WAIT_MS_MAX = 5;

/** The pace at one door. */
export class DoorPace {
  readonly #load: () => LoopLoad;
  #last: LoopLoad = { idle: -WAIT_MS_MAX, active: 0 };

  constructor(load: () => LoopLoad) {
    this.#load = load;
  }

  /** Whether the next one may be let in now. */
  get isDue(): boolean {
    const { idle, active } = this.#load();
    const [idleMs, activeMs] = [idle - this.#last.idle, active - this.#last.active];
    return idleMs >= activeMs || idleMs + activeMs >= WAIT_MS_MAX;
  }

  /** One is let in now. */
  step(): void {
    this.#last = this.#load();
  }
}
