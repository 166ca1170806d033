// Owns a map for what mostly has one entry or none: of a million shares nearly every one has one seeder and no downloader. A Map
// takes 180 bytes before it holds anything; this one holds an only entry itself, and becomes a Map with the second.

/** What a Map does, in the order of its entries too. What iterates does not see what is added meanwhile. */
export class SmallMap<Value extends object | string> implements ReadonlyMap<string, Value> {
  /** The key of the only entry; null when there is none, or a Map has them. */
  #key: string | null = null;
  /** The value of the only entry, or the Map that has all of them; null when there is none. */
  #held: Value | Map<string, Value> | null = null;

  constructor(entries: Iterable<readonly [string, Value]> = []) {
    for (const [key, value] of entries) this.set(key, value);
  }

  get size(): number {
    return this.#map?.size ?? (this.#key === null ? 0 : 1);
  }

  has(key: string): boolean {
    return this.#map?.has(key) ?? key === this.#key;
  }

  get(key: string): Value | undefined {
    if (key === this.#key) return this.#held as Value;
    return this.#map?.get(key);
  }

  set(key: string, value: Value): this {
    const map = this.#map;
    if (map !== null) map.set(key, value);
    else if ((this.#key ?? key) === key) [this.#key, this.#held] = [key, value];
    else [this.#held, this.#key] = [new Map([...this, [key, value]]), null];
    return this;
  }

  /** Whether it was there. */
  delete(key: string): boolean {
    if (key !== this.#key) return this.#map?.delete(key) ?? false;
    this.#key = null;
    this.#held = null;
    return true;
  }

  entries(): MapIterator<[string, Value]> {
    return this.#entries.entries();
  }

  keys(): MapIterator<string> {
    return this.#entries.keys();
  }

  values(): MapIterator<Value> {
    return this.#entries.values();
  }

  forEach(visit: (value: Value, key: string, map: ReadonlyMap<string, Value>) => void): void {
    for (const [key, value] of this) visit(value, key, this);
  }

  [Symbol.iterator](): MapIterator<[string, Value]> {
    return this.entries();
  }

  get #map(): Map<string, Value> | null {
    return this.#key === null ? (this.#held as Map<string, Value> | null) : null;
  }

  get #entries(): ReadonlyMap<string, Value> {
    if (this.#key !== null) return new Map([[this.#key, this.#held as Value]]);
    return this.#map ?? NOTHING;
  }
}

const NOTHING: ReadonlyMap<string, never> = new Map<string, never>();
