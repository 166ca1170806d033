import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bitfieldBytes, hasBit, setBit } from '#domain/bitfield';
import {
  damagedFiles,
  damagedPieces,
  piecesInWords,
  recheckVerdict,
  soundBytes,
  soundBytesOf,
} from '#domain/content-damage';
import type { Manifest } from '#domain/manifest';

const WHOLE = { damagedPieces: 0, misfitFiles: 0, absentFiles: 0, treeDifferences: 0 };

function manifestOf(fileBytes: readonly number[], pieceBytes: number): Manifest {
  const totalBytes = fileBytes.reduce((sum, bytes) => sum + bytes, 0);
  const files = fileBytes.map((bytes, number) => ({ path: `${number}`, bytes, sha1: '' }));
  return { version: 1, totalBytes, pieceBytes, hash: 'sha1', files, pieceDigests: new Uint8Array() };
}

function bitfieldOf(pieceCount: number, pieces: readonly number[]): Uint8Array {
  const bitfield = new Uint8Array(bitfieldBytes(pieceCount));
  for (const piece of pieces) setBit(bitfield, piece);
  return bitfield;
}

describe('the verdict', () => {
  it.each([
    ['sound', WHOLE, WHOLE],
    ['repaired', { ...WHOLE, damagedPieces: 2 }, WHOLE],
    ['repaired', { ...WHOLE, misfitFiles: 1 }, WHOLE],
    ['repaired', { ...WHOLE, absentFiles: 1, damagedPieces: 4 }, WHOLE],
    ['repaired', { ...WHOLE, absentFiles: 1 }, WHOLE],
    ['repaired', { ...WHOLE, treeDifferences: 1 }, WHOLE],
    ['damaged', { ...WHOLE, damagedPieces: 2 }, { ...WHOLE, damagedPieces: 1 }],
    ['damaged', { ...WHOLE, treeDifferences: 2 }, { ...WHOLE, treeDifferences: 1 }],
    ['damaged', { ...WHOLE, misfitFiles: 1 }, { ...WHOLE, misfitFiles: 1 }],
    ['incomplete', { ...WHOLE, absentFiles: 1 }, { ...WHOLE, absentFiles: 1 }],
    ['incomplete', { ...WHOLE, absentFiles: 1, damagedPieces: 3 }, { ...WHOLE, absentFiles: 1, damagedPieces: 3 }],
  ] as const)('is %s of %o that is now %o', (verdict, before, after) => {
    expect(recheckVerdict(before, after)).toBe(verdict);
  });
});

it('damaged files are those that a naive look at every byte finds', () => {
  const content = fc.record({
    fileBytes: fc.array(fc.nat(9), { minLength: 1, maxLength: 6 }),
    pieceBytes: fc.constantFrom(1, 2, 4, 8),
    pieces: fc.array(fc.nat(60)),
  });
  fc.assert(
    fc.property(content, ({ fileBytes, pieceBytes, pieces }) => {
      const manifest = manifestOf(fileBytes, pieceBytes);
      const pieceCount = Math.ceil(manifest.totalBytes / pieceBytes);
      const sound = bitfieldOf(
        pieceCount,
        pieces.filter((piece) => piece < pieceCount),
      );
      const ownerOf = fileBytes.flatMap((bytes, position) => Array<number>(bytes).fill(position));
      const isSound = (at: number): boolean => hasBit(sound, Math.floor(at / pieceBytes));
      const damaged = ownerOf.filter((_, at) => !isSound(at));
      expect(damagedFiles(manifest, sound)).toEqual([...new Set(damaged)]);
      expect(soundBytes(manifest, sound)).toBe(manifest.totalBytes - damaged.length);
      const soundOf = fileBytes.map((_, position) =>
        soundBytesOf({ begin: ownerOf.indexOf(position), length: fileBytes[position]! }, manifest, sound),
      );
      const naive = fileBytes.map((_, position) => ownerOf.filter((owner, at) => owner === position && isSound(at)));
      expect(soundOf).toEqual(naive.map(({ length }) => length));
      expect(damagedPieces(manifest, sound).length).toBe(
        [...Array(pieceCount).keys()].filter((piece) => !hasBit(sound, piece)).length,
      );
    }),
  );
});

it('pieces are named in runs, and beyond the eighth run counted', () => {
  expect(piecesInWords([])).toBe('');
  expect(piecesInWords([3, 7, 8, 9])).toBe('3, 7-9');
  expect(piecesInWords([1, 3, 5, 6])).toBe('1, 3, 5-6');
  const scattered = Array.from({ length: 10 }, (_, number) => number * 2);
  expect(piecesInWords([...scattered, 19])).toBe('0, 2, 4, 6, 8, 10, 12, 14 and 3 more');
});
