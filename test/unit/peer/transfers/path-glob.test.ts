import fc from 'fast-check';
import { expect, it } from 'vitest';
import { PathGlobs } from '../../../../apps/peer/src/transfers/path-glob.ts';
import { patternOf } from '../../../../apps/peer/src/transfers/path-patterns.ts';

/** Every glob against the path and every folder around it, one after the other. */
function naiveLastOf(globs: readonly string[], path: string): number {
  const components = path.split('/');
  const places = components.map((_, depth) => components.slice(0, depth + 1).join('/'));
  return globs.findLastIndex((glob) => places.some((place) => place === glob || patternOf(glob)?.test(place) === true));
}

const component = fc.stringMatching(/^[ab.]{1,3}$/);
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
    { numRuns: 2_000 },
  );
});
