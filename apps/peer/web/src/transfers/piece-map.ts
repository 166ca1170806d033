// Owns which pieces of a transfer are here, as the page draws and says it: kept as bits, changed by runs, and gathered into as many
// cells as there is room for. Pure.
import { hasBit, setBit } from '#domain/bitfield';
import { piecesInWords } from '#domain/content-damage';
import { choosePieceBytes, PIECE_COUNT_MAX } from '#domain/piece-geometry';

/** The first and the last piece of a run. */
export type PieceRun = readonly [first: number, last: number];

/** The bits of a bitfield as the control endpoint gives it. */
export function decodedBitfield(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (character) => character.codePointAt(0)!);
}

/** The bits with these runs set beside them. Runs behind the end are left out. */
export function withPieces(pieces: Uint8Array, runs: readonly PieceRun[]): Uint8Array {
  const changed = pieces.slice();
  for (const [first, last] of runs) {
    for (let piece = first; piece <= last && piece < changed.length * 8; piece++) setBit(changed, piece);
  }
  return changed;
}

/**
 * How long the pieces of a content are, of which a transfer tells the length and the bytes of its bitfield: as its sharer's peer makes
 * them, unless the bitfield is for another number of them.
 */
export function pieceBytesOf(totalBytes: number, bitfieldBytes: number): number {
  const fits = (pieceBytes: number): boolean => Math.ceil(totalBytes / pieceBytes / 8) === bitfieldBytes;
  const likely = choosePieceBytes(totalBytes);
  if (fits(likely)) return likely;
  let pieceBytes = 1;
  while (pieceBytes < totalBytes && !(fits(pieceBytes) && totalBytes / pieceBytes <= PIECE_COUNT_MAX)) pieceBytes *= 2;
  return pieceBytes;
}

/** How many pieces that are; none while nothing is known of them. */
export function pieceCountOf(totalBytes: number, bitfieldBytes: number): number {
  return bitfieldBytes === 0 ? 0 : Math.ceil(totalBytes / pieceBytesOf(totalBytes, bitfieldBytes));
}

/** How much of what each of so many cells stands for is here, from 0 to 1; no more cells than pieces. */
export function pieceCells(pieces: Uint8Array, pieceCount: number, cellsMax: number): Float32Array {
  const cells = new Float32Array(Math.max(0, Math.min(pieceCount, cellsMax)));
  for (let cell = 0; cell < cells.length; cell++) {
    const first = Math.floor((cell * pieceCount) / cells.length);
    const end = Math.floor(((cell + 1) * pieceCount) / cells.length);
    let hereCount = 0;
    for (let piece = first; piece < end; piece++) if (hasBit(pieces, piece)) hereCount++;
    cells[cell] = hereCount / (end - first);
  }
  return cells;
}

/** The map in words: `412 of 600 pieces are here. Missing: 17-42, 99.` */
export function pieceMapText(pieces: Uint8Array, pieceCount: number): string {
  const missing: number[] = [];
  for (let piece = 0; piece < pieceCount; piece++) if (!hasBit(pieces, piece)) missing.push(piece);
  if (pieceCount === 0) return 'How many pieces there are is not known yet.';
  if (missing.length === 0) return pieceCount === 1 ? 'The only piece is here.' : `All ${pieceCount} pieces are here.`;
  if (missing.length === pieceCount) return `None of ${pieceCount} pieces is here yet.`;
  const verb = pieceCount - missing.length === 1 ? 'is' : 'are';
  return `${pieceCount - missing.length} of ${pieceCount} pieces ${verb} here. Missing: ${piecesInWords(missing)}.`;
}
