import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { LaneEvent } from '../../../../apps/peer/src/data-plane/lane-messages.ts';
import { LaneNews } from '../../../../apps/peer/src/data-plane/lane-news.ts';

beforeEach(() => vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => vi.useRealTimers());

function newNews() {
  const told: LaneEvent[] = [];
  return { told, news: new LaneNews((event) => void told.push(event)) };
}

const verified = (connection: number, ...pieces: number[]) => ({ kind: 'verified', connection, pieces });

it('pieces of all connections are told in one message, not more often than every 50 ms', () => {
  const { told, news } = newNews();
  news.verified(1, 7);
  expect(told.splice(0)).toEqual([{ kind: 'delivered', verified: [verified(1, 7)] }]);
  vi.advanceTimersByTime(49);
  news.verified(1, 8);
  news.verified(2, 3);
  news.verified(1, 9);
  expect(told).toEqual([]);
  vi.advanceTimersByTime(1);
  news.verified(2, 4);
  expect(told.splice(0)).toEqual([{ kind: 'delivered', verified: [verified(1, 8, 9), verified(2, 3, 4)] }]);
  news.tellVerified();
  expect(told).toEqual([]);
});

it('what waits is told before whatever else is said, also of another connection', () => {
  const { told, news } = newNews();
  news.verified(1, 7);
  news.verified(1, 8);
  news.say({ kind: 'held', connection: 2, piece: 5 });
  expect(told.slice(1)).toEqual([
    { kind: 'delivered', verified: [verified(1, 8)] },
    { kind: 'held', connection: 2, piece: 5 },
  ]);
});
