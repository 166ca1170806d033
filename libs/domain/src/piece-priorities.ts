// Owns how much each piece of one download is wanted: a priority each, and before them all an ordered window of urgent pieces,
// which somebody waits for. Both may change at any time. Until they do every piece is alike, and that costs nothing.
import type { PieceIndex } from './piece-geometry.ts';

/** How much something is wanted. What is skipped is not fetched. */
export const PRIORITIES = { skip: 0, low: 1, normal: 2, high: 3 } as const;

/** The name of a priority. */
export type PriorityName = keyof typeof PRIORITIES;

/** The priorities of the pieces of one download. */
export class PiecePriorities {
  readonly #pieceCount: number;
  /** Null while all are normal. */
  #priorities: Uint8Array | null = null;
  #urgent: ReadonlySet<PieceIndex> = new Set();

  constructor(pieceCount: number) {
    this.#pieceCount = pieceCount;
  }

  /** The urgent pieces, the first one first. */
  get urgent(): ReadonlySet<PieceIndex> {
    return this.#urgent;
  }

  /** One priority for each piece. Throws RangeError when there are more or fewer. */
  prioritize(priorities: Uint8Array): void {
    if (priorities.length !== this.#pieceCount) throw new RangeError('there must be one priority for each piece');
    const isUniform = priorities.every((priority) => priority === PRIORITIES.normal);
    this.#priorities = isUniform ? null : Uint8Array.from(priorities);
  }

  /** Replaces the urgent window. Returns the pieces that came into it or left it. */
  hurry(pieces: readonly PieceIndex[]): PieceIndex[] {
    const before = this.#urgent;
    this.#urgent = new Set(pieces);
    const came = [...this.#urgent].filter((piece) => !before.has(piece));
    return [...came, ...[...before].filter((piece) => !this.#urgent.has(piece))];
  }

  /** The priority of a piece; an urgent one has at least that of all others. */
  of(piece: PieceIndex): number {
    if (this.#urgent.size > 0 && this.#urgent.has(piece)) return PRIORITIES.high;
    return this.#priorities === null ? PRIORITIES.normal : (this.#priorities[piece] ?? PRIORITIES.skip);
  }

  isWanted(piece: PieceIndex): boolean {
    return this.of(piece) !== PRIORITIES.skip;
  }

  /** Missing pieces in classes of one priority, the highest first; those that have none are left out. */
  classesOf(missing: Uint32Array): readonly Uint32Array[] {
    if (this.#priorities === null) return [missing];
    const classes: number[][] = [[], [], [], []];
    for (const piece of missing) classes[this.of(piece as PieceIndex)]?.push(piece);
    return classes
      .slice(PRIORITIES.low)
      .toReversed()
      .filter(({ length }) => length > 0)
      .map((pieces) => Uint32Array.from(pieces));
  }
}
