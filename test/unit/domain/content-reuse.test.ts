// What of one content can be taken from others: the runs, put together, are the piece, or there are none.
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { PieceHash } from '#domain/command';
import { ContentReuse } from '#domain/content-reuse';
import { type Manifest, manifestGeometry, pieceDigest } from '#domain/manifest';
import { pieceIndex, pieceRange } from '#domain/piece-geometry';

interface Content {
  readonly bytes: Buffer;
  readonly manifest: Manifest;
}

/** Content of files by their texts, in that order. */
function contentOf(texts: readonly string[], pieceBytes: number, hash: PieceHash = 'sha1'): Content {
  const bytes = Buffer.from(texts.join(''));
  const files = texts.map((text, position) => ({
    path: `f${String(position).padStart(3, '0')}`,
    bytes: Buffer.byteLength(text),
    sha1: createHash('sha1').update(text).digest('hex'),
  }));
  const digests: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    digests.push(
      createHash(hash)
        .update(bytes.subarray(at, at + pieceBytes))
        .digest(),
    );
  }
  const manifest = { version: 1, totalBytes: bytes.length, pieceBytes, hash, files } as const;
  return { bytes, manifest: { ...manifest, pieceDigests: Buffer.concat(digests) } };
}

/** Numbers of the pieces that can be taken; whatever is taken has to be what the digest says. */
function taken(target: Content, copies: readonly Content[], range?: { first: number; end: number }): number[] {
  const geometry = manifestGeometry(target.manifest);
  const reuse = new ContentReuse(target.manifest, range ?? { first: 0, end: geometry.pieceCount });
  for (const [copy, { manifest }] of copies.entries()) reuse.add(copy, manifest);
  const { first, end } = range ?? { first: 0, end: geometry.pieceCount };
  return Array.from({ length: end - first }, (_, number) => first + number).filter((number) => {
    const piece = pieceIndex(geometry, number)!;
    const runs = reuse.runsOf(piece);
    if (runs === null) return false;
    const parts = runs.map(({ copy, begin, length }) => copies[copy]!.bytes.subarray(begin, begin + length));
    const bytes = Buffer.concat(parts);
    expect(bytes.length).toBe(pieceRange(geometry, piece).length);
    const digest = createHash(target.manifest.hash).update(bytes).digest();
    expect(digest.equals(pieceDigest(target.manifest, piece))).toBe(true);
    return true;
  });
}

const NUMBERS = ['zero ', 'one ', 'two ', 'three ', 'four '];

it('the same content has all of it', () => {
  const content = contentOf(NUMBERS, 4);
  expect(taken(content, [content])).toEqual([0, 1, 2, 3, 4, 5]);
});

it('one changed byte costs the one piece that it is in', () => {
  const before = contentOf(NUMBERS, 4);
  const after = contentOf(NUMBERS.with(2, 'twO '), 4);
  expect(taken(after, [before])).toEqual([0, 1, 3, 4, 5]);
});

it('files that have moved are found, also where pieces are cut or hashed otherwise', () => {
  const target = contentOf(NUMBERS, 8);
  const turned = contentOf(['new ', ...NUMBERS.toReversed()], 2, 'sha256');
  expect(taken(target, [turned])).toEqual([0, 1, 2]);
  expect(taken(target, [contentOf(['zero ', 'one '], 4), contentOf(['three ', 'two ', 'four '], 2)])).toEqual([
    0, 1, 2,
  ]);
});

it('a piece of which one file is nowhere cannot be taken, and its neighbours can', () => {
  const target = contentOf(['aaaa', 'bbbb', 'cc', 'dd', ''], 4);
  expect(taken(target, [contentOf(['dd', 'x', 'bbbb', 'aaaa'], 1, 'sha256')])).toEqual([0, 1]);
  expect(taken(target, [])).toEqual([]);
});

it("empty files and empty content are in nobody's way", () => {
  expect(taken(contentOf([''], 4), [contentOf(['', 'a'], 4)])).toEqual([]);
  expect(taken(contentOf(['', 'ab', '', 'cd', ''], 4), [contentOf(['cd', '', 'ab'], 4)])).toEqual([0]);
});

it('what another range is about is not looked for', () => {
  const content = contentOf(NUMBERS, 4);
  expect(taken(content, [content], { first: 2, end: 4 })).toEqual([2, 3]);
});

it('whatever there is, what is taken has the digest of its piece, and equal files are always taken', () => {
  const text = fc.string({ maxLength: 6 });
  fc.assert(
    fc.property(
      fc.array(text, { minLength: 1, maxLength: 8 }),
      fc.array(fc.array(text, { minLength: 1, maxLength: 8 }), { maxLength: 3 }),
      fc.constantFrom(1, 2, 4, 8),
      (files, others, pieceBytes) => {
        const target = contentOf(files, pieceBytes);
        taken(
          target,
          others.map((other) => contentOf(other, 4)),
        );
        const all = Array.from({ length: manifestGeometry(target.manifest).pieceCount }, (_, number) => number);
        expect(taken(target, [contentOf(files.toReversed(), 16, 'sha256')])).toEqual(all);
      },
    ),
  );
});
