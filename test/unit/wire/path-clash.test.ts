import { expect, it } from 'vitest';
import { pathClash } from '#wire/path-clash';

it.each([
  [['a', 'b/c', 'b/d', 'e/a']],
  [['a/b/c', 'a/b', 'a']],
  [['A/b', 'A/c']],
  [['\u00e4', 'a\u0308b', 'a']],
  [['a-b', 'a_b', 'a b']],
])('%j are paths of their own everywhere', (paths) => {
  expect(pathClash(paths)).toBeNull();
});

it.each([
  [['a', 'A'], 'A', 'a'],
  [['d/readme', 'd/x', 'd/README'], 'd/README', 'd/readme'],
  // As NFC and as NFD.
  [['\u00e9', 'e\u0301'], 'e\u0301', '\u00e9'],
  [['\u00c9', 'e\u0301'], 'e\u0301', '\u00c9'],
  [['\u212a', 'k'], 'k', '\u212a'],
  // Folders that become one.
  [['src/a', 'Src/b'], 'Src', 'src'],
  [['x/Src/b/c', 'x/src'], 'x/src', 'x/Src'],
])('of %j two are one on some disks', (paths, path, other) => {
  expect(pathClash(paths)).toEqual({ path, other });
});
