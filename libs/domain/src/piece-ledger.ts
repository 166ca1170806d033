// Owns who fetches which piece of one download. A piece is in exactly one state: missing, assigned (one holder), hedged (a
// holder, and others that were asked as well near the end) or verified, and verified is final. Holders are numbers that
// the caller gives out, one for each connection. It knows no time and no sources: those choose, this one remembers.
import { type PieceGeometry, type PieceIndex, pieceRange } from './piece-geometry.ts';

/** Where a piece is: in exactly one of these. `hedged` is asked of two sources. */
export type PieceState = 'missing' | 'assigned' | 'hedged' | 'verified';

/** What `release` left behind: nobody fetches it, the other holders go on without it, or the holder did not have it. */
export type Released = 'missing' | 'taken_over' | 'not_held';

const NOBODY = -1;

/** The state of every piece of one download. */
export class PieceLedger {
  readonly geometry: PieceGeometry;
  readonly #verified: Uint8Array;
  readonly #holder: Int32Array;
  /** Who was asked as well, in the order in which they would write. Few pieces have any, and only near the end. */
  readonly #hedgers = new Map<PieceIndex, readonly number[]>();
  /** Missing pieces in no order, and where each stands in that list. */
  readonly #missing: Uint32Array;
  readonly #missingPosition: Int32Array;
  readonly #held = new Map<number, Set<PieceIndex>>();
  #missingCount = 0;
  #verifiedCount = 0;
  #verifiedBytes = 0;

  /** Everything is missing, except what `alreadyVerified` says. */
  constructor(geometry: PieceGeometry, alreadyVerified: (piece: PieceIndex) => boolean) {
    const { pieceCount } = geometry;
    this.geometry = geometry;
    this.#verified = new Uint8Array(pieceCount);
    this.#holder = new Int32Array(pieceCount).fill(NOBODY);
    this.#missing = new Uint32Array(pieceCount);
    this.#missingPosition = new Int32Array(pieceCount).fill(NOBODY);
    for (let index = 0; index < pieceCount; index++) {
      const piece = index as PieceIndex;
      if (alreadyVerified(piece)) this.#countVerified(piece);
      else this.#addMissing(piece);
    }
  }

  get missingCount(): number {
    return this.#missingCount;
  }

  get verifiedCount(): number {
    return this.#verifiedCount;
  }

  get verifiedBytes(): number {
    return this.#verifiedBytes;
  }

  get isComplete(): boolean {
    return this.#verifiedCount === this.geometry.pieceCount;
  }

  stateOf(piece: PieceIndex): PieceState {
    if (this.#verified[piece] === 1) return 'verified';
    if (this.#missingPosition[piece] !== NOBODY) return 'missing';
    return this.#hedgers.has(piece) ? 'hedged' : 'assigned';
  }

  /** The missing pieces in no particular order, as they are until the next change: to read at once, not to keep. */
  missingPieces(): Uint32Array {
    return this.#missing.subarray(0, this.#missingCount);
  }

  /** What a holder is fetching, in the order in which it was given. */
  piecesOf(holder: number): ReadonlySet<PieceIndex> {
    return this.#held.get(holder) ?? new Set();
  }

  /** Who holds a piece: first the holder that writes it, then those that were asked as well. */
  holdersOf(piece: PieceIndex): number[] {
    const writer = this.#holder[piece] ?? NOBODY;
    return writer === NOBODY ? [] : [writer, ...(this.#hedgers.get(piece) ?? [])];
  }

  /** Gives a missing piece to a holder; false when it is not missing. */
  assign(piece: PieceIndex, holder: number): boolean {
    if (this.stateOf(piece) !== 'missing') return false;
    this.#removeMissing(piece);
    this.#holder[piece] = holder;
    this.#hold(piece, holder);
    return true;
  }

  /** Asks one more holder for a piece; false when nobody holds it, or this one does. */
  hedge(piece: PieceIndex, holder: number): boolean {
    const holders = this.holdersOf(piece);
    if (holders.length === 0 || holders.includes(holder)) return false;
    this.#setHolders(piece, [...holders, holder]);
    this.#hold(piece, holder);
    return true;
  }

  /** A hedging holder has the piece: it is the next to write it. */
  prefer(piece: PieceIndex, holder: number): void {
    const [writer = NOBODY, ...hedgers] = this.holdersOf(piece);
    if (!hedgers.includes(holder)) return;
    this.#setHolders(piece, [writer, holder, ...hedgers.filter((other) => other !== holder)]);
  }

  /** The piece is on disk and its digest fits. Returns the other holders, whose work is void; they hold it no more. */
  verify(piece: PieceIndex, holder: number): number[] {
    if (this.stateOf(piece) === 'verified') return [];
    const losers = this.holdersOf(piece).filter((other) => other !== holder);
    for (const each of this.holdersOf(piece)) this.#drop(piece, each);
    if (this.stateOf(piece) === 'missing') this.#removeMissing(piece);
    this.#setHolders(piece, []);
    this.#countVerified(piece);
    return losers;
  }

  /** A holder gives a piece back. With `taken_over` there are others; the first of them is now the one that writes. */
  release(piece: PieceIndex, holder: number): Released {
    if (!this.piecesOf(holder).has(piece)) return 'not_held';
    this.#drop(piece, holder);
    const left = this.holdersOf(piece).filter((other) => other !== holder);
    this.#setHolders(piece, left);
    if (left.length > 0) return 'taken_over';
    this.#addMissing(piece);
    return 'missing';
  }

  /** A holder is gone: gives everything back that it held. Returns the pieces that another holder now writes. */
  releaseAll(holder: number): PieceIndex[] {
    const wroteItself = (piece: PieceIndex): boolean => this.#holder[piece] === holder;
    const takenOver: PieceIndex[] = [];
    for (const piece of [...this.piecesOf(holder)]) {
      const didWrite = wroteItself(piece);
      if (this.release(piece, holder) === 'taken_over' && didWrite) takenOver.push(piece);
    }
    return takenOver;
  }

  #setHolders(piece: PieceIndex, [writer = NOBODY, ...hedgers]: readonly number[]): void {
    this.#holder[piece] = writer;
    if (hedgers.length > 0) this.#hedgers.set(piece, hedgers);
    else this.#hedgers.delete(piece);
  }

  #hold(piece: PieceIndex, holder: number): void {
    const pieces = this.#held.get(holder);
    if (pieces === undefined) this.#held.set(holder, new Set([piece]));
    else pieces.add(piece);
  }

  #drop(piece: PieceIndex, holder: number): void {
    const pieces = this.#held.get(holder)!;
    pieces.delete(piece);
    if (pieces.size === 0) this.#held.delete(holder);
  }

  #countVerified(piece: PieceIndex): void {
    this.#verified[piece] = 1;
    this.#verifiedCount++;
    this.#verifiedBytes += pieceRange(this.geometry, piece).length;
  }

  #addMissing(piece: PieceIndex): void {
    this.#missing[this.#missingCount] = piece;
    this.#missingPosition[piece] = this.#missingCount++;
  }

  /** The last of the list takes the place of the removed one. */
  #removeMissing(piece: PieceIndex): void {
    const position = this.#missingPosition[piece] ?? NOBODY;
    const last = this.#missing[--this.#missingCount] ?? 0;
    this.#missing[position] = last;
    this.#missingPosition[last] = position;
    this.#missingPosition[piece] = NOBODY;
  }
}
