// Facts about sizes, with the largest lengths that JavaScript can count among the cases.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  choosePieceBytes,
  geometryOf,
  geometryProblem,
  PIECE_COUNT_MAX,
  pieceIndex,
  pieceRange,
} from '#domain/piece-geometry';

const KIB = 1024;
const GIB = 1024 ** 3;
const totalBytes = fc.oneof(fc.maxSafeNat(), fc.nat(4 * 1024 * 1024));

describe('choosePieceBytes', () => {
  it.each([
    [0, 512 * KIB],
    [1, 512 * KIB],
    [8 * GIB, 512 * KIB],
    [8 * GIB + 1, 1024 * KIB],
    [16 * GIB + 1, 2048 * KIB],
    [Number.MAX_SAFE_INTEGER, 2 ** 39],
  ])('content of %d bytes gets pieces of %d bytes', (total, expected) => {
    expect(choosePieceBytes(total)).toBe(expected);
  });

  it('the length it chooses always makes a geometry, and half of it would be below the default or too many pieces', () => {
    fc.assert(
      fc.property(totalBytes, (total) => {
        const pieceBytes = choosePieceBytes(total);
        expect(geometryProblem({ totalBytes: total, pieceBytes })).toBeNull();
        expect(pieceBytes === 512 * KIB || total / (pieceBytes / 2) > PIECE_COUNT_MAX).toBe(true);
      }),
    );
  });
});

describe('geometryOf', () => {
  it.each([
    ['empty content has no piece', 0, 512, 0],
    ['one byte is one piece', 1, 512, 1],
    ['exactly one piece is one piece', 512, 512, 1],
    ['one byte more is two pieces', 513, 512, 2],
    ['the longest content has exactly 16,384 pieces', Number.MAX_SAFE_INTEGER, 2 ** 39, 16_384],
  ])('%s', (_, total, pieceBytes, pieceCount) => {
    expect(geometryOf({ totalBytes: total, pieceBytes })).toEqual({ totalBytes: total, pieceBytes, pieceCount });
  });

  it.each([
    ['a negative length', -1, 512, 'totalBytes'],
    ['a fraction of a byte', 1.5, 512, 'totalBytes'],
    ['a length beyond 2^53 - 1', 2 ** 53, 2 ** 39, 'totalBytes'],
    ['a length that is no number', Number.NaN, 512, 'totalBytes'],
    ['a piece of no bytes', 1, 0, 'pieceBytes'],
    ['a negative piece', 1, -512, 'pieceBytes'],
    ['a piece that is no power of two', 1, 513, 'pieceBytes'],
    ['a piece one byte longer than a large power of two', 1, 2 ** 52 + 1, 'pieceBytes'],
    ['a piece longer than can be counted', 1, 2 ** 53, 'pieceBytes'],
    ['a piece of half a byte', 1, 0.5, 'pieceBytes'],
    ['an endless piece', 1, Infinity, 'pieceBytes'],
    ['more than 16,384 pieces', 16_385, 1, 'pieceBytes'],
  ])('%s is refused', (_, total, pieceBytes, field) => {
    expect(geometryProblem({ totalBytes: total, pieceBytes })?.field).toBe(field);
    expect(() => geometryOf({ totalBytes: total, pieceBytes })).toThrow(RangeError);
  });
});

it('what is wrong with sizes is told by field, and what the field has to be', () => {
  const enough = 'must be large enough for at most 16384 pieces';
  expect(geometryProblem({ totalBytes: 16_385, pieceBytes: 1 })).toEqual({ field: 'pieceBytes', message: enough });
  expect(() => geometryOf({ totalBytes: 16_385, pieceBytes: 1 })).toThrow(`pieceBytes ${enough}`);
});

describe('pieceIndex and pieceRange', () => {
  it.each([-1, -0.5, 0.5, 3, Number.NaN, Infinity, 2 ** 32])('content of three pieces has no piece %d', (candidate) => {
    expect(pieceIndex(geometryOf({ totalBytes: 1300, pieceBytes: 512 }), candidate)).toBeUndefined();
  });

  it('empty content has no piece 0', () => {
    expect(pieceIndex(geometryOf({ totalBytes: 0, pieceBytes: 512 }), 0)).toBeUndefined();
  });

  it('the pieces follow each other without gap or overlap and cover the content', () => {
    fc.assert(
      fc.property(fc.nat(100_000), fc.integer({ min: 3, max: 16 }), (total, exponent) => {
        const geometry = geometryOf({ totalBytes: total, pieceBytes: 2 ** exponent });
        let end = 0;
        for (let candidate = 0; candidate < geometry.pieceCount; candidate++) {
          const range = pieceRange(geometry, pieceIndex(geometry, candidate)!);
          expect(range.begin).toBe(end);
          expect(range.length).toBeGreaterThan(0);
          end += range.length;
        }
        expect(end).toBe(total);
      }),
    );
  });

  it('the last piece of the longest content ends with its last byte', () => {
    const geometry = geometryOf({ totalBytes: Number.MAX_SAFE_INTEGER, pieceBytes: 2 ** 39 });
    const { begin, length } = pieceRange(geometry, pieceIndex(geometry, 16_383)!);
    expect(begin + length).toBe(Number.MAX_SAFE_INTEGER);
  });
});
