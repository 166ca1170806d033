import fc from 'fast-check';
import { expect, it } from 'vitest';
import { basename, dirname } from 'node:path';
import { FILE_NAME_BYTES_MAX } from '#domain/names';
import {
  asidePath,
  doMeet,
  filesIn,
  type FileTable,
  foldersOf,
  journalPath,
  partPath,
  pathOnDisk,
  fileTable,
  segmentsOf,
} from '../../../../apps/peer/src/storage/content-layout.ts';

function tableOf(sizes: readonly number[]): FileTable {
  return fileTable({ begin: 0, files: sizes.map((bytes, number) => ({ path: `${number}`, bytes })) });
}

it('a run that crosses files is cut where they meet, and empty files take nothing', () => {
  const files = tableOf([3, 0, 5, 2]);
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
      const files = tableOf(sizes);
      const found: string[] = [];
      for (const segment of segmentsOf(files, begin, length)) {
        expect(segment.offset).toBe(found.length);
        for (let at = 0; at < segment.length; at++) found.push(`${segment.fileNumber}:${segment.position + at}`);
      }
      expect(found).toEqual(bytesOfFiles.slice(begin, begin + length));
    }),
  );
});

it('the files of a run are those that it lies in, wherever they begin', () => {
  const files = tableOf([3, 0, 5, 2]);
  const paths = (begin: number, length: number): string[] =>
    filesIn(files, { begin, length }).files.map(({ path }) => path);
  expect([paths(0, 3), paths(2, 2), paths(3, 5), paths(8, 2), paths(0, 10)]).toEqual([
    ['0'],
    ['0', '1', '2'],
    ['2'],
    ['3'],
    ['0', '1', '2', '3'],
  ]);
  expect(
    segmentsOf(fileTable(filesIn(files, { begin: 4, length: 5 })), 4, 5).map(({ position, length }) => [
      position,
      length,
    ]),
  ).toEqual([
    [1, 4],
    [0, 1],
  ]);
});

it('folders come after the ones that they lie in, each once', () => {
  const files = ['a/b/c', 'a/b/d', 'a/e', 'f'].map((path) => ({ path }));
  expect(foldersOf(files, ['a/g', 'h/i'])).toEqual(['a', 'a/b', 'h', 'a/g', 'h/i']);
});

it('a run beyond the content is a bug of the caller', () => {
  const files = tableOf([4]);
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
