// Owns the layout of a bitfield: one bit a piece, piece 0 in the highest bit of the first byte, unused bits zero. Works on
// shared memory too, as long as one bit is never set by two threads at once other than through `Atomics.or`.

/** Bytes that a bitfield for `pieceCount` pieces takes. */
export function bitfieldBytes(pieceCount: number): number {
  return Math.ceil(pieceCount / 8);
}

/** Whether the piece is there; false for one behind the end. */
export function hasBit(bitfield: Uint8Array, piece: number): boolean {
  return ((bitfield[piece >>> 3] ?? 0) & bitMask(piece)) !== 0;
}

/** Notes that the piece is there. */
export function setBit(bitfield: Uint8Array, piece: number): void {
  const at = piece >>> 3;
  bitfield[at] = (bitfield[at] ?? 0) | bitMask(piece);
}

/** The value that has only this piece's bit, within its byte. */
export function bitMask(piece: number): number {
  return 0x80 >>> (piece & 7);
}

/** A bitfield in which every piece is there. */
export function fullBitfield(pieceCount: number): Uint8Array {
  const bitfield = new Uint8Array(bitfieldBytes(pieceCount)).fill(0xff);
  if (pieceCount % 8 !== 0) bitfield[bitfield.length - 1] = 0xff << (8 - (pieceCount % 8));
  return bitfield;
}

/** How many pieces are there. */
export function countBits(bitfield: Uint8Array): number {
  let count = 0;
  for (let byte of bitfield) for (; byte !== 0; byte &= byte - 1) count++;
  return count;
}

/** Whether these bytes are a bitfield for so many pieces: the right length, and no bit behind the last piece. */
export function isBitfieldFor(bitfield: Uint8Array, pieceCount: number): boolean {
  if (bitfield.length !== bitfieldBytes(pieceCount)) return false;
  const unusedBits = bitfield.length * 8 - pieceCount;
  return ((bitfield[bitfield.length - 1] ?? 0) & ((1 << unusedBits) - 1)) === 0;
}
