import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { DirectionLimits, SharedBucket } from '../../../../apps/peer/src/data-plane/lane-messages.ts';
import { BudgetTurns, LaneBudgets } from '../../../../apps/peer/src/data-plane/rate-budget.ts';
import { SharedLimits } from '../../../../apps/peer/src/swarm/shared-limits.ts';

const MB = 1_000_000;
const NONE: DirectionLimits = { overall: null, groups: [] };

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'hrtime'] }));
afterEach(() => void vi.useRealTimers());

let lastId = 0;

function bucket(bytesPerSecond: number): SharedBucket {
  const freeAtMicros = new BigInt64Array(new SharedArrayBuffer(8));
  freeAtMicros[0] = process.hrtime.bigint() / 1000n;
  return { id: ++lastId, bytesPerSecond, freeAtMicros };
}

function lane(limits: DirectionLimits): LaneBudgets {
  const budgets = new LaneBudgets();
  budgets.apply(limits);
  return budgets;
}

/** A connection that always has more to send. */
class Sender {
  sentBytes = 0;
  readonly turns: BudgetTurns;

  constructor(budgets: LaneBudgets, groupId = 1, sharers = 1) {
    this.turns = new BudgetTurns({
      budgetNow: () => budgets.of(groupId),
      sharers: () => sharers,
      onTurn: () => this.go(),
    });
  }

  go(): void {
    for (let bytes = this.turns.grainOf(MB); this.turns.take(bytes); bytes = this.turns.grainOf(MB)) {
      this.sentBytes += bytes;
    }
  }
}

function sum(senders: readonly Sender[]): number {
  return senders.reduce((total, { sentBytes }) => total + sentBytes, 0);
}

it.each([50 * MB, 256 * 1024, 1024])('several lanes together keep one limit of %i bytes a second', (bytesPerSecond) => {
  const overall = bucket(bytesPerSecond);
  const lanes = [lane({ overall, groups: [] }), lane({ overall, groups: [] }), lane({ overall, groups: [] })];
  const senders = lanes.flatMap((budgets) => [new Sender(budgets), new Sender(budgets)]);
  for (const sender of senders) sender.go();
  vi.advanceTimersByTime(10_000);
  expect(Math.abs(sum(senders) / (10 * bytesPerSecond) - 1)).toBeLessThan(0.05);
  for (const { sentBytes } of senders)
    expect(Math.abs((sentBytes * 6) / sum(senders) - 1)).toBeLessThan(0.05 + 256 / bytesPerSecond);
});

it('a group keeps its own limit, and what it leaves of the overall one goes to others', () => {
  const budgets = lane({ overall: bucket(50 * MB), groups: [{ groupId: 7, bucket: bucket(10 * MB) }] });
  const [slow, fast] = [new Sender(budgets, 7), new Sender(budgets, 8)];
  slow.go();
  fast.go();
  vi.advanceTimersByTime(10_000);
  expect(Math.abs(slow.sentBytes / (100 * MB) - 1)).toBeLessThan(0.05);
  expect(Math.abs(fast.sentBytes / (400 * MB) - 1)).toBeLessThan(0.05);
});

it('a flow with many connections gets no more than one with one', () => {
  const budgets = lane({ overall: bucket(10 * MB), groups: [] });
  const many = Array.from({ length: 8 }, () => new Sender(budgets, 1, 8));
  const one = new Sender(budgets, 2, 1);
  for (const sender of [...many, one]) sender.go();
  vi.advanceTimersByTime(10_000);
  expect(Math.abs(sum(many) / one.sentBytes - 1)).toBeLessThan(0.05);
});

it('who waits goes at once when the limit is taken away, and when it is raised keeps the new one', () => {
  const budgets = lane({ overall: bucket(1024), groups: [] });
  const sender = new Sender(budgets);
  sender.go();
  vi.advanceTimersByTime(10);
  const before = sender.sentBytes;
  budgets.apply({ overall: bucket(MB), groups: [] });
  sender.turns.renew();
  vi.advanceTimersByTime(1000);
  expect(Math.abs((sender.sentBytes - before) / MB - 1)).toBeLessThan(0.05);
  const turns = new BudgetTurns({ budgetNow: () => budgets.of(1), sharers: () => 1, onTurn: () => (wasCalled = true) });
  let wasCalled = false;
  expect(turns.take(10 * MB) && turns.take(1)).toBe(false);
  budgets.apply(NONE);
  turns.renew();
  expect(wasCalled).toBe(true);
  expect(turns.take(10 * MB)).toBe(true);
});

it('without a limit everything goes at once', () => {
  const budgets = lane({ overall: null, groups: [{ groupId: 7, bucket: bucket(1024) }] });
  const turns = new BudgetTurns({ budgetNow: () => budgets.of(8), sharers: () => 1, onTurn: () => undefined });
  expect(budgets.of(8)).toBeNull();
  expect([turns.grainOf(5 * MB), turns.take(5 * MB), turns.take(5 * MB)]).toEqual([5 * MB, true, true]);
});

it('a turn that is over is not called for', () => {
  const budgets = lane({ overall: bucket(1024), groups: [] });
  const sender = new Sender(budgets);
  sender.go();
  sender.turns.end();
  const before = sender.sentBytes;
  vi.advanceTimersByTime(10_000);
  expect(sender.sentBytes).toBe(before);
});

it('who leaves while it waits leaves no debt to the others', () => {
  const budgets = lane({ overall: bucket(1024), groups: [{ groupId: 7, bucket: bucket(2048) }] });
  for (let count = 0; count < 100; count++) {
    const leaver = new Sender(budgets, 7);
    leaver.go();
    leaver.turns.end();
  }
  const sender = new Sender(budgets, 7);
  sender.go();
  vi.advanceTimersByTime(10_000);
  expect(sender.sentBytes).toBeGreaterThan(0.9 * 10 * 1024);
});

it('who waits keeps its turn, and owes nothing twice, however often other limits change', () => {
  const overall = bucket(1024);
  const budgets = lane({ overall, groups: [] });
  const senders = Array.from({ length: 20 }, () => new Sender(budgets));
  for (const sender of senders) sender.go();
  for (let count = 0; count < 200; count++) {
    vi.advanceTimersByTime(50);
    budgets.apply({ overall, groups: [{ groupId: 7, bucket: bucket(2048) }] });
    for (const { turns } of senders) turns.renew();
  }
  expect(Math.abs(sum(senders) / (10 * 1024) - 1)).toBeLessThan(0.05);
  for (const { sentBytes } of senders) expect(sentBytes).toBeGreaterThan(0);
});

it('a limit that stays as it is keeps its bucket when another one changes', () => {
  const limits = new SharedLimits();
  const unlimited = { uploadBytesPerSecond: null, downloadBytesPerSecond: null };
  const groups = [{ groupId: 3, uploadBytesPerSecond: 4000, downloadBytesPerSecond: null }];
  const before = limits.of({ uploadBytesPerSecond: 1000, downloadBytesPerSecond: 2000, groups });
  const after = limits.of({ ...unlimited, downloadBytesPerSecond: 2000, groups });
  expect(after.upload.overall).toBeNull();
  expect(after.download.overall?.freeAtMicros).toBe(before.download.overall?.freeAtMicros);
  expect(after.upload.groups).toEqual([{ groupId: 3, bucket: before.upload.groups[0]?.bucket }]);
  expect(after.download.groups).toEqual([]);
});
