import { expect, it } from 'vitest';
import { DoorPace, type LoopLoad } from '#identity/door-pace';

/** A pace, and a loop that is busy and idle as it is told. */
function paced(begin: LoopLoad = { idle: 0, active: 0 }) {
  let load = begin;
  const pace = new DoorPace(() => load);
  const pass = (more: Partial<LoopLoad>): boolean => {
    load = { idle: load.idle + (more.idle ?? 0), active: load.active + (more.active ?? 0) };
    return pace.isDue;
  };
  return { pace, pass };
}

it('the first one comes in at once, however busy the loop was before', () => {
  expect(paced().pace.isDue).toBe(true);
  expect(paced({ idle: 0, active: 10_000 }).pace.isDue).toBe(true);
});

it('the next one comes in when the loop was idle for as long as it was busy', () => {
  const { pace, pass } = paced();
  pace.step();
  expect(pass({ active: 2 })).toBe(false);
  expect(pass({ idle: 1.9 })).toBe(false);
  expect(pass({ idle: 0.1 })).toBe(true);
  pace.step();
  expect(pass({ active: 0.5 })).toBe(false);
  expect(pass({ idle: 0.5 })).toBe(true);
});

it('and after five milliseconds in any case', () => {
  const { pace, pass } = paced();
  pace.step();
  expect(pass({ active: 4.9 })).toBe(false);
  expect(pass({ active: 0.1 })).toBe(true);
});
