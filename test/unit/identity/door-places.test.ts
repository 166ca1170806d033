import fc from 'fast-check';
import { expect, it } from 'vitest';
import { DoorPlaces } from '#identity/door-places';

interface Guest {
  readonly name: string;
}
const guests = (...names: string[]): Guest[] => names.map((name) => ({ name }));

it('who has shown nothing gives way to who comes, the oldest first', () => {
  const places = new DoorPlaces<Guest>({ placesMax: 2, perNetworkMax: 2 });
  const [first, second, third, fourth] = guests('first', 'second', 'third', 'fourth');
  expect(places.enter(first!, 'a')).toBeNull();
  expect(places.enter(second!, 'b')).toBeNull();
  expect(places.enter(third!, 'c')).toBe(first);
  expect(places.enter(fourth!, 'd')).toBe(second);
  expect(places.size).toBe(2);
});

it('who has shown who it is gives way to nobody: who comes is sent away', () => {
  const places = new DoorPlaces<Guest>({ placesMax: 2, perNetworkMax: 2 });
  const [first, second, third] = guests('first', 'second', 'third');
  places.enter(first!, 'a');
  places.enter(second!, 'a');
  places.know(first!);
  places.know(second!);
  expect(places.enter(third!, 'b')).toBe(third);
  places.leave(first!);
  expect(places.enter(third!, 'b')).toBeNull();
});

it('a network that has all of its places takes none of another one', () => {
  const places = new DoorPlaces<Guest>({ placesMax: 10, perNetworkMax: 2 });
  const [good, first, second, third] = guests('good', 'first', 'second', 'third');
  places.enter(good!, 'b');
  places.enter(first!, 'a');
  places.enter(second!, 'a');
  expect(places.enter(third!, 'a')).toBe(first);
});

it('of all networks the one with most strangers gives way', () => {
  const places = new DoorPlaces<Guest>({ placesMax: 3, perNetworkMax: 3 });
  const [good, first, second, third, fourth] = guests('good', 'first', 'second', 'third', 'fourth');
  places.enter(good!, 'b');
  places.enter(first!, 'a');
  places.enter(second!, 'a');
  expect(places.enter(third!, 'a')).toBe(first);
  expect(places.enter(fourth!, 'c')).toBe(second);
});

it('who is known by the time that somebody has to give way is asked before', () => {
  const known = new Set<Guest>();
  const places = new DoorPlaces<Guest>({ placesMax: 2, perNetworkMax: 2, isKnown: (guest) => known.has(guest) });
  const [first, second, third] = guests('first', 'second', 'third');
  places.enter(first!, 'a');
  places.enter(second!, 'a');
  known.add(first!);
  expect(places.enter(third!, 'b')).toBe(second);
});

it('never has more guests than places, and knows of nobody who is gone', () => {
  const step = fc.record({ network: fc.nat(3), act: fc.constantFrom('enter', 'know', 'leave'), at: fc.nat(20) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const places = new DoorPlaces<Guest>({ placesMax: 6, perNetworkMax: 3 });
      const here = new Map<Guest, number>();
      for (const { network, act, at } of steps) {
        const guest = [...here.keys()][at] ?? { name: 'nobody' };
        if (act === 'enter') {
          const [newcomer] = guests('newcomer');
          here.set(newcomer!, network);
          const leaving = places.enter(newcomer!, `${network}`);
          if (leaving !== null) expect(here.delete(leaving)).toBe(true);
        } else if (act === 'know') places.know(guest);
        else if (places.leave(guest) === undefined) here.delete(guest);
        expect(places.size).toBe(here.size);
        expect(here.size).toBeLessThanOrEqual(6);
        for (const each of here.values()) {
          expect([...here.values()].filter((other) => other === each).length).toBeLessThanOrEqual(3);
        }
      }
    }),
  );
});
