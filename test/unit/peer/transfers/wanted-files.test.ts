import { expect, it } from 'vitest';
import { PRIORITIES } from '#domain/piece-priorities';
import {
  changedSelection,
  filePriorities,
  isSelection,
  NO_SELECTION,
  selectionProblem,
  sharePaths,
} from '../../../../apps/peer/src/transfers/wanted-files.ts';

const PATHS = ['.rc', 'a/b/c.txt', 'a/d.TXT', 'a[1].txt', 'e.txt'];
const { skip, low, normal, high } = PRIORITIES;
const taken = (...only: string[]): string[] => {
  const priorities = filePriorities({ only, priorities: [] }, PATHS);
  return PATHS.filter((_, position) => priorities[position] !== skip);
};

it.each([
  ['**', PATHS],
  ['*', ['.rc', 'a/b/c.txt', 'a/d.TXT', 'a[1].txt', 'e.txt']],
  ['*.txt', ['a[1].txt', 'e.txt']],
  ['**/*.txt', ['a/b/c.txt', 'a[1].txt', 'e.txt']],
  ['a', ['a/b/c.txt', 'a/d.TXT']],
  ['./a/', ['a/b/c.txt', 'a/d.TXT']],
  ['a/*', ['a/b/c.txt', 'a/d.TXT']],
  ['a/*.*', ['a/d.TXT']],
  ['A', []],
  ['a[1].txt', ['a[1].txt']],
  ['{e,a/b/c}.txt', ['a/b/c.txt', 'e.txt']],
  ['../**', []],
])('%s takes %j', (glob, paths) => {
  expect(taken(glob)).toEqual(paths);
});

it('everything is wanted alike when nothing is said, and the only file of a share has its name', () => {
  expect([...filePriorities(NO_SELECTION, PATHS)]).toEqual(PATHS.map(() => normal));
  expect(sharePaths([{ path: '' }], 'film.mkv')).toEqual(['film.mkv']);
  expect(sharePaths([{ path: 'a' }, { path: 'b' }], 'album')).toEqual(['a', 'b']);
});

it('priorities come after what only says, the last one that matches first', () => {
  const selection = {
    only: ['a'],
    priorities: [
      { path: '**/*.txt', priority: 'low' },
      { path: 'a/b', priority: 'high' },
      { path: 'a/d.TXT', priority: 'skip' },
    ],
  } as const;
  expect([...filePriorities(selection, PATHS)]).toEqual([skip, high, skip, low, low]);
});

it('only begins anew, priorities are added, and one for the same pattern replaces it', () => {
  const first = changedSelection(NO_SELECTION, { priorities: [{ path: 'a', priority: 'low' }] });
  const second = changedSelection(first, { priorities: [{ path: 'e.txt', priority: 'high' }] });
  const third = changedSelection(second, { priorities: [{ path: 'a', priority: 'skip' }] });
  expect(third).toEqual({
    only: null,
    priorities: [
      { path: 'e.txt', priority: 'high' },
      { path: 'a', priority: 'skip' },
    ],
  });
  const about = { only: ['a'], priorities: [{ path: '.rc', priority: 'normal' }] } as const;
  expect(changedSelection(third, about)).toEqual(about);
  expect(changedSelection(third, { only: ['a'] })).toEqual({ only: ['a'], priorities: [] });
});

it('names the field that matches nothing, and ten of the files that there are', () => {
  const many = Array.from({ length: 12 }, (_, number) => `f${number}`);
  expect(selectionProblem(NO_SELECTION, { only: ['f1', 'g'] }, many)).toEqual({
    field: 'only[1]',
    message: 'matches nothing in the share; there is f0, f1, f2, f3, f4, f5, f6, f7, f8, f9 and 2 more',
  });
  const priorities = [{ path: 'g', priority: 'skip' }] as const;
  expect(selectionProblem(NO_SELECTION, { priorities }, ['f'])).toMatchObject({ field: 'priorities[0].path' });
  expect(selectionProblem(NO_SELECTION, { only: ['f0'] }, many)).toBeNull();
});

it.each([
  ['[', 'must be a glob, like *.tmp or build/**'],
  ['!f0', 'must not begin with !: say what is meant, and ?name for a name that begins with it'],
  ['!(g)', null],
])('%s that matches nothing is told as no glob when it is none: %s', (glob, message) => {
  const expected = message === null ? null : { field: 'only[0]', message };
  expect(selectionProblem(NO_SELECTION, { only: [glob] }, ['f0', 'f1'])).toEqual(expected);
});

it.each(['[', '!f'])('the very path of a file is what is meant by %s', (path) => {
  expect(selectionProblem(NO_SELECTION, { only: [path] }, ['f', path])).toBeNull();
  expect([...filePriorities({ only: [path], priorities: [] }, ['f', path])]).toEqual([
    PRIORITIES.skip,
    PRIORITIES.normal,
  ]);
});

it('of a share without files it says so', () => {
  expect(selectionProblem(NO_SELECTION, { only: ['a'] }, [])?.message).toBe(
    'matches nothing in the share; it holds empty folders and no file, and can only be taken as a whole',
  );
});

it('something has to be left to fetch, with what was said before', () => {
  const before = { only: ['a'], priorities: [] };
  const priorities = [{ path: 'a', priority: 'skip' }] as const;
  expect(selectionProblem(before, { priorities }, PATHS)).toMatchObject({ field: 'priorities' });
  expect(selectionProblem(NO_SELECTION, { priorities }, PATHS)).toBeNull();
});

it('no more is kept of priorities than one request may bring', () => {
  const paths = Array.from({ length: 300 }, (_, number) => `f${number}`);
  const rules = (from: number, count: number) =>
    paths.slice(from, from + count).map((path) => ({ path, priority: 'low' as const }));
  const before = changedSelection(NO_SELECTION, { priorities: rules(0, 200) });
  expect(selectionProblem(before, { priorities: rules(100, 156) }, paths)).toBeNull();
  expect(selectionProblem(before, { priorities: rules(100, 157) }, paths)).toMatchObject({ field: 'priorities' });
});

it.each([
  [{ only: null, priorities: [] }, true],
  [{ only: ['a'], priorities: [{ path: 'a', priority: 'low' }] }, true],
  [{ only: [1], priorities: [] }, false],
  [{ only: null, priorities: [{ path: 'a', priority: 'lowest' }] }, false],
  [{ only: null, priorities: [{ path: 'a' }] }, false],
  [{ only: null }, false],
])('of a file, %j is a selection: %s', (value, expected) => {
  expect(isSelection(value)).toBe(expected);
});
