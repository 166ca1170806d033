// Owns how many transfers are active at a time: who has a place fetches or hashes, the others wait in the order in which they
// were begun, which a restart does not change. Whatever stands still gives its place away and asks for one when it can go on.

/** A transfer as the places see it. */
export interface PlaceTaker {
  /** No two are begun at the same time. */
  readonly record: { readonly startedAtMs: number };
  /** It has a place now. */
  enter(): void;
  /** Stops, to wait for a place again; false when it cannot stop without losing what it did, and goes on. */
  stepBack(): boolean;
}

export class TransferPlaces {
  readonly #held = new Set<PlaceTaker>();
  readonly #waiting = new Set<PlaceTaker>();
  #max = Infinity;

  /** Whether it has a place; if not, it waits for one from now on, and `enter` is called. */
  take(taker: PlaceTaker): boolean {
    if (this.#held.has(taker)) return true;
    const hasRoom = this.#held.size < this.#max;
    (hasRoom ? this.#held : this.#waiting).add(taker);
    return hasRoom;
  }

  isWaiting(taker: PlaceTaker): boolean {
    return this.#waiting.has(taker);
  }

  /** It needs no place any more. */
  leave(taker: PlaceTaker): void {
    this.#waiting.delete(taker);
    if (this.#held.delete(taker)) this.#admit();
  }

  /** Null is no limit. Of what is too many from now on the youngest step back, those that can. */
  limit(max: number | null): void {
    this.#max = max ?? Infinity;
    for (const taker of [...this.#held].sort(byAge).toReversed()) {
      if (this.#held.size <= this.#max || !taker.stepBack()) continue;
      this.#held.delete(taker);
      this.#waiting.add(taker);
    }
    this.#admit();
  }

  #admit(): void {
    while (this.#held.size < this.#max) {
      const [oldest] = [...this.#waiting].sort(byAge);
      if (oldest === undefined) return;
      this.#waiting.delete(oldest);
      this.#held.add(oldest);
      oldest.enter();
    }
  }
}

function byAge(left: PlaceTaker, right: PlaceTaker): number {
  return left.record.startedAtMs - right.record.startedAtMs;
}
