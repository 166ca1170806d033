// Facts about what is fetched first for those who read content of 100 pieces of 16 bytes.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { geometryOf } from '#domain/piece-geometry';
import { readAheadPieces } from '#domain/read-ahead';

const geometry = geometryOf({ totalBytes: 1_600, pieceBytes: 16 });
const ahead = (aheadBytes: number, ...here: readonly number[]) => ({
  aheadBytes,
  has: (piece: number) => here.includes(piece),
});

it('a reader gets the piece that it is at first, then those that follow', () => {
  expect(readAheadPieces([{ at: 40, end: 1_600 }], geometry, ahead(48))).toEqual([2, 3, 4, 5]);
});

it('nothing is fetched behind what is read', () => {
  expect(readAheadPieces([{ at: 40, end: 49 }], geometry, ahead(1_000))).toEqual([2, 3]);
  expect(readAheadPieces([{ at: 40, end: 48 }], geometry, ahead(1_000))).toEqual([2]);
});

it('nor beyond the end of the content', () => {
  expect(readAheadPieces([{ at: 1_590, end: 5_000 }], geometry, ahead(1_000))).toEqual([99]);
});

it('what is there is left out', () => {
  expect(readAheadPieces([{ at: 0, end: 1_600 }], geometry, ahead(64, 0, 2))).toEqual([1, 3]);
});

it('readers take turns, and a piece that two of them need is named once', () => {
  const readers = [
    { at: 0, end: 1_600 },
    { at: 800, end: 1_600 },
    { at: 16, end: 1_600 },
  ];
  expect(readAheadPieces(readers, geometry, ahead(48))).toEqual([0, 50, 1, 51, 2, 52, 3]);
});

it('every lacking piece within reach is named once, and no other', () => {
  const place = fc.tuple(fc.nat(1_599), fc.nat(400)).map(([at, length]) => ({ at, end: Math.min(1_600, at + length) }));
  fc.assert(
    fc.property(fc.array(place, { maxLength: 5 }), fc.nat(200), fc.array(fc.nat(99)), (readers, aheadBytes, here) => {
      const pieces = readAheadPieces(readers, geometry, ahead(aheadBytes, ...here));
      const reached = (piece: number): boolean =>
        readers.some(({ at, end }) => {
          const until = Math.min(end, at + aheadBytes);
          return piece * 16 < until && (piece + 1) * 16 > at;
        });
      const wanted = [...Array(100).keys()].filter((piece) => reached(piece) && !here.includes(piece));
      expect(pieces.toSorted((left, right) => left - right)).toEqual(wanted);
    }),
  );
});
