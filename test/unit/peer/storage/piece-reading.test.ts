// Facts about reading parts of pieces: of three files of 1.5, 0 and 2 MiB, in pieces of 1 MiB.
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { identityOf } from '../../../../apps/peer/src/storage/content-files.ts';
import { type PieceReading, readPiece } from '../../../../apps/peer/src/storage/piece-reading.ts';

const MIB = 1024 * 1024;
const FILES = [
  { path: 'a', bytes: 1.5 * MIB },
  { path: 'b', bytes: 0 },
  { path: 'c/d', bytes: 2 * MIB },
];
const CONTENT = randomBytes(3.5 * MIB);

let folder: string;
let root: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cohort-reading-'));
  root = join(folder, 'share');
  mkdirSync(join(root, 'c'), { recursive: true });
  let begin = 0;
  for (const { path, bytes } of FILES) {
    writeFileSync(join(root, path), CONTENT.subarray(begin, begin + bytes));
    begin += bytes;
  }
});
afterEach(() => rmSync(folder, { recursive: true }));

function reading(
  begin: number,
  length: number,
  about: Partial<PieceReading> & { pieceBytes?: number } = {},
): PieceReading {
  const { pieceBytes = MIB, ...rest } = about;
  const pieceBegin = Math.floor(begin / pieceBytes) * pieceBytes;
  const pieceEnd = Math.min(pieceBegin + pieceBytes, CONTENT.length);
  return {
    ...{ files: { first: 0, begin: 0, files: FILES }, roots: [root], identity: null, hash: 'sha1', begin },
    digest: createHash('sha1').update(CONTENT.subarray(pieceBegin, pieceEnd)).digest(),
    piece: { begin: pieceBegin, length: pieceEnd - pieceBegin },
    target: new Uint8Array(new SharedArrayBuffer(length)),
    calledOff: new Int32Array(new SharedArrayBuffer(4)),
    ...rest,
  };
}

describe('a part of a piece', () => {
  it.each([
    [0, MIB],
    [0, 1],
    [MIB - 1, 1],
    [1.25 * MIB, 0.75 * MIB],
    [1.5 * MIB - 1, 2],
    [3 * MIB, 0.5 * MIB],
  ])('from %i on, of %i bytes, is what was shared', async (begin, length) => {
    const asked = reading(begin, length);
    expect(await readPiece(asked)).toBe(true);
    expect(Buffer.from(asked.target)).toEqual(CONTENT.subarray(begin, begin + length));
  });

  it.each([0, MIB - 5, 2 * MIB - 3, 3.5 * MIB - 9])(
    'from %i on is found in a piece longer than what is read at once',
    async (begin) => {
      const asked = reading(begin, 9, { pieceBytes: 4 * MIB });
      expect(await readPiece(asked)).toBe(true);
      expect(Buffer.from(asked.target)).toEqual(CONTENT.subarray(begin, begin + 9));
    },
  );

  it('is not handed out when any byte of its piece is another one', async () => {
    const spoiled = Buffer.from(CONTENT.subarray(0, 1.5 * MIB));
    spoiled[MIB - 1]! ^= 1;
    writeFileSync(join(root, 'a'), spoiled);
    const asked = reading(0, 10);
    expect(await readPiece(asked)).toBe(false);
    expect([...asked.target]).toEqual(Array(10).fill(0));
    expect(await readPiece(reading(MIB, 10)), 'another piece of the file').toBe(true);
  });

  it('is read where the content is now', async () => {
    const identity = identityOf(root);
    const moved = join(folder, 'in-place');
    renameSync(root, moved);
    expect(await readPiece(reading(0, 10, { roots: [root, moved], identity }))).toBe(true);
  });

  it('is not read in what somebody put in its place', async () => {
    const identity = identityOf(root);
    renameSync(root, join(folder, 'aside'));
    mkdirSync(root);
    writeFileSync(join(root, 'a'), CONTENT.subarray(0, 1.5 * MIB));
    await expect(readPiece(reading(0, 10, { identity }))).rejects.toMatchObject({
      problem: { code: 'source_changed' },
    });
  });

  it('of a file that is gone or cut off is refused', async () => {
    writeFileSync(join(root, 'a'), 'short');
    await expect(readPiece(reading(0, 10))).rejects.toMatchObject({ problem: { code: 'source_changed' } });
    rmSync(join(root, 'a'));
    await expect(readPiece(reading(0, 10))).rejects.toMatchObject({ problem: { code: 'source_missing' } });
  });

  it('that nobody wants any more is not read on', async () => {
    const asked = reading(0, 10, { pieceBytes: 4 * MIB });
    const read = readPiece(asked);
    Atomics.store(asked.calledOff, 0, 1);
    await expect(read).rejects.toMatchObject({ problem: { code: 'aborted' } });
  });
});
