import fc from 'fast-check';
import { expect, it } from 'vitest';
import { bitfieldBytes, bitMask, countBits, fullBitfield, hasBit, isBitfieldFor, setBit } from '#domain/bitfield';

it('piece 0 is the highest bit of the first byte', () => {
  const bitfield = new Uint8Array(2);
  setBit(bitfield, 0);
  setBit(bitfield, 9);
  expect([...bitfield]).toEqual([0b1000_0000, 0b0100_0000]);
  expect(bitMask(9)).toBe(0b0100_0000);
});

it('remembers exactly the pieces that were set', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(99)), (pieces) => {
      const bitfield = new Uint8Array(bitfieldBytes(100));
      for (const piece of pieces) setBit(bitfield, piece);
      expect(countBits(bitfield)).toBe(pieces.length);
      for (let piece = 0; piece < 100; piece++) expect(hasBit(bitfield, piece)).toBe(pieces.includes(piece));
    }),
  );
});

it('a full bitfield has every piece and no bit behind the last one', () => {
  for (const pieceCount of [0, 1, 7, 8, 9, 16384]) {
    const bitfield = fullBitfield(pieceCount);
    expect(countBits(bitfield)).toBe(pieceCount);
    expect(isBitfieldFor(bitfield, pieceCount)).toBe(true);
  }
});

it('a bitfield of another length, or with bits behind the last piece, is none', () => {
  expect(isBitfieldFor(new Uint8Array(2), 8)).toBe(false);
  expect(isBitfieldFor(Uint8Array.of(0b0001_0000), 3)).toBe(false);
  expect(isBitfieldFor(Uint8Array.of(0b0010_0000), 3)).toBe(true);
});
