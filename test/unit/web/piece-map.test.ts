import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fullBitfield, hasBit } from '#domain/bitfield';
import { choosePieceBytes } from '#domain/piece-geometry';
import {
  decodedBitfield,
  pieceCells,
  pieceCountOf,
  pieceMapText,
  withPieces,
} from '../../../apps/peer/web/src/transfers/piece-map.ts';

describe('the pieces of a transfer', () => {
  it('are read from what the control endpoint gives', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(decodedBitfield(Buffer.from(bytes).toString('base64'))).toEqual(bytes);
      }),
    );
  });

  it('are those before and those of the runs, and none behind the end', () => {
    const before = Uint8Array.of(0b1000_0000, 0);
    const after = withPieces(before, [
      [3, 5],
      [9, 9],
      [14, 400],
    ]);
    const here = Array.from({ length: 16 }, (_, piece) => piece).filter((piece) => hasBit(after, piece));
    expect(here).toEqual([0, 3, 4, 5, 9, 14, 15]);
    expect([...before]).toEqual([0b1000_0000, 0]);
  });

  it('are as many as the sharer made, as far as the length tells', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 45 }), (totalBytes) => {
        const pieceCount = Math.ceil(totalBytes / choosePieceBytes(totalBytes));
        expect(pieceCountOf(totalBytes, Math.ceil(pieceCount / 8))).toBe(pieceCount);
      }),
    );
    expect(pieceCountOf(1_000_000, 123)).toBe(977);
  });

  it('are gathered into cells that hold all of them, none twice', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3_000 }), fc.integer({ min: 1, max: 800 }), (pieceCount, cellsMax) => {
        const cells = pieceCells(fullBitfield(pieceCount), pieceCount, cellsMax);
        expect(cells.length).toBe(Math.min(pieceCount, cellsMax));
        expect(cells.every((share) => share === 1)).toBe(true);
      }),
    );
    expect([...pieceCells(Uint8Array.of(0b1100_1000), 8, 4)]).toEqual([1, 0, 0.5, 0]);
  });

  it('are told in words as runs', () => {
    const words = (bits: number, count: number): string => pieceMapText(Uint8Array.of(bits), count);
    expect(words(0b1000_1110, 8)).toBe('4 of 8 pieces are here. Missing: 1-3, 7.');
    expect(words(0b1000_0000, 3)).toBe('1 of 3 pieces is here. Missing: 1-2.');
    expect(words(0, 8)).toBe('None of 8 pieces is here yet.');
    expect(words(0xff, 8)).toBe('All 8 pieces are here.');
    expect(pieceMapText(new Uint8Array(), 0)).toBe('How many pieces there are is not known yet.');
  });
});
