// Owns what is wanted of one download: priorities of its files, which may be said once it is known what there is, files that somebody
// reads, pieces that somebody waits for, and what is there of what is wanted.
import { bitfieldBytes, setBit } from '#domain/bitfield';
import { piecePriorities, type WantedFiles, wantedBytesIn, wantedFiles } from '#domain/file-priorities';
import type { Manifest } from '#domain/manifest';
import { type PieceIndex, pieceIndex } from '#domain/piece-geometry';
import type { PieceLedger } from '#domain/piece-ledger';
import { PiecePriorities, PRIORITIES } from '#domain/piece-priorities';
import type { DownloadRequest } from './transfer-engine.ts';

export class DownloadWants {
  readonly priorities: PiecePriorities;
  readonly #request: DownloadRequest;
  #manifest: Manifest | null = null;
  /** As they were asked for; null while nobody has said which files are wanted: all are. */
  #asked: Uint8Array | null = null;
  /** Files that are left to their owner: not fetched, except for who reads them. */
  #left: ReadonlySet<number> = new Set();
  /** Files that somebody reads just now: wanted as long as that is so. */
  #read: readonly number[] = [];
  #files: WantedFiles | null = null;
  #arrived: () => void = () => {};

  constructor(request: DownloadRequest) {
    this.#request = request;
    this.priorities = new PiecePriorities(request.pieceCount);
  }

  get totalBytes(): number {
    return this.#files?.totalBytes ?? this.#request.totalBytes;
  }

  /** Positions of the files that are wanted, when not all are. */
  get positions(): readonly number[] {
    return this.#files?.positions ?? [];
  }

  /** It is known now what there is. */
  begin(manifest: Manifest): void {
    const { priorities } = this.#request;
    this.#manifest = manifest;
    if (priorities !== undefined) this.prioritize(priorities(manifest));
  }

  /** These files are not fetched, whoever asked for them. */
  leave(files: ReadonlySet<number>): void {
    if (this.#manifest === null || files.size === 0) return;
    this.#left = files;
    this.#asked ??= new Uint8Array(this.#manifest.files.length).fill(PRIORITIES.normal);
    this.#apply();
  }

  /** Whether some of what was asked for is left to its owner. */
  get leavesSome(): boolean {
    return this.#left.size > 0;
  }

  /** It has to be known what there is. */
  prioritize(priorities: Uint8Array): void {
    this.#asked = priorities;
    this.#apply();
  }

  /** These files are wanted beside the others, until the next call. */
  readAlso(files: readonly number[]): void {
    this.#read = files;
    this.#apply();
  }

  /** Which pieces are wanted, as a bitfield; null when all are. */
  pieces(): Uint8Array | null {
    if (this.#asked === null) return null;
    const { pieceCount } = this.#request;
    const wanted = new Uint8Array(bitfieldBytes(pieceCount));
    for (let piece = 0; piece < pieceCount; piece++) {
      if (this.priorities.isWanted(piece as PieceIndex)) setBit(wanted, piece);
    }
    return wanted;
  }

  /** Returns the pieces that are urgent from now on, or are not any more. `arrived` is told of each of them that comes. */
  hurry(pieces: readonly number[], arrived: () => void = () => {}): PieceIndex[] {
    this.#arrived = arrived;
    return this.priorities.hurry(pieces.flatMap((piece) => pieceIndex(this.#request, piece) ?? []));
  }

  /** A piece has come. */
  verified(piece: PieceIndex): void {
    if (this.priorities.urgent.has(piece)) this.#arrived();
  }

  /**
   * Whether everything that is wanted is there, and nothing more will be. Who wants no file, only pieces as they are hurried, is
   * never done; nor is anybody while somebody reads a file beside those that were asked for.
   */
  hasAll(ledger: PieceLedger): boolean {
    if (ledger.isWhole) return true;
    if (!ledger.isComplete || this.#request.isForReaders?.() === true) return false;
    const isSkipped = (file: number): boolean => this.#asked?.[file] === PRIORITIES.skip || this.#left.has(file);
    const isAsked = this.#asked === null || this.#asked.some((priority) => priority !== PRIORITIES.skip);
    return isAsked && !this.#read.some(isSkipped);
  }

  /** Bytes of wanted files that are verified. */
  verifiedBytes(ledger: PieceLedger, verified: Uint8Array): number {
    return this.#files === null ? ledger.verifiedBytes : wantedBytesIn(this.#files, verified);
  }

  #apply(): void {
    if (this.#manifest === null || this.#asked === null) return;
    const priorities = Uint8Array.from(this.#asked);
    for (const file of this.#left) priorities[file] = PRIORITIES.skip;
    for (const file of this.#read) priorities[file] = Math.max(priorities[file] ?? 0, PRIORITIES.normal);
    this.#files = wantedFiles(this.#manifest, priorities);
    this.priorities.prioritize(piecePriorities(this.#manifest, priorities));
  }
}
