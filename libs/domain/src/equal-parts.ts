// Owns how long a source that has delivered its equal part waits for the others. Connections alone do not make parts equal: who
// answers first has much of a small content before the next one answers. Waiting is bounded, so a slow source costs little.
// Pure: time comes in.

/** A source that takes part, as equality sees it. */
export interface PartTaker {
  readonly id: number;
  readonly deliveredBytes: number;
  /** Null while it is not known. */
  readonly bytesPerSecond: number | null;
  /** Connected and lacking pieces: nobody can wait for what it may not have. */
  readonly isPartial: boolean;
}

const PATIENCE_MS = 250;
const PATIENCE_PART = 0.05;
/** Who waits leaves room to the others, which then are faster than they were: only who is far too slow is not waited for. */
const SPEED_UP = 4;

/** The equal parts of one download, counted anew whenever other sources take part. */
export class EqualParts {
  #ids = '';
  #startMs = 0;
  #delivered: ReadonlyMap<number, number> = new Map();
  #waitsSinceMs: number | null = null;
  #isGivenUp = false;

  /**
   * Bytes that each source may have outstanding before it is ahead of its part; Infinity for all of them when one source is
   * alone, has not all pieces, or would be waited for longer than 0.25 seconds and a twentieth of the time so far.
   */
  limits(input: {
    readonly nowMs: number;
    readonly leftBytes: number;
    readonly pieceBytes: number;
    readonly takers: readonly PartTaker[];
  }): (id: number) => number {
    const { nowMs, leftBytes, pieceBytes, takers } = input;
    this.#follow(takers, nowMs);
    if (this.#isGivenUp || takers.length < 2 || takers.some(({ isPartial }) => isPartial)) return () => Infinity;
    const came = takers.map(({ id, deliveredBytes }) => deliveredBytes - (this.#delivered.get(id) ?? 0));
    const partBytes = came.reduce((sum, bytes) => sum + bytes, leftBytes) / takers.length;
    const rests = new Map(takers.map(({ id }, index) => [id, Math.max(0, partBytes - (came[index] ?? 0))]));
    const isAhead = [...rests.values()].some((restBytes) => restBytes < pieceBytes);
    this.#waitsSinceMs = isAhead ? (this.#waitsSinceMs ?? nowMs) : null;
    this.#isGivenUp = isAhead && takers.some((taker) => this.#takesTooLong(taker, rests.get(taker.id) ?? 0, nowMs));
    return (id) => (this.#isGivenUp ? Infinity : (rests.get(id) ?? Infinity));
  }

  #follow(takers: readonly PartTaker[], nowMs: number): void {
    const ids = takers.map(({ id }) => id).join();
    if (ids === this.#ids) return;
    this.#ids = ids;
    this.#startMs = nowMs;
    this.#delivered = new Map(takers.map(({ id, deliveredBytes }) => [id, deliveredBytes]));
    this.#waitsSinceMs = null;
    this.#isGivenUp = false;
  }

  #takesTooLong({ bytesPerSecond }: PartTaker, restBytes: number, nowMs: number): boolean {
    const waitedMs = nowMs - (this.#waitsSinceMs ?? nowMs);
    const patienceMs = PATIENCE_MS + PATIENCE_PART * (nowMs - this.#startMs) - waitedMs;
    const restMs = bytesPerSecond === null ? 0 : (restBytes * 1000) / (bytesPerSecond * SPEED_UP);
    return restMs > patienceMs;
  }
}
