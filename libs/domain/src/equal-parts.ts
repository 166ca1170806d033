// Owns how long a source that has delivered its equal part waits for the others. Connections alone do not make parts equal: who
// answers first has much of a small content before the next one answers. Waiting is bounded, so a slow source costs little.
// All waits of a download together have one bound, however often sources come and go. Pure: time comes in.

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
  #ids: string | null = null;
  #startMs: number | null = null;
  #delivered: ReadonlyMap<number, number> = new Map();
  #lastMs = 0;
  #isWaiting = false;
  #waitedMs = 0;
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
    this.#startMs ??= nowMs;
    if (this.#isWaiting) this.#waitedMs += nowMs - this.#lastMs;
    this.#lastMs = nowMs;
    this.#isWaiting = false;
    this.#follow(takers);
    if (this.#isGivenUp || takers.length < 2 || takers.some(({ isPartial }) => isPartial)) return () => Infinity;
    const came = takers.map(({ id, deliveredBytes }) => deliveredBytes - (this.#delivered.get(id) ?? 0));
    const partBytes = came.reduce((sum, bytes) => sum + bytes, leftBytes) / takers.length;
    const rests = new Map(takers.map(({ id }, index) => [id, Math.max(0, partBytes - (came[index] ?? 0))]));
    const isAhead = [...rests.values()].some((restBytes) => restBytes < pieceBytes);
    this.#isGivenUp = isAhead && takers.some((taker) => this.#takesTooLong(taker, rests.get(taker.id) ?? 0));
    this.#isWaiting = isAhead && !this.#isGivenUp;
    return (id) => (this.#isGivenUp ? Infinity : (rests.get(id) ?? Infinity));
  }

  #follow(takers: readonly PartTaker[]): void {
    const ids = takers.map(({ id }) => id).join();
    if (ids === this.#ids) return;
    this.#ids = ids;
    this.#delivered = new Map(takers.map(({ id, deliveredBytes }) => [id, deliveredBytes]));
    this.#isGivenUp = false;
  }

  #takesTooLong({ bytesPerSecond }: PartTaker, restBytes: number): boolean {
    const patienceMs = PATIENCE_MS + PATIENCE_PART * (this.#lastMs - (this.#startMs ?? 0)) - this.#waitedMs;
    const restMs = bytesPerSecond === null ? 0 : (restBytes * 1000) / (bytesPerSecond * SPEED_UP);
    return restMs > patienceMs;
  }
}
