import { beforeEach, describe, expect, it } from 'vitest';
import { ClockWatch } from '../../../../apps/tracker/src/replica/clock-watch.ts';

const T = 1_000_000_000;
let wallMs = T;
let watch: ClockWatch;

beforeEach(() => {
  wallMs = T;
  watch = new ClockWatch({ now: () => wallMs, monotonicNow: () => 5_000 });
});

describe('the clock watch', () => {
  it('is content with clocks 30 s apart', () => {
    watch.observe({ appendTimeMs: T + 30_000, ownTimeMs: null });
    watch.observe({ appendTimeMs: T - 30_000, ownTimeMs: T });
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

  it('is content again when its clock was set', () => {
    watch.observe({ appendTimeMs: T + 40_000, ownTimeMs: null });
    wallMs += 40_000;
    expect(watch.isSkewed()).toBe(false);
  });
});
