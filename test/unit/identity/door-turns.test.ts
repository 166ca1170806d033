import { expect, it } from 'vitest';
import { DoorTurns } from '#identity/door-turns';

/** Takes so many turns at one time, while all that are named wait all the time; whoever comes in shows something or not. */
function taken(turns: DoorTurns, count: number, about: { waiting: readonly string[]; shows?: string; nowMs?: number }) {
  const { waiting, shows, nowMs = 0 } = about;
  return Array.from({ length: count }, () => {
    for (const network of waiting) turns.expect(network, true);
    const network = turns.take(nowMs)!;
    turns.cameIn(network, nowMs);
    if (network === shows) turns.showed(network, nowMs);
    return network;
  });
}

it('nobody has a turn where nobody waits, or waits no longer', () => {
  const turns = new DoorTurns();
  expect([turns.isWanted, turns.take(0)]).toEqual([false, null]);
  turns.expect('a', true);
  expect(turns.isWanted).toBe(true);
  turns.expect('a', false);
  expect([turns.isWanted, turns.take(0)]).toEqual([false, null]);
});

it('networks take turns, and who had the last one the longest ago is next', () => {
  const turns = new DoorTurns();
  expect(taken(turns, 5, { waiting: ['a', 'b', 'c'] })).toEqual(['a', 'b', 'c', 'a', 'b']);
  turns.expect('c', false);
  expect(taken(turns, 2, { waiting: ['a', 'b'] })).toEqual(['a', 'b']);
  expect(taken(turns, 1, { waiting: ['a', 'b', 'c'] })).toEqual(['c']);
});

it('who comes in and shows nothing goes behind those who show who they are, however often these come', () => {
  const turns = new DoorTurns();
  const waiting = ['good', 'bad', 'worse'];
  taken(turns, 30, { waiting, shows: 'good' });
  expect(taken(turns, 10, { waiting, shows: 'good' })).toEqual(Array(10).fill('good'));
  expect(taken(turns, 4, { waiting: ['bad', 'worse'] }).toSorted()).toEqual(['bad', 'bad', 'worse', 'worse']);
});

it('which is forgotten in seconds', () => {
  const turns = new DoorTurns();
  const waiting = ['good', 'bad'];
  taken(turns, 40, { waiting: ['bad'] });
  expect(taken(turns, 3, { waiting, shows: 'good', nowMs: 1_000 })).toEqual(Array(3).fill('good'));
  expect(taken(turns, 4, { waiting, shows: 'good', nowMs: 5_000 })).toContain('bad');
});

it('of a thousand networks and more the latest are remembered', () => {
  const turns = new DoorTurns();
  taken(turns, 10, { waiting: ['bad'] });
  for (let number = 0; number < 1_024; number++) taken(turns, 1, { waiting: [`${number}`] });
  expect(taken(turns, 1, { waiting: ['0', 'bad'] })).toEqual(['bad']);
});
