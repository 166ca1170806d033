import { expect, it } from 'vitest';
import type { PieceIndex } from '#domain/piece-geometry';
import { PiecePriorities, PRIORITIES } from '#domain/piece-priorities';

const { skip, low, normal, high } = PRIORITIES;
const at = (...pieces: number[]): PieceIndex[] => pieces as PieceIndex[];
const classes = (priorities: PiecePriorities, ...missing: number[]): number[][] =>
  priorities.classesOf(Uint32Array.from(missing)).map((pieces) => Array.from(pieces));

it('all pieces are alike until something else is said, and what is missing is not even copied', () => {
  const priorities = new PiecePriorities(4);
  const missing = Uint32Array.of(3, 1);
  expect(priorities.classesOf(missing)[0]).toBe(missing);
  priorities.prioritize(Uint8Array.of(high, high, high, high));
  priorities.prioritize(Uint8Array.of(normal, normal, normal, normal));
  expect(priorities.classesOf(missing)).toEqual([missing]);
  expect(priorities.classesOf(missing)[0]).toBe(missing);
});

it('missing pieces come in classes, the most wanted first; what is skipped comes in none', () => {
  const priorities = new PiecePriorities(6);
  priorities.prioritize(Uint8Array.of(low, high, skip, normal, high, low));
  expect(classes(priorities, 5, 4, 3, 2, 1, 0)).toEqual([[4, 1], [3], [5, 0]]);
  expect(classes(priorities, 2)).toEqual([]);
  expect(at(0, 1, 2, 3).map((piece) => priorities.isWanted(piece))).toEqual([true, true, false, true]);
});

it('priorities can change at any time, and are those that were given last', () => {
  const priorities = new PiecePriorities(2);
  const given = Uint8Array.of(skip, low);
  priorities.prioritize(given);
  given[0] = high;
  expect(classes(priorities, 0, 1)).toEqual([[1]]);
  priorities.prioritize(Uint8Array.of(high, skip));
  expect(classes(priorities, 0, 1)).toEqual([[0]]);
  expect(() => priorities.prioritize(Uint8Array.of(high))).toThrow(RangeError);
});

it('an urgent piece is wanted although it is skipped, until the window is another one', () => {
  const priorities = new PiecePriorities(5);
  priorities.prioritize(Uint8Array.of(skip, skip, low, low, low));
  expect(priorities.hurry(at(3, 1))).toEqual([3, 1]);
  expect([...priorities.urgent]).toEqual([3, 1]);
  expect(priorities.isWanted(1 as PieceIndex)).toBe(true);
  expect(classes(priorities, 0, 1, 2, 3, 4)).toEqual([
    [1, 3],
    [2, 4],
  ]);
  expect(new Set(priorities.hurry(at(1, 4)))).toEqual(new Set([4, 3]));
  expect([...priorities.urgent]).toEqual([1, 4]);
  expect(priorities.hurry([])).toEqual([1, 4]);
  expect(priorities.isWanted(1 as PieceIndex)).toBe(false);
});
