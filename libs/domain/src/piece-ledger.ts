// Owns who fetches which piece of one download. A piece is in exactly one state: missing, skipped (missing, and not wanted),
// assigned (one holder), hedged (a holder, and others that were asked as well) or verified, and verified is final. Holders are
// numbers that the caller gives out, one for each connection. It knows no time and no sources: those choose, this one remembers.
import { type PieceGeometry, type PieceIndex, pieceRange } from './piece-geometry.ts';

/** Where a piece is: in exactly one of these. `hedged` is asked of two sources, `skipped` is not there and nobody wants it. */
export type PieceState = 'missing' | 'skipped' | 'assigned' | 'hedged' | 'verified';

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
  /** 1 for a piece that is not to be fetched. */
  readonly #unwanted: Uint8Array;
  readonly #held = new Map<number, Set<PieceIndex>>();
  #missingCount = 0;
  #verifiedCount = 0;
  #verifiedBytes = 0;
  /** Of the pieces that are wanted and not verified. */
  #leftCount = 0;
  #leftBytes = 0;

  /** Everything is missing, except what `alreadyVerified` says. */
  constructor(geometry: PieceGeometry, alreadyVerified: (piece: PieceIndex) => boolean) {
    const { pieceCount } = geometry;
    this.geometry = geometry;
    this.#verified = new Uint8Array(pieceCount);
    this.#holder = new Int32Array(pieceCount).fill(NOBODY);
    this.#missing = new Uint32Array(pieceCount);
    this.#missingPosition = new Int32Array(pieceCount).fill(NOBODY);
    this.#unwanted = new Uint8Array(pieceCount);
    for (let index = 0; index < pieceCount; index++) {
      const piece = index as PieceIndex;
      if (alreadyVerified(piece)) {
        this.#noteVerified(piece);
        continue;
      }
      this.#addMissing(piece);
      this.#countLeft(piece, 1);
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

  /** Bytes of the pieces that are wanted and not verified. */
  get leftBytes(): number {
    return this.#leftBytes;
  }

  /** Every piece that is wanted is verified. */
  get isComplete(): boolean {
    return this.#leftCount === 0;
  }

  /** Every piece is verified. */
  get isWhole(): boolean {
    return this.#verifiedCount === this.geometry.pieceCount;
  }

  stateOf(piece: PieceIndex): PieceState {
    if (this.#verified[piece] === 1) return 'verified';
    if (this.#missingPosition[piece] !== NOBODY) return 'missing';
    if (this.#holder[piece] === NOBODY) return 'skipped';
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

  /** Whether a piece is to be fetched; every one is at first. One that somebody fetches just now is left to that one. */
  want(piece: PieceIndex, isWanted: boolean): void {
    if ((this.#unwanted[piece] === 0) === isWanted) return;
    const state = this.stateOf(piece);
    this.#unwanted[piece] = isWanted ? 0 : 1;
    if (state !== 'verified') this.#countLeft(piece, isWanted ? 1 : -1);
    if (state === 'missing') this.#removeMissing(piece);
    if (state === 'skipped') this.#addMissing(piece);
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
    this.#noteVerified(piece);
    if (this.#unwanted[piece] === 0) this.#countLeft(piece, -1);
    return losers;
  }

  /** A holder gives a piece back. With `taken_over` there are others; the first of them is now the one that writes. */
  release(piece: PieceIndex, holder: number): Released {
    if (!this.piecesOf(holder).has(piece)) return 'not_held';
    this.#drop(piece, holder);
    const left = this.holdersOf(piece).filter((other) => other !== holder);
    this.#setHolders(piece, left);
    if (left.length > 0) return 'taken_over';
    if (this.#unwanted[piece] === 0) this.#addMissing(piece);
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

  #noteVerified(piece: PieceIndex): void {
    this.#verified[piece] = 1;
    this.#verifiedCount++;
    this.#verifiedBytes += pieceRange(this.geometry, piece).length;
  }

  #countLeft(piece: PieceIndex, count: 1 | -1): void {
    this.#leftCount += count;
    this.#leftBytes += count * pieceRange(this.geometry, piece).length;
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
