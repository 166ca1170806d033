// Owns what priorities of files mean for the pieces that hold them: a piece is wanted as much as the file in it that is wanted
// most, so that a file that is wanted is whole once the pieces that are wanted are there.
import { hasBit } from './bitfield.ts';
import { type Manifest, manifestGeometry } from './manifest.ts';
import { PRIORITIES } from './piece-priorities.ts';

type Files = Pick<Manifest, 'files' | 'pieceBytes'>;

/** The pieces that hold bytes of a file: from the first to before the last; none of an empty one. */
export interface PieceSpan {
  readonly first: number;
  readonly end: number;
}

/** Where each file lies in the pieces, in the order of the manifest. */
export function pieceSpans({ files, pieceBytes }: Files): PieceSpan[] {
  let begin = 0;
  return files.map(({ bytes }) => {
    const first = Math.floor(begin / pieceBytes);
    begin += bytes;
    return { first, end: bytes === 0 ? first : Math.ceil(begin / pieceBytes) };
  });
}

/** The priority of each piece, by those of the files, one for each in the order of the manifest. */
export function piecePriorities(manifest: Manifest, filePriorities: Uint8Array): Uint8Array {
  const priorities = new Uint8Array(manifestGeometry(manifest).pieceCount);
  for (const [position, { first, end }] of pieceSpans(manifest).entries()) {
    const priority = filePriorities[position] ?? PRIORITIES.skip;
    for (let piece = first; piece < end; piece++) priorities[piece] = Math.max(priorities[piece] ?? 0, priority);
  }
  return priorities;
}

/** Which files are wanted, and how much of each piece lies in them. */
export interface WantedFiles {
  /** Positions in the manifest. */
  readonly positions: readonly number[];
  readonly totalBytes: number;
  /** By piece: bytes that lie in files that are wanted. */
  readonly bytesOfPieces: Float64Array;
}

/** The files that are not skipped, by priorities as `piecePriorities` takes them. */
export function wantedFiles(manifest: Manifest, filePriorities: Uint8Array): WantedFiles {
  const { files, pieceBytes } = manifest;
  const bytesOfPieces = new Float64Array(manifestGeometry(manifest).pieceCount);
  const positions: number[] = [];
  let [begin, totalBytes] = [0, 0];
  for (const [position, { bytes }] of files.entries()) {
    const end = begin + bytes;
    if (filePriorities[position] !== PRIORITIES.skip) {
      positions.push(position);
      totalBytes += bytes;
      for (let piece = Math.floor(begin / pieceBytes); piece * pieceBytes < end; piece++) {
        const from = Math.max(begin, piece * pieceBytes);
        bytesOfPieces[piece]! += Math.min(end, (piece + 1) * pieceBytes) - from;
      }
    }
    begin = end;
  }
  return { positions, totalBytes, bytesOfPieces };
}

/** Bytes of the wanted files that lie in the pieces of a bitfield. */
export function wantedBytesIn({ bytesOfPieces }: WantedFiles, bitfield: Uint8Array): number {
  return bytesOfPieces.reduce((sum, bytes, piece) => (hasBit(bitfield, piece) ? sum + bytes : sum), 0);
}
