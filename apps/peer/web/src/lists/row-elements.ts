// Owns which element of a long list shows which row: those that are free are used again, because another text in them costs a fraction of
// what new ones do. A row keeps its element for as long as it is shown, and so the focus. Pure.

/** The elements of one list, told apart by numbers. */
export class RowElements {
  #shown: ReadonlyMap<string, number> = new Map();
  #made = 0;

  /** The element of each row, by their keys, which are all different. */
  of(keys: readonly string[]): number[] {
    const before = this.#shown;
    const kept = new Set(keys.flatMap((key) => before.get(key) ?? []));
    // In the order in which they stand: fewer of them have to be moved.
    const free = [...before.values()].filter((element) => !kept.has(element)).values();
    const elements = keys.map((key) => before.get(key) ?? free.next().value ?? this.#made++);
    this.#shown = new Map(keys.map((key, place) => [key, elements[place]!]));
    return elements;
  }
}
