import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CREDIT_MICROS, grainBytes, reserveTokens } from '#domain/token-bucket';

const BYTES_PER_MILLISECOND = 1000;
const BYTES_PER_SECOND = BYTES_PER_MILLISECOND * 1000;
const CREDIT_BYTES = (BYTES_PER_SECOND * CREDIT_MICROS) / 1e6;

interface Asking {
  readonly atMs: number;
  readonly bytes: number;
}

/** The naive twin: a level that grows each millisecond, and a queue whose head goes when the level is not below zero. */
function modelStarts(askings: readonly Asking[]): number[] {
  const starts: number[] = [];
  let level = CREDIT_BYTES;
  for (let nowMs = 0; starts.length < askings.length; nowMs++) {
    if (nowMs > 0) level = Math.min(CREDIT_BYTES, level + BYTES_PER_MILLISECOND);
    for (let next = askings[starts.length]; next !== undefined && next.atMs <= nowMs && level >= 0;) {
      level -= next.bytes;
      starts.push(nowMs);
      next = askings[starts.length];
    }
  }
  return starts;
}

function bucketStarts(askings: readonly Asking[]): number[] {
  let freeAtMicros = -CREDIT_MICROS;
  return askings.map(({ atMs, bytes }) => {
    const nowMicros = atMs * 1000;
    const reserved = reserveTokens(freeAtMicros, { nowMicros, bytes, bytesPerSecond: BYTES_PER_SECOND });
    freeAtMicros = reserved.freeAtMicros;
    return atMs + reserved.waitMicros / 1000;
  });
}

it('bytes go when those of a naive bucket go', () => {
  const gaps = fc.array(
    fc.record({ gapMs: fc.integer({ min: 0, max: 400 }), kilobytes: fc.integer({ min: 0, max: 90 }) }),
  );
  fc.assert(
    fc.property(gaps, (steps) => {
      let atMs = 0;
      const askings = steps.map(({ gapMs, kilobytes }) => ({ atMs: (atMs += gapMs), bytes: kilobytes * 1000 }));
      expect(bucketStarts(askings)).toEqual(modelStarts(askings));
    }),
  );
});

it('never more goes in any time than the rate, what was saved up, and the one reservation that goes into debt', () => {
  const askings = Array.from({ length: 500 }, () => ({ atMs: 3000, bytes: 7000 }));
  const starts = bucketStarts(askings);
  for (const withinMs of [1, 100, 1000, 3000]) {
    const went = starts.filter((startMs) => startMs < 3000 + withinMs).length * 7000;
    expect(went).toBeLessThanOrEqual(withinMs * BYTES_PER_MILLISECOND + CREDIT_BYTES + 7000);
  }
});

it('what is given back may go again', () => {
  const asked = { nowMicros: 0, bytesPerSecond: 1000 };
  const { freeAtMicros } = reserveTokens(0, { ...asked, bytes: 5000 });
  expect(reserveTokens(freeAtMicros, { ...asked, bytes: -2000 }).freeAtMicros).toBe(3_000_000);
});

it.each([
  [50_000_000, 1, 256 * 1024],
  [10_000_000, 1, 200_000],
  [10_000_000, 4, 50_000],
  [256 * 1024, 1, 5242],
  [1024, 1, 256],
  [256 * 1024, 100, 256],
  [10_000_000, 0, 200_000],
])('at %i bytes a second shared by %i a grain has %i bytes', (bytesPerSecond, sharers, bytes) => {
  expect(grainBytes(bytesPerSecond, sharers)).toBe(bytes);
});
