// Owns one piece on its way in: its running hash, and where its bytes go. Usually straight to the file; a hedged piece is
// also fetched from another peer that writes it, so it is kept in memory until it is told that it may write.
import type { Hash } from 'node:crypto';
import type { PieceIndex } from '#domain/piece-geometry';
import type { DownloadStore } from './download-store.ts';

export class PieceFetch {
  readonly piece: PieceIndex;
  readonly length: number;
  cancelled = false;
  /** Bytes that were asked for, from the front. */
  requestedBytes = 0;
  /** True once this connection is the one that writes the piece. */
  mayWrite: boolean;
  readonly #store: DownloadStore;
  readonly #begin: number;
  readonly #isHedge: boolean;
  /** Both are made when the first bytes come: most of a reserve waits for long. */
  #hash: Hash | null = null;
  #memory: Buffer | null = null;
  #receivedBytes = 0;
  #digestFits: boolean | null = null;

  constructor(store: DownloadStore, number: number, hedge: boolean) {
    const { index, begin, length } = store.pieceAt(number);
    this.piece = index;
    this.length = length;
    this.mayWrite = !hedge;
    this.#store = store;
    this.#begin = begin;
    this.#isHedge = hedge;
  }

  get isWhole(): boolean {
    return this.#receivedBytes === this.length;
  }

  /** Takes the next bytes. Throws StorageFailure when they cannot be written. */
  accept(run: Uint8Array): void {
    this.#hash ??= this.#store.newHash();
    this.#hash.update(run);
    if (this.#isHedge) this.#keep(run);
    else this.#store.write(this.#begin + this.#receivedBytes, run);
    this.#receivedBytes += run.length;
  }

  /** Whether the whole piece has the digest that the manifest says. */
  digestFits(): boolean {
    this.#digestFits ??= this.#hash !== null && this.#store.isDigest(this.piece, this.#hash.digest());
    return this.#digestFits;
  }

  /** Makes a piece whose digest fits count. Throws StorageFailure. */
  settle(): void {
    if (this.#memory !== null) this.#store.write(this.#begin, this.#memory);
    this.#store.noteVerified(this.piece);
  }

  #keep(run: Uint8Array): void {
    this.#memory ??= Buffer.allocUnsafeSlow(this.length);
    this.#memory.set(run, this.#receivedBytes);
  }
}
