import { expect, it } from 'vitest';
import { pathClash } from '#wire/path-clash';

it.each([
  [['a', 'b/c', 'b/d', 'e/a']],
  [['a/b/c', 'a/b', 'a']],
  [['A/b', 'A/c']],
  [['\u00e4', 'a\u0308b', 'a']],
  // A sigma at the end of a name has a form of its own.
  [['\u0391\u03a3/a', '\u0391\u03a3/\u0391\u03a3', '\u0391\u03a3b']],
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
  [['A/b', 'B/c', 'a/d'], 'a', 'A'],
  [['f/A/x', 'f/B/x', 'f/a'], 'f/a', 'f/A'],
  [['x/Src/b/c', 'x/src'], 'x/src', 'x/Src'],
  [['\u0391\u03a3/a', '\u03b1\u03c2'], '\u03b1\u03c2', '\u0391\u03a3'],
  [['e\u0301/E\u0301/a', '\u00e9/\u00c9'], '\u00e9/\u00c9', 'e\u0301/E\u0301'],
])('of %j two are one on some disks', (paths, path, other) => {
  expect(pathClash(paths)).toEqual({ path, other });
});

it('what is kept of deep folders takes little more room than their paths', () => {
  let kept = 0;
  function* paths() {
    const before = process.memoryUsage().heapUsed;
    for (let number = 0; number < 48; number++) yield `\u0391${number}${'/A'.repeat(2000)}`;
    kept = process.memoryUsage().heapUsed - before;
  }
  expect(pathClash(paths())).toBeNull();
  expect(kept).toBeLessThan(100 * 2 ** 20);
});
