import { beforeEach, describe, expect, it } from 'vitest';
import { LogFailure } from '../../../../apps/tracker/src/command-log/command-log.ts';
import { LogWatch } from '../../../../apps/tracker/src/replica/log-watch.ts';

const SILENCE_MS = 10_000;
let nowMs = 0;
let monotonicMs = 0;
let watch: LogWatch;
beforeEach(() => {
  nowMs = 1_000_000;
  monotonicMs = 0;
  watch = new LogWatch({ now: () => nowMs, monotonicNow: () => monotonicMs, silenceMs: SILENCE_MS });
});
const failure = (message: string): LogFailure => new LogFailure('log_unavailable', message);

describe('the log', () => {
  it('is silent when it has not answered for longer than it may', () => {
    nowMs += SILENCE_MS;
    expect([watch.silentMs(), watch.problem]).toEqual([0, null]);
    nowMs += 1;
    expect([watch.silentMs(), watch.problem]).toEqual([SILENCE_MS + 1, 'it does not answer']);
    watch.answered();
    expect([watch.silentMs(), watch.problem]).toEqual([0, null]);
  });

  it('is silent for as long as it is though the clock is set back meanwhile', () => {
    watch.refused(failure('the disk is full'));
    nowMs -= 3_600_000;
    monotonicMs += 30_001;
    expect([watch.silentMs(), watch.problem]).toEqual([30_001, 'it does not answer']);
    watch.answered();
    expect([watch.silentMs(), watch.problem]).toEqual([0, null]);
  });

  it('has the problem that its driver tells, until it answers', () => {
    watch.unanswered(failure('the file is locked'));
    expect(watch.problem).toBe('the file is locked');
    watch.answered();
    expect(watch.problem).toBeNull();
  });

  it('that has refused a record has a problem for half a minute, though it can be read', () => {
    watch.refused(failure('the disk is full'));
    watch.answered();
    nowMs += 30_000;
    watch.answered();
    expect(watch.problem).toBe('the disk is full');
    nowMs += 1;
    watch.answered();
    expect(watch.problem).toBeNull();
  });

  it('that has taken a record has none, and has answered', () => {
    watch.refused(failure('the disk is full'));
    watch.unanswered(failure('the file is locked'));
    nowMs += 2 * SILENCE_MS;
    expect(watch.problem).toBe('the file is locked');
    watch.took();
    expect([watch.silentMs(), watch.problem]).toEqual([0, null]);
  });
});
