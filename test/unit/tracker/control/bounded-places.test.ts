import { expect, it } from 'vitest';
import { BoundedPlaces } from '../../../../apps/tracker/src/control/bounded-places.ts';

it('each key has its own places, and one that is left can be taken again', () => {
  const places = new BoundedPlaces(2);
  expect(['a', 'a', 'a', 'b', 'a'].map((key) => places.take(key))).toEqual([true, true, false, true, false]);
  places.leave('a');
  expect(['a', 'a', 'b', 'b'].map((key) => places.take(key))).toEqual([true, false, true, false]);
});

it('leaving a place that was never taken gives none', () => {
  const places = new BoundedPlaces(1);
  places.leave('a');
  expect([places.take('a'), places.take('a')]).toEqual([true, false]);
});
