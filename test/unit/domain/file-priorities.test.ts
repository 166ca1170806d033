import { expect, it } from 'vitest';
import { piecePriorities, pieceSpans, wantedBytesIn, wantedFiles } from '#domain/file-priorities';
import type { Manifest } from '#domain/manifest';
import { PRIORITIES } from '#domain/piece-priorities';

const { skip, low, normal, high } = PRIORITIES;

/** Content with files of these lengths, in pieces of 4 bytes. */
function contentOf(...lengths: number[]): Manifest {
  const files = lengths.map((bytes, position) => ({ path: `f${position}`, bytes, sha1: '0'.repeat(40) }));
  const totalBytes = lengths.reduce((sum, bytes) => sum + bytes, 0);
  const pieceDigests = new Uint8Array(Math.ceil(totalBytes / 4) * 20);
  return { version: 1, totalBytes, pieceBytes: 4, hash: 'sha1', files, pieceDigests };
}

it('a file lies in the pieces from its first byte to its last, an empty one in none', () => {
  expect(pieceSpans(contentOf(4, 3, 0, 2, 8, 0))).toEqual([
    { first: 0, end: 1 },
    { first: 1, end: 2 },
    { first: 1, end: 1 },
    { first: 1, end: 3 },
    { first: 2, end: 5 },
    { first: 4, end: 4 },
  ]);
});

it('a piece is wanted as much as the file in it that is wanted most', () => {
  const content = contentOf(6, 3, 0, 5);
  expect([...piecePriorities(content, Uint8Array.of(low, high, skip, skip))]).toEqual([low, high, high, skip]);
  expect([...piecePriorities(content, Uint8Array.of(skip, skip, high, normal))]).toEqual([skip, skip, normal, normal]);
  expect([...piecePriorities(content, Uint8Array.of(skip, skip, high, skip))]).toEqual([skip, skip, skip, skip]);
});

it('knows which files are wanted, and how much of them is in the pieces that are there', () => {
  const wanted = wantedFiles(contentOf(6, 3, 0, 5, 1), Uint8Array.of(skip, low, normal, skip, high));
  expect(wanted).toMatchObject({ positions: [1, 2, 4], totalBytes: 4 });
  expect([...wanted.bytesOfPieces]).toEqual([0, 2, 1, 1]);
  expect(wantedBytesIn(wanted, Uint8Array.of(0b1111_0000))).toBe(4);
  expect(wantedBytesIn(wanted, Uint8Array.of(0b1010_0000))).toBe(1);
  expect(wantedBytesIn(wanted, Uint8Array.of(0))).toBe(0);
});
