// Owns the order in which one connection asks for the pieces that it was given: those that somebody waits for come before all others,
// as they were told, and the others as they came. One of which a part was asked for may have to wait for its rest.
import type { PieceFetch } from './piece-fetch.ts';

/** Pieces that are not yet wholly asked for. */
export class PieceReserve {
  #fetches: PieceFetch[] = [];
  /** Where pieces that somebody waits for stand among each other. */
  #ranks: ReadonlyMap<number, number> = new Map();

  /** The one to ask for next. */
  get first(): PieceFetch | undefined {
    return this.#fetches[0];
  }

  add(fetches: readonly PieceFetch[]): void {
    for (const fetch of fetches) this.#fetches.push(fetch);
    this.#order();
  }

  /** Comes before all that is wanted as much; it may be there still. */
  putBack(fetch: PieceFetch): void {
    if (!this.#fetches.includes(fetch)) this.#fetches.unshift(fetch);
    this.#order();
  }

  remove(fetch: PieceFetch): void {
    if (this.#fetches[0] === fetch) this.#fetches.shift();
    else this.#fetches = this.#fetches.filter((other) => other !== fetch);
  }

  /** Takes these first, in this order, of what is there now or comes. Replaces what it was told before. */
  hurry(pieces: readonly number[]): void {
    this.#ranks = new Map(pieces.map((piece, rank) => [piece, rank]));
    this.#order();
  }

  isHurried(piece: number): boolean {
    return this.#ranks.has(piece);
  }

  /** The lower, the sooner it is wanted; the same for all that nobody waits for. */
  rankOf({ piece }: PieceFetch): number {
    return this.#ranks.get(piece) ?? this.#ranks.size;
  }

  #order(): void {
    if (this.#ranks.size > 0) this.#fetches.sort((left, right) => this.rankOf(left) - this.rankOf(right));
  }
}
