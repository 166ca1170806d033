import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SmallMap } from '#domain/small-map';

const steps = fc.array(
  fc.record({ key: fc.constantFrom('a', 'b', 'c'), value: fc.constantFrom('1', '2'), isDeleted: fc.boolean() }),
  {
    maxLength: 30,
  },
);

test('a small map has what a Map has, in the same order, whatever was set and deleted', () => {
  fc.assert(
    fc.property(steps, (sequence) => {
      const [small, model] = [new SmallMap<string>(), new Map<string, string>()];
      for (const { key, value, isDeleted } of sequence) {
        if (isDeleted) expect(small.delete(key)).toBe(model.delete(key));
        else expect(small.set(key, value)).toBe(small);
        if (!isDeleted) model.set(key, value);
        expect([small.size, [...small], [...small.entries()]]).toEqual([model.size, [...model], [...model]]);
        expect([[...small.keys()], [...small.values()]]).toEqual([[...model.keys()], [...model.values()]]);
        for (const asked of ['a', 'b', 'c', 'd']) {
          expect([small.has(asked), small.get(asked)]).toEqual([model.has(asked), model.get(asked)]);
        }
        const visited: [string, string][] = [];
        small.forEach((visitedValue, visitedKey) => visited.push([visitedKey, visitedValue]));
        expect(visited).toEqual([...model]);
      }
    }),
  );
});

test('a small map begins with the entries that it is given', () => {
  expect([...new SmallMap([])]).toEqual([]);
  const entries: [string, string][] = [
    ['a', '1'],
    ['b', '2'],
  ];
  expect([...new SmallMap(entries)]).toEqual(entries);
});

test('an entry may be deleted while it is looked at', () => {
  const small = new SmallMap([['a', '1']]);
  for (const [key] of small) small.delete(key);
  expect(small.size).toBe(0);
});
