import fc from 'fast-check';
import { expect, it } from 'vitest';
import { basename, dirname } from 'node:path';
import { FILE_NAME_BYTES_MAX } from '#domain/names';
import {
  asidePath,
  doMeet,
  journalPath,
  partPath,
  pathOnDisk,
  placeFiles,
  segmentsOf,
} from '../../../../apps/peer/src/storage/content-layout.ts';

it('a run that crosses files is cut where they meet, and empty files take nothing', () => {
  const files = placeFiles([3, 0, 5, 2].map((bytes, number) => ({ path: `${number}`, bytes })));
  expect(segmentsOf(files, 2, 7)).toEqual([
    { fileNumber: 0, position: 2, offset: 0, length: 1 },
    { fileNumber: 2, position: 0, offset: 1, length: 5 },
    { fileNumber: 3, position: 0, offset: 6, length: 1 },
  ]);
});

it('every byte of a run lies in exactly one place, whatever the files', () => {
  const lengths = fc.array(fc.nat(9), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(lengths, fc.nat(), fc.nat(), (sizes, from, to) => {
      const bytesOfFiles = sizes.flatMap((size, file) => Array.from({ length: size }, (_, at) => `${file}:${at}`));
      const begin = from % (bytesOfFiles.length + 1);
      const length = to % (bytesOfFiles.length - begin + 1);
      const files = placeFiles(sizes.map((bytes, number) => ({ path: `${number}`, bytes })));
      const found: string[] = [];
      for (const segment of segmentsOf(files, begin, length)) {
        expect(segment.offset).toBe(found.length);
        for (let at = 0; at < segment.length; at++) found.push(`${segment.fileNumber}:${segment.position + at}`);
      }
      expect(found).toEqual(bytesOfFiles.slice(begin, begin + length));
    }),
  );
});

it('a run beyond the content is a bug of the caller', () => {
  const files = placeFiles([{ path: '', bytes: 4 }]);
  expect(() => segmentsOf(files, 2, 3)).toThrow(RangeError);
});

it('the only file of a share lies at the root itself', () => {
  expect(pathOnDisk('/data/film', { path: '' })).toBe('/data/film');
  expect(pathOnDisk('/data/album', { path: 'a/b' })).toBe('/data/album/a/b');
});

it('what lies beside a destination has its name and an ending, or a name of its own when that would be too long', () => {
  expect(partPath('/folder/name')).toBe('/folder/name.part');
  expect(journalPath('/folder/name')).toBe('/folder/name.part.journal');
  const longest = `/folder/${'\u00e9'.repeat(127)}a`;
  const beside = [partPath(longest), journalPath(longest), asidePath(longest, '0123abcd')];
  expect(new Set(beside).size).toBe(3);
  for (const path of beside) {
    expect(dirname(path)).toBe('/folder');
    expect(Buffer.byteLength(basename(path))).toBeLessThanOrEqual(FILE_NAME_BYTES_MAX);
  }
  expect(partPath(`${longest.slice(0, -1)}b`)).not.toBe(beside[0]);
});

it('downloads meet at one destination, and where the part or the journal of one has the name of the other', () => {
  for (const other of ['/folder/film', '/folder/film.part', '/folder/film.part.journal']) {
    expect(doMeet('/folder/film', other)).toBe(true);
    expect(doMeet(other, '/folder/film')).toBe(true);
  }
  for (const other of ['/folder/other', '/other/film', '/folder/film.journal']) {
    expect(doMeet('/folder/film', other)).toBe(false);
  }
});
