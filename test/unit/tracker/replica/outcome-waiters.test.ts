import { beforeEach, describe, expect, it } from 'vitest';
import { type Applied, outcomeKey } from '#domain/apply';
import { commandContent } from '#domain/command';
import type { LogRecord } from '#domain/record';
import { OutcomeWaiters } from '../../../../apps/tracker/src/replica/outcome-waiters.ts';
import { COMMITMENT, peerOf } from '../../domain/log-of.ts';

const applied: Applied = { outcome: { status: 'accepted', result: {} }, outcomeOffset: 7, events: [] };

/** A record of one and the same command id. */
function recordOf(user: string): LogRecord {
  return {
    id: '00000000-0000-4000-8000-000000000000',
    trackerId: 'a'.repeat(64),
    timeMs: 0,
    actor: { kind: 'peer', peerId: peerOf('alice'), user: null },
    correlationId: 'test',
    seenOffset: -1,
    schemaVersion: 1,
    command: { name: 'create_user', data: { user, commitment: COMMITMENT } },
  };
}

let waiters: OutcomeWaiters;
beforeEach(() => {
  waiters = new OutcomeWaiters();
});

const expectOutcome = (record: LogRecord) => waiters.expect(outcomeKey(record), commandContent(record.command));

/** What a promise has come to by now, or 'pending'. */
const soFar = <Value>(promise: Promise<Value>): Promise<Value | 'pending'> =>
  Promise.race([promise, Promise.resolve().then(() => 'pending' as const)]);

describe('who waits for a command', () => {
  it('is told when it is applied, and whoever else waits for it too', async () => {
    const [one, other] = [expectOutcome(recordOf('alice')), expectOutcome(recordOf('alice'))];
    expect(await soFar(one.outcome)).toBe('pending');
    expect(waiters.settle(recordOf('alice'), applied)).toBe(true);
    expect(await Promise.all([one.outcome, other.outcome])).toEqual([applied, applied]);
  });

  it('is not told of another command under the same id', async () => {
    const { outcome } = expectOutcome(recordOf('alice'));
    expect(waiters.settle(recordOf('bob'), applied)).toBe(false);
    expect(await soFar(outcome)).toBe('pending');
  });

  it('is not told of another id', () => {
    expectOutcome(recordOf('alice'));
    expect(waiters.settle({ ...recordOf('alice'), id: 'another' }, applied)).toBe(false);
  });

  it('is not told any more once it has given up, while the others are', async () => {
    const [one, other] = [expectOutcome(recordOf('alice')), expectOutcome(recordOf('alice'))];
    one.forget();
    expect(waiters.settle(recordOf('alice'), applied)).toBe(true);
    expect(await soFar(one.outcome)).toBe('pending');
    expect(await other.outcome).toEqual(applied);
    other.forget();
    other.forget();
    expect(waiters.settle(recordOf('alice'), applied)).toBe(false);
  });

  it('hears that it is unknown when nothing more is applied', async () => {
    const { outcome } = expectOutcome(recordOf('alice'));
    waiters.endAll();
    expect(await outcome).toBeNull();
  });
});

describe('who waits for an offset', () => {
  it('is told when that or a later one is applied', async () => {
    const [at, after, behind] = [7, 6, 8].map((offset) => waiters.expectOffset(offset));
    waiters.settleOffsets(7);
    expect(await Promise.all([at!.applied, after!.applied])).toEqual([true, true]);
    expect(await soFar(behind!.applied)).toBe('pending');
  });

  it('is not told any more once it has given up', async () => {
    const waiter = waiters.expectOffset(7);
    waiter.forget();
    waiters.settleOffsets(7);
    waiters.endAll();
    expect(await soFar(waiter.applied)).toBe('pending');
  });

  it('hears when nothing more is applied', async () => {
    const { applied: isApplied } = waiters.expectOffset(7);
    waiters.endAll();
    expect(await isApplied).toBe(false);
  });
});
