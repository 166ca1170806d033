// Owns how many places each key has taken of those that it may have, and forgets keys that have none.

/** Places by key. */
export class BoundedPlaces {
  readonly #placesMax: number;
  readonly #taken = new Map<string, number>();

  /** `placesMax` is for each key. */
  constructor(placesMax: number) {
    this.#placesMax = placesMax;
  }

  /** Takes a place; false when the key has all of its places. Who has taken one gives it back, once. */
  take(key: string): boolean {
    const taken = this.#taken.get(key) ?? 0;
    if (taken >= this.#placesMax) return false;
    this.#taken.set(key, taken + 1);
    return true;
  }

  /** Gives a place back. */
  leave(key: string): void {
    const taken = this.#taken.get(key) ?? 0;
    if (taken <= 1) this.#taken.delete(key);
    else this.#taken.set(key, taken - 1);
  }
}
