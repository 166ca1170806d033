import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { TrafficView } from '#wire/control-live-events';
import { tellTraffic, type TrafficFeed } from '../../../../apps/peer/src/control/traffic-feed.ts';

let moved = { receivedBytes: 0, sentBytes: 0 };
let told: TrafficView[] = [];

beforeEach(() => {
  vi.useFakeTimers();
  moved = { receivedBytes: 5_000, sentBytes: 7_000 };
  told = [];
});
afterEach(() => vi.useRealTimers());

function begin(): TrafficFeed {
  return tellTraffic({ moved: () => moved, now: Date.now, tell: (traffic) => told.push(traffic) });
}

it('tells what moved in the last second, from the moment on that somebody listens', () => {
  begin();
  moved = { receivedBytes: 6_000, sentBytes: 7_500 };
  vi.advanceTimersByTime(1_000);
  expect(told).toEqual([{ downloadBytesPerSecond: 1_000, uploadBytesPerSecond: 500 }]);
});

it('tells nothing while nothing moves, and once that it is over', () => {
  begin();
  vi.advanceTimersByTime(5_000);
  expect(told).toEqual([]);
  moved = { ...moved, sentBytes: 9_000 };
  vi.advanceTimersByTime(4_000);
  expect(told.map(({ uploadBytesPerSecond }) => uploadBytesPerSecond)).toEqual([2_000, 0]);
});

it('tells that nothing moves to who comes and may have been told of more', () => {
  const feed = begin();
  feed.tellNext();
  vi.advanceTimersByTime(3_000);
  expect(told).toEqual([{ downloadBytesPerSecond: 0, uploadBytesPerSecond: 0 }]);
});

it('reckons with the time that went by when the process was held up', () => {
  let nowMs = 0;
  tellTraffic({ moved: () => moved, now: () => nowMs, tell: (traffic) => told.push(traffic) });
  moved = { ...moved, receivedBytes: 9_000 };
  nowMs = 4_000;
  vi.advanceTimersByTime(1_000);
  expect(told[0]?.downloadBytesPerSecond).toBe(1_000);
});

it('tells nothing any more when it was stopped', () => {
  const feed = begin();
  moved = { ...moved, sentBytes: 9_000 };
  feed.stop();
  vi.advanceTimersByTime(3_000);
  expect([told, vi.getTimerCount()]).toEqual([[], 0]);
});
