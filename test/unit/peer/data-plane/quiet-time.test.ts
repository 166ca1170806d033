import { expect, it } from 'vitest';
import { LaneCounters, newCounters } from '../../../../apps/peer/src/data-plane/lane-counters.ts';
import { BUSY_PAUSE_MS, QuietTime } from '../../../../apps/peer/src/data-plane/quiet-time.ts';

it('work that nobody waits for goes on at once while nothing moves, and pauses while bytes move in any worker', () => {
  const memory = newCounters(2);
  const lanes = [new LaneCounters(memory, 0), new LaneCounters(memory, 1)] as const;
  const quiet = new QuietTime(lanes);
  expect(quiet.pauseMs()).toBe(0);
  lanes[1].add('sentBytes', 1);
  expect(quiet.pauseMs()).toBe(BUSY_PAUSE_MS);
  expect(quiet.pauseMs()).toBe(0);
  lanes[0].add('receivedBytes', 1);
  expect(quiet.pauseMs()).toBe(BUSY_PAUSE_MS);
  lanes[0].add('hashedBytes', 1);
  expect(quiet.pauseMs()).toBe(0);
});
