import { beforeEach, describe, expect, it } from 'vitest';
import { ClockWatch } from '../../../../apps/tracker/src/replica/clock-watch.ts';

const T = 1_000_000_000;
let wallMs = T;
let monotonicMs = 5_000;
let watch: ClockWatch;

beforeEach(() => {
  wallMs = T;
  monotonicMs = 5_000;
  watch = new ClockWatch({ now: () => wallMs, monotonicNow: () => monotonicMs });
});

describe('the clock watch', () => {
  it.each([
    { appendTimeMs: T + 30_000, ownTimeMs: null },
    { appendTimeMs: T - 30_000, ownTimeMs: T },
  ])('is content with clocks 30 s apart: %j', (seen) => {
    watch.observe(seen);
    expect(watch.isSkewed()).toBe(false);
    watch.observe({ appendTimeMs: T + 30_001, ownTimeMs: null });
    watch.observe(seen);
    expect(watch.isSkewed()).toBe(false);
  });

  it('finds its clock behind when a record comes from the future', () => {
    watch.observe({ appendTimeMs: T + 30_001, ownTimeMs: null });
    expect(watch.isSkewed()).toBe(true);
  });

  it('finds its clock ahead when the log took a record of its own long before it was made', () => {
    watch.observe({ appendTimeMs: T - 30_001, ownTimeMs: T });
    expect(watch.isSkewed()).toBe(true);
  });

  it('does not take a late reading of what others appended for skew', () => {
    watch.observe({ appendTimeMs: T - 3_600_000, ownTimeMs: null });
    expect(watch.isSkewed()).toBe(false);
  });

  it('is content again after a record that fits', () => {
    watch.observe({ appendTimeMs: T + 40_000, ownTimeMs: null });
    watch.observe({ appendTimeMs: T, ownTimeMs: null });
    expect(watch.isSkewed()).toBe(false);
  });

  it('is content again when its clock was set, by more than a second', () => {
    watch.observe({ appendTimeMs: T + 40_000, ownTimeMs: null });
    wallMs += 1_000;
    expect(watch.isSkewed()).toBe(true);
    wallMs += 39_000;
    expect(watch.isSkewed()).toBe(false);
  });

  it('is not content because time goes by, or because of what others appended long ago', () => {
    watch.observe({ appendTimeMs: T + 40_000, ownTimeMs: null });
    wallMs += 60_000;
    monotonicMs += 60_000;
    watch.observe({ appendTimeMs: T - 3_600_000, ownTimeMs: null });
    expect(watch.isSkewed()).toBe(true);
  });
});
