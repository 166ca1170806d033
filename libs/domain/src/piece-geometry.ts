// Owns all size arithmetic: how content of a given length splits into pieces. A piece index exists only for a geometry
// that has the piece, so whoever holds one need not check it again. No bit operators: lengths go up to 2^53 - 1.

/** Piece length when nothing asks for another. */
export const PIECE_BYTES_DEFAULT = 512 * 1024;
/** Most pieces that content may have; longer content gets longer pieces. */
export const PIECE_COUNT_MAX = 16_384;

/** How content splits: every piece is `pieceBytes` long, except that the last one may be shorter. Empty content has none. */
export interface PieceGeometry {
  readonly totalBytes: number;
  readonly pieceBytes: number;
  readonly pieceCount: number;
}

declare const pieceIndexBrand: unique symbol;

/** The number of a piece that exists, from 0; minted by `pieceIndex` alone. */
export type PieceIndex = number & { readonly [pieceIndexBrand]: true };

/** Where a piece lies in the content: offset of its first byte, and its length, both in bytes. */
export interface PieceRange {
  readonly begin: number;
  readonly length: number;
}

/** The piece length for content of `totalBytes`: 512 KiB, doubled until there are at most 16,384 pieces. */
export function choosePieceBytes(totalBytes: number): number {
  let pieceBytes = PIECE_BYTES_DEFAULT;
  while (Math.ceil(totalBytes / pieceBytes) > PIECE_COUNT_MAX) pieceBytes *= 2;
  return pieceBytes;
}

/** What keeps two numbers of a stranger from being a geometry: the field and the end of a sentence about it, or null. */
export function geometryProblem(sizes: {
  readonly totalBytes: number;
  readonly pieceBytes: number;
}): { field: 'totalBytes' | 'pieceBytes'; message: string } | null {
  const { totalBytes, pieceBytes } = sizes;
  if (!Number.isSafeInteger(totalBytes) || totalBytes < 0) {
    return { field: 'totalBytes', message: 'must be an integer from 0 to 2^53 - 1' };
  }
  if (!isPowerOfTwo(pieceBytes)) return { field: 'pieceBytes', message: 'must be a power of two' };
  if (Math.ceil(totalBytes / pieceBytes) > PIECE_COUNT_MAX) {
    return { field: 'pieceBytes', message: `must be large enough for at most ${PIECE_COUNT_MAX} pieces` };
  }
  return null;
}

/** The geometry of content. Throws on sizes that `geometryProblem` would name: those are checked where they come in. */
export function geometryOf(sizes: { readonly totalBytes: number; readonly pieceBytes: number }): PieceGeometry {
  const problem = geometryProblem(sizes);
  if (problem !== null) throw new RangeError(`${problem.field} ${problem.message}`);
  const { totalBytes, pieceBytes } = sizes;
  return { totalBytes, pieceBytes, pieceCount: Math.ceil(totalBytes / pieceBytes) };
}

/** The index of piece `candidate`, or undefined when this content has no such piece. */
export function pieceIndex(geometry: PieceGeometry, candidate: number): PieceIndex | undefined {
  const exists = Number.isInteger(candidate) && candidate >= 0 && candidate < geometry.pieceCount;
  return exists ? (candidate as PieceIndex) : undefined;
}

/** Where a piece lies in the content. */
export function pieceRange(geometry: PieceGeometry, index: PieceIndex): PieceRange {
  const begin = index * geometry.pieceBytes;
  return { begin, length: Math.min(geometry.pieceBytes, geometry.totalBytes - begin) };
}

function isPowerOfTwo(value: number): boolean {
  // Not by the logarithm: it is rounded, so that neighbours of the large powers would pass.
  let power = 1;
  while (power < value) power *= 2;
  return power === value && Number.isSafeInteger(value);
}
