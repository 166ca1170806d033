// Owns when work that nobody waits for may go on: at once while no bytes move between peers, and seldom while they do, in
// whatever worker that is, since all of them share the processors.
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { LaneCounters } from './lane-counters.ts';

/** Between two steps while bytes move. A step is about a millisecond of work, so it takes a hundredth of one processor. */
export const BUSY_PAUSE_MS = 100;

/** The pauses of one piece of work. */
export class QuietTime {
  readonly #lanes: readonly Pick<LaneCounters, 'read'>[];
  #movedBytes: number;

  /** Counters of all lanes of this peer. */
  constructor(lanes: readonly Pick<LaneCounters, 'read'>[]) {
    this.#lanes = lanes;
    this.#movedBytes = this.#countMoved();
  }

  /** How long the next step has to wait. */
  pauseMs(): number {
    const movedBytes = this.#countMoved();
    const isQuiet = movedBytes === this.#movedBytes;
    this.#movedBytes = movedBytes;
    return isQuiet ? 0 : BUSY_PAUSE_MS;
  }

  /** Resolves when the next step may be done. */
  async next(): Promise<void> {
    const pauseMs = this.pauseMs();
    if (pauseMs === 0) await nextTurn();
    else await sleep(pauseMs);
  }

  #countMoved(): number {
    return this.#lanes.reduce((sum, lane) => {
      const { receivedBytes, sentBytes } = lane.read();
      return sum + receivedBytes + sentBytes;
    }, 0);
  }
}
