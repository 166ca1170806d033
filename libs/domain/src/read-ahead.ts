// Owns which pieces are fetched before all others for those who read content while it comes: the next one of each reader first,
// then the second of each, as far as each may be ahead of itself. Pure; whoever fetches is told again when a reader has moved.
import { type PieceGeometry, type PieceIndex, pieceIndex } from './piece-geometry.ts';

/** Where somebody reads: from byte `at` of the content up to `end`, which is the first that is not read. */
export interface ReaderPlace {
  readonly at: number;
  readonly end: number;
}

/** The pieces that are not there and are wanted soon, the most urgent first, each once. */
export function readAheadPieces(
  readers: readonly ReaderPlace[],
  geometry: PieceGeometry,
  { aheadBytes, has }: { readonly aheadBytes: number; readonly has: (piece: PieceIndex) => boolean },
): PieceIndex[] {
  const lacking = readers.map((reader) => lackingOf(reader, geometry, { aheadBytes, has }));
  const longest = lacking.reduce((most, { length }) => Math.max(most, length), 0);
  const urgent = new Set<PieceIndex>();
  for (let rank = 0; rank < longest; rank++) {
    for (const pieces of lacking) if (rank < pieces.length) urgent.add(pieces[rank]!);
  }
  return [...urgent];
}

function lackingOf(
  { at, end }: ReaderPlace,
  geometry: PieceGeometry,
  { aheadBytes, has }: { readonly aheadBytes: number; readonly has: (piece: PieceIndex) => boolean },
): PieceIndex[] {
  const { pieceBytes } = geometry;
  const until = Math.min(end, at + aheadBytes);
  const pieces: PieceIndex[] = [];
  for (let number = Math.floor(at / pieceBytes); number * pieceBytes < until; number++) {
    const piece = pieceIndex(geometry, number);
    if (piece !== undefined && !has(piece)) pieces.push(piece);
  }
  return pieces;
}
