import { expect, test } from 'vitest';
import { globMistake, patternOf } from '../../../../apps/peer/src/storage/path-pattern.ts';

test.each([
  ['*.tmp', 'a.tmp', 'a.tmp2'],
  ['build/**', 'build/x/y', 'rebuild/x'],
  ['/top/', 'top', 'top2'],
  ['a[1].txt', 'a[1].txt', 'a2.txt'],
  ['photos (2020)', 'photos (2020)', 'photos'],
  ['a+b', 'a+b', 'aab'],
])('%s fits %s and not %s', (glob, path, other) => {
  const pattern = patternOf(glob);

  expect(pattern?.test(path)).toBe(true);
  expect(pattern?.test(other)).toBe(false);
});

test('a name that can be read as a glob fits as that too', () => {
  expect(patternOf('a[1].txt')?.test('a1.txt')).toBe(true);
});

test('a leading ! turns nothing round', () => {
  expect(patternOf('!*.tmp')?.test('a.txt')).toBe(false);
  expect(patternOf('!*.tmp')?.test('!a.tmp')).toBe(true);
});

test.each([
  ['', /^must be a glob/],
  ['[', /^must be a glob/],
  ['!*.tmp', /^must not begin with !/],
  ['!(a|b)', null],
  ['a!b', null],
])('what is wrong with %j as a glob is %s', (text, mistake) => {
  if (mistake === null) expect(globMistake(text)).toBeNull();
  else expect(globMistake(text)).toMatch(mistake);
});

test.each(['', '/', '['])('"%s" is no glob', (text) => {
  expect(patternOf(text)).toBeNull();
});
