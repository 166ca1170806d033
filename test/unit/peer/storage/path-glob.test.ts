import fc from 'fast-check';
import { expect, it } from 'vitest';
import { PathGlobs } from '../../../../apps/peer/src/storage/path-glob.ts';
import { patternOf } from '../../../../apps/peer/src/storage/path-pattern.ts';

/** Every glob against the path and every folder around it, one after the other. */
function naiveLastOf(globs: readonly string[], path: string): number {
  const components = path.split('/');
  const places = components.map((_, depth) => components.slice(0, depth + 1).join('/'));
  return globs.findLastIndex((glob) => places.some((place) => place === glob || patternOf(glob)?.test(place) === true));
}

/** As names may be: none ends with a dot. */
const component = fc.stringMatching(/^[ab.]{0,2}[ab]$/);
const path = fc.array(component, { minLength: 1, maxLength: 4 }).map((components) => components.join('/'));
const glob = fc.oneof(
  path,
  fc
    .array(fc.oneof(component, fc.constantFrom('*', '**', '?', 'a*', '{a,b}', '[ab]')), { minLength: 1, maxLength: 4 })
    .map((parts) => parts.join('/')),
  fc.stringMatching(/^[ab*?[\](){}!+@|\\/.]{1,6}$/),
);

it('many globs at once come to what each of them comes to alone', () => {
  fc.assert(
    fc.property(fc.array(glob, { maxLength: 6 }), fc.array(path, { maxLength: 8 }), (globs, paths) => {
      const at = new PathGlobs(globs);
      for (const each of paths) expect(at.lastOf(each), `${each} in ${globs.join()}`).toBe(naiveLastOf(globs, each));
    }),
    { numRuns: 1_000, seed: 9 },
  );
});

it.each(['*a*a*a*a*a*a*a*b', '**/a/**/a/**/a/**/a/**/a/**/b', '*.*.*.*.*.gz'])(
  'a long name that nearly fits %s costs no more than another one',
  (hostile) => {
    const globs = new PathGlobs([hostile]);
    const begunMs = performance.now();
    for (const name of ['a'.repeat(255), 'a/'.repeat(2_000) + 'c', '.'.repeat(250) + 'x'])
      expect(globs.lastOf(name)).toBe(-1);
    expect(performance.now() - begunMs).toBeLessThan(5_000);
  },
);
