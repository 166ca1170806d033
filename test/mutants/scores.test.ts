import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Mutant, scoresOf, survivorList, survivorsOf } from './scores.ts';
import { EXPLAINED } from './survivors.ts';

const SOURCE = 'const a = 1;\n  return a > 1 &&\n    b;\n';

/** A mutant of `a > 1` in the second line. */
function mutant(status: Mutant['status'], more: Partial<Mutant> = {}): Mutant {
  const location = { start: { line: 2, column: 10 }, end: { line: 2, column: 15 } };
  return { fileName: `${process.cwd()}/libs/one.ts`, location, replacement: 'a >= 1', status, ...more };
}

const whole = { start: { line: 2, column: 10 }, end: { line: 3, column: 6 } };
const mutants = [
  mutant('Killed'),
  mutant('Timeout'),
  mutant('Survived'),
  mutant('CompileError'),
  mutant('Ignored'),
  mutant('NoCoverage', { replacement: 'true', location: whole }),
  mutant('Killed', { fileName: `${process.cwd()}/libs/another.ts` }),
];
const explained = [{ file: 'libs/one.ts', line: 'return a > 1 &&', mutants: ['a > 1 → a >= 1'], why: 'it is never 1' }];
const sources = { textOf: () => SOURCE, explained };

it('a score counts what tests found of what could be tried, file by file and altogether', () => {
  expect(scoresOf(mutants)).toEqual([
    { file: 'libs/another.ts', mutants: 1, killed: 1, timedOut: 0, notCovered: 0, percent: 100 },
    { file: 'libs/one.ts', mutants: 4, killed: 2, timedOut: 1, notCovered: 1, percent: 50 },
    { file: 'all', mutants: 5, killed: 3, timedOut: 1, notCovered: 1, percent: 60 },
  ]);
});

it('a survivor is told by its line, with the reason why it may live', () => {
  const where = { file: 'libs/one.ts', lineNumber: 2, line: 'return a > 1 &&' };
  expect(survivorsOf(mutants, sources)).toEqual([
    { ...where, change: 'a > 1 → a >= 1', why: 'it is never 1' },
    { ...where, change: 'a > 1 && → true', why: null },
  ]);
});

it('a reason holds for its line, its file and its change alone', () => {
  const others = [{ line: 'return a > 2 &&' }, { file: 'libs/another.ts' }, { mutants: ['a > 1 → a < 1'] }];
  for (const other of others) {
    const [survivor] = survivorsOf(mutants, { ...sources, explained: [{ ...explained[0]!, ...other }] });
    expect(survivor).toMatchObject({ change: 'a > 1 → a >= 1', why: null });
  }
});

it('the list names what is not explained', () => {
  const text = survivorList(survivorsOf(mutants, sources), 'commit 1');
  expect(text).toContain('- line 2: `a > 1 → a >= 1` in `return a > 1 &&`: it is never 1\n');
  expect(text).toContain('- line 2: `a > 1 && → true` in `return a > 1 &&`: **not explained**\n');
});

it('what is explained stands in its file', () => {
  const root = join(import.meta.dirname, '../..');
  const linesOf = (file: string): string[] => readFileSync(join(root, file), 'utf8').split('\n');
  const gone = EXPLAINED.filter(({ file, line }) => !linesOf(file).some((text) => text.trim() === line));
  expect(gone).toEqual([]);
});
