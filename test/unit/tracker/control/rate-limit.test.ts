import { describe, expect, it } from 'vitest';
import { RateLimit } from '../../../../apps/tracker/src/control/rate-limit.ts';

describe('a rate limit', () => {
  it('allows a burst, then one attempt for each interval', () => {
    let nowMs = 0;
    const limit = new RateLimit({ burst: 2, refillMs: 1_000, now: () => nowMs });
    expect([limit.take('a'), limit.take('a'), limit.take('a')]).toEqual([true, true, false]);
    expect(limit.take('b')).toBe(true);
    nowMs += 999;
    expect(limit.allows('a')).toBe(false);
    nowMs += 1;
    expect([limit.take('a'), limit.take('a')]).toEqual([true, false]);
  });

  it('gives nothing for a clock that goes backwards', () => {
    let nowMs = 10_000;
    const limit = new RateLimit({ burst: 1, refillMs: 1_000, now: () => nowMs });
    limit.take('a');
    nowMs = 0;
    expect(limit.take('a')).toBe(false);
  });
});
