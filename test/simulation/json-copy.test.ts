import { expect, it } from 'vitest';
import { jsonCopy } from './json-copy.ts';

const message = {
  text: 'ü',
  number: 1.5,
  flag: false,
  nothing: null,
  left: undefined,
  list: [1, { deep: [[]] }],
  empty: {},
};

it('a copy is what comes out of JSON, to the order of the fields', () => {
  const copy = jsonCopy(message);
  expect(JSON.stringify(copy)).toBe(JSON.stringify(message));
  expect(copy).toStrictEqual(JSON.parse(JSON.stringify(message)));
});

it('a copy shares nothing with what was copied', () => {
  const copy = jsonCopy(message);
  (copy.list[1] as { deep: unknown[] }).deep.push('more');
  expect(message.list[1]).toEqual({ deep: [[]] });
});

it.each([[new Map()], [Buffer.from('a')], [new Date(0)], [NaN], [Infinity], [1n], [() => 1], [[undefined]]])(
  'what JSON would change is refused: %s',
  (value) => {
    expect(() => jsonCopy({ value })).toThrow('JSON');
  },
);
