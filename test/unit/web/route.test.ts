import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hrefOf, type Route, routeOf, SETTINGS_SECTIONS } from '../../../apps/peer/web/src/routing/route.ts';

const name = fc.string({ minLength: 1, unit: 'grapheme' });
const routes: fc.Arbitrary<Route> = fc.oneof(
  fc.constant<Route>({ place: 'transfers' }),
  fc.constant<Route>({ place: 'groups' }),
  name.map((transferId): Route => ({ place: 'transfers', transferId })),
  name.map((group): Route => ({ place: 'files', group })),
  fc.tuple(name, name).map(([group, file]): Route => ({ place: 'files', group, file })),
  name.map((group): Route => ({ place: 'members', group })),
  name.map((group): Route => ({ place: 'group', group })),
  fc.constantFrom(...SETTINGS_SECTIONS).map((section): Route => ({ place: 'settings', section })),
);

test('every place is found at its address, whatever its names are', () => {
  fc.assert(
    fc.property(routes, (route) => {
      expect(routeOf(hrefOf(route))).toEqual(route);
    }),
  );
});

test.each<[string, Route]>([
  ['', { place: 'groups' }],
  ['#', { place: 'groups' }],
  ['#/groups/', { place: 'groups' }],
  ['#/groups/films', { place: 'files', group: 'films' }],
  ['#/settings', { place: 'settings', section: 'account' }],
])('%s is a place too', (hash, route) => expect(routeOf(hash)).toEqual(route));

test.each([
  '#/nowhere',
  '#/groups/a/b',
  '#/groups/a/members/b',
  '#/settings/other',
  '#/transfers/a/b',
  '#/groups/%',
  '#ticket=a',
])('%s is no place', (hash) => expect(routeOf(hash)).toBeNull());
