// Owns the slow reading of a copy that was whole: which files each run of pieces lies in, what the digests of the run come to,
// and what looking at files counts for, so that whoever reads can keep to a budget. It reads no file itself.
import { digestBytesOf, type Manifest, manifestGeometry } from '#domain/manifest';
import { type PieceIndex, pieceIndex } from '#domain/piece-geometry';
import type { FileStamp } from '../storage/content-files.ts';
import { type FileTable, filesIn, fileTable, type RunFiles } from '../storage/content-layout.ts';
import { acceptManifest, type ContentHashing, stampText } from './content-hashing.ts';
import {
  type CopyReader,
  type CopyRequest,
  type ReadPieces,
  type ReadRun,
  TransferFailure,
} from './transfer-engine.ts';

/** What a disk reads at least to tell of a file. */
const LOOK_BYTES = 4096;

/** See TransferEngine.openCopy. */
export async function openCopy(
  { path, manifestBytes, stamp }: CopyRequest,
  hashing: ContentHashing,
): Promise<CopyReader> {
  const manifest = acceptManifest(manifestBytes);
  const stamps = await hashing.stampsOf(path, manifest.files);
  if (stampText(stamps) !== stamp)
    throw new TransferFailure('source_changed', `${path} was changed after it was shared`);
  const openedBytes = manifestBytes.length + manifest.files.length * LOOK_BYTES;
  return new OpenCopy({ path, manifest, manifestBytes, stamps, openedBytes }, hashing);
}

class OpenCopy implements CopyReader {
  readonly manifest: Manifest;
  readonly manifestBytes: Uint8Array;
  readonly openedBytes: number;
  readonly #path: string;
  readonly #placed: FileTable;
  readonly #stamps: readonly FileStamp[];
  readonly #hashing: ContentHashing;

  constructor(
    copy: Omit<CopyReader, 'read'> & { readonly path: string; readonly stamps: readonly FileStamp[] },
    hashing: ContentHashing,
  ) {
    this.manifest = copy.manifest;
    this.manifestBytes = copy.manifestBytes;
    this.openedBytes = copy.openedBytes;
    this.#path = copy.path;
    this.#placed = fileTable({ begin: 0, files: copy.manifest.files });
    this.#stamps = copy.stamps;
    this.#hashing = hashing;
  }

  async read({ firstPiece, runBytes, bytesPerSecond, signal }: ReadRun): Promise<ReadPieces> {
    const { pieceBytes, totalBytes, hash } = this.manifest;
    const leftCount = manifestGeometry(this.manifest).pieceCount - firstPiece;
    const pieceCount = Math.min(leftCount, Math.max(1, Math.floor(runBytes / pieceBytes)));
    const begin = firstPiece * pieceBytes;
    const end = Math.min(begin + pieceCount * pieceBytes, totalBytes);
    const digests = await this.#hashing.hashSlowly(
      {
        ...{ root: this.#path, hash, pieceBytes, totalBytes, firstPiece, pieceCount, bytesPerSecond },
        ...this.#filesUnder(begin, end),
      },
      signal,
    );
    const damaged = this.#damagedOf(digests, firstPiece, pieceCount);
    return { nextPiece: firstPiece + pieceCount, readBytes: end - begin, damaged };
  }

  /** The files that a run of bytes lies in, and what they were. */
  #filesUnder(begin: number, end: number): { readonly run: RunFiles; readonly stamps: readonly FileStamp[] } {
    const run = filesIn(this.#placed, { begin, length: end - begin });
    return { run, stamps: this.#stamps.slice(run.first, run.first + run.files.length) };
  }

  #damagedOf(digests: Uint8Array, firstPiece: number, pieceCount: number): PieceIndex[] {
    const geometry = manifestGeometry(this.manifest);
    const digestBytes = digestBytesOf(this.manifest.hash);
    const expected = Buffer.from(this.manifest.pieceDigests);
    const numbers = Array.from({ length: pieceCount }, (_, number) => number);
    const damaged = numbers.filter((number) => {
      const at = (firstPiece + number) * digestBytes;
      return expected.compare(digests, number * digestBytes, (number + 1) * digestBytes, at, at + digestBytes) !== 0;
    });
    return damaged.map((number) => pieceIndex(geometry, firstPiece + number)!);
  }
}
