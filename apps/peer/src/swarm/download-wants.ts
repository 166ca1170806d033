// Owns what is wanted of one download: priorities of its files, which may be said once it is known what there is, pieces that somebody
// waits for, and what is there of what is wanted.
import { piecePriorities, type WantedFiles, wantedBytesIn, wantedFiles } from '#domain/file-priorities';
import type { Manifest } from '#domain/manifest';
import { type PieceIndex, pieceIndex } from '#domain/piece-geometry';
import type { PieceLedger } from '#domain/piece-ledger';
import { PiecePriorities } from '#domain/piece-priorities';
import type { DownloadRequest } from './transfer-engine.ts';

export class DownloadWants {
  readonly priorities: PiecePriorities;
  readonly #request: DownloadRequest;
  /** Null while nobody has said which files are wanted: all are. */
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
    if (priorities !== undefined) this.prioritize(manifest, priorities(manifest));
  }

  prioritize(manifest: Manifest, priorities: Uint8Array): void {
    this.#files = wantedFiles(manifest, priorities);
    this.priorities.prioritize(piecePriorities(manifest, priorities));
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

  /** Whether everything that is wanted is there. Who wants no file, only pieces as they are hurried, is never done. */
  hasAll(ledger: PieceLedger): boolean {
    return ledger.isWhole || (ledger.isComplete && this.#files?.positions.length !== 0);
  }

  /** Bytes of wanted files that are verified. */
  verifiedBytes(ledger: PieceLedger, verified: Uint8Array): number {
    return this.#files === null ? ledger.verifiedBytes : wantedBytesIn(this.#files, verified);
  }
}
