import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Checkpoint } from '#domain/checkpoint';
import { encodeLogRecord } from '#wire/log-record';
import { signedCheckpointNote } from '../../../../apps/tracker/src/replica/checkpoint-signature.ts';
import {
  CHECKPOINT_INTERVAL_MS,
  CHECKPOINT_NEWS_MAX,
  CheckpointWriter,
} from '../../../../apps/tracker/src/replica/checkpoint-writer.ts';
import { signedTrackerRecord } from '../../../../apps/tracker/src/replica/record-signature.ts';
import { submitAsTracker } from '../../../../apps/tracker/src/replica/tracker-registration.ts';
import { COMMITMENT } from '../../domain/log-of.ts';
import { plainState } from '../../domain/plain-state.ts';
import { MemoryLog } from '../memory-log.ts';
import { newIdentity } from '../new-identity.ts';
import {
  caughtUp,
  checkpointBy,
  checkpointsIn,
  clock,
  commandOf,
  commands,
  ruleAsOperator,
  sizesIn,
  stopTrackers,
  trackerOn,
  twoTrackersOn,
  wrong,
} from './signing-trackers.ts';

afterEach(async () => {
  vi.useRealTimers();
  await stopTrackers();
});

describe('a checkpoint is written', () => {
  it('after a thousand records without one', async () => {
    const log = new MemoryLog();
    const tracker = await trackerOn(log);
    await commands(log, CHECKPOINT_NEWS_MAX - tracker.replica.newsCount - 1, tracker);
    await tracker.writer.look();
    expect(checkpointsIn(log)).toEqual([]);
    await commands(log, 1, tracker);
    await tracker.writer.look();
    expect(checkpointsIn(log)).toEqual([[CHECKPOINT_NEWS_MAX, tracker.identity.id]]);
    expect(tracker.replica.coveredSize).toBe(CHECKPOINT_NEWS_MAX);
  });

  it('by itself at the thousandth record, and at the next thousand at once', async () => {
    const log = new MemoryLog();
    const tracker = await trackerOn(log);
    await commands(log, CHECKPOINT_NEWS_MAX - tracker.replica.newsCount, tracker);
    await vi.waitFor(() => expect(tracker.replica.newsCount).toBe(0));
    await commands(log, CHECKPOINT_NEWS_MAX, tracker);
    await vi.waitFor(() => expect(tracker.replica.newsCount).toBe(0));
    expect(checkpointsIn(log)).toHaveLength(2);
    await tracker.writer.stop();
    await commands(log, CHECKPOINT_NEWS_MAX, tracker);
    expect(checkpointsIn(log)).toHaveLength(2);
  });

  it('once, however often it is looked for', async () => {
    const log = new MemoryLog();
    const tracker = await trackerOn(log);
    await tracker.writer.look();
    clock.nowMs += CHECKPOINT_INTERVAL_MS;
    await Promise.all([tracker.writer.look(), tracker.writer.look()]);
    expect(checkpointsIn(log)).toHaveLength(1);
  });

  it('when a record has stood without one for a minute', async () => {
    const log = new MemoryLog();
    const tracker = await trackerOn(log);
    await tracker.writer.look();
    clock.nowMs += CHECKPOINT_INTERVAL_MS - 1;
    await tracker.writer.look();
    expect(checkpointsIn(log)).toEqual([]);
    clock.nowMs += 1;
    await tracker.writer.look();
    expect(checkpointsIn(log)).toEqual([[2, tracker.identity.id]]);
  });

  it('not for nothing but checkpoints', async () => {
    const log = new MemoryLog();
    const tracker = await trackerOn(log);
    await checkpointBy(tracker);
    await checkpointBy(tracker);
    for (let looks = 0; looks < 3; looks++) {
      await tracker.writer.look();
      clock.nowMs += 10 * CHECKPOINT_INTERVAL_MS;
    }
    expect(checkpointsIn(log)).toHaveLength(2);
    await tracker.writer.stop();
    expect(checkpointsIn(log)).toHaveLength(2);
  });

  it("a minute after another tracker's at the earliest", async () => {
    const log = new MemoryLog();
    const [one, other] = await twoTrackersOn(log);
    await Promise.all([one.writer.look(), other.writer.look()]);
    clock.nowMs += CHECKPOINT_INTERVAL_MS - 1;
    await checkpointBy(other);
    await commands(log, 1, one, other);
    for (const { writer } of [one, other]) await writer.look();
    clock.nowMs += CHECKPOINT_INTERVAL_MS - 1;
    for (const { writer } of [one, other]) await writer.look();
    expect(sizesIn(log)).toEqual([3, 3]);
    clock.nowMs += 1;
    for (const { writer } of [one, other]) await writer.look();
    await caughtUp(log, one, other);
    for (const { writer } of [one, other]) await writer.look();
    expect(checkpointsIn(log).map(([, signer]) => signer)).toEqual(
      [other, one, one, other].map(({ identity }) => identity.id),
    );
    expect(sizesIn(log)).toEqual([3, 3, 6, 6]);
  });

  it('by the second tracker when the first one does not', async () => {
    const log = new MemoryLog();
    const [, other] = await twoTrackersOn(log);
    await other.writer.look();
    clock.nowMs += CHECKPOINT_INTERVAL_MS + 999;
    await other.writer.look();
    expect(checkpointsIn(log)).toEqual([]);
    clock.nowMs += 1;
    await other.writer.look();
    expect(checkpointsIn(log)).toHaveLength(1);
  });

  it('by the second tracker after a hundred records more', async () => {
    const log = new MemoryLog();
    const [one, other] = await twoTrackersOn(log);
    await one.replica.stop();
    await commands(log, CHECKPOINT_NEWS_MAX + 99 - other.replica.newsCount, other);
    await other.writer.look();
    expect(checkpointsIn(log)).toEqual([]);
    await commands(log, 1, other);
    await other.writer.look();
    expect(checkpointsIn(log)).toHaveLength(1);
  });

  it('when the tracker is stopped', async () => {
    const log = new MemoryLog();
    const tracker = await trackerOn(log);
    await commands(log, 3, tracker);
    await tracker.writer.stop();
    expect(checkpointsIn(log)).toEqual([[5, tracker.identity.id]]);
    expect(tracker.replica.newsCount).toBe(0);
  });

  it('or not, when the log hangs while the tracker is stopped', async () => {
    const log = new MemoryLog();
    const tracker = await trackerOn(log);
    log.append = () => new Promise(() => undefined);
    await tracker.writer.stop();
    expect(checkpointsIn(log)).toEqual([]);
  });

  it('when the log is back, after it was away', async () => {
    const log = new MemoryLog();
    const tracker = await trackerOn(log);
    await tracker.writer.look();
    log.isAvailable = false;
    clock.nowMs += CHECKPOINT_INTERVAL_MS;
    await tracker.writer.look();
    log.isAvailable = true;
    await tracker.writer.look();
    expect(checkpointsIn(log)).toEqual([]);
    clock.nowMs += 5_000;
    await tracker.writer.look();
    expect(checkpointsIn(log)).toHaveLength(1);
  });

  it('again after five seconds, when it was refused', async () => {
    const log = new MemoryLog();
    const { replica } = await trackerOn(log);
    const author = { identity: newIdentity(), now: Date.now };
    const writer = new CheckpointWriter({ replica, author, monotonicNow: () => clock.nowMs });
    await writer.look();
    clock.nowMs += 2 * CHECKPOINT_INTERVAL_MS;
    for (const afterMs of [0, 0, 4_999, 1]) {
      clock.nowMs += afterMs;
      await writer.look();
    }
    expect(checkpointsIn(log)).toHaveLength(2);
  });

  it('again, when nobody can say what came of it', async () => {
    const log = new MemoryLog();
    const tracker = await trackerOn(log);
    await tracker.writer.look();
    clock.nowMs += CHECKPOINT_INTERVAL_MS;
    log.pauseReading();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const looked = tracker.writer.look();
    await vi.advanceTimersByTimeAsync(5_000);
    await looked;
    vi.useRealTimers();
    clock.nowMs += 5_000;
    const again = tracker.writer.look();
    expect(checkpointsIn(log)).toHaveLength(2);
    log.resumeReading();
    await again;
  });

  it('not at all by a bug, which is told', async () => {
    const log = new MemoryLog();
    const tracker = await trackerOn(log);
    await tracker.writer.look();
    clock.nowMs += CHECKPOINT_INTERVAL_MS;
    const bug = new TypeError('a bug');
    log.append = () => Promise.reject(bug);
    await expect(tracker.writer.look()).rejects.toBe(bug);
  });

  it('by a tracker that has caught up, not by one that is still reading', async () => {
    const log = new MemoryLog();
    await commands(log, 2 * CHECKPOINT_NEWS_MAX);
    const tracker = await trackerOn(log);
    expect(checkpointsIn(log)).toEqual([]);
    await tracker.writer.look();
    expect(checkpointsIn(log)).toHaveLength(1);
  });
});

describe('a checkpoint of other effects', () => {
  it('takes a tracker out of service until an operator rules against it, and never again', async () => {
    const log = new MemoryLog();
    const [one, faulty] = await twoTrackersOn(log);
    const offset = await checkpointBy(faulty, { digest: wrong });
    await caughtUp(log, one);
    expect(one.replica.isDisputed).toBe(true);
    expect(one.replica.readiness).toMatchObject({ ready: false, reason: 'checkpoint_disputed' });
    expect(JSON.stringify(one.replica.readiness)).toContain(`resolve_checkpoint ${offset}`);
    await ruleAsOperator(log, one.identity, offset);
    await caughtUp(log, one);
    expect(one.replica.readiness).toEqual({ ready: true });
    await checkpointBy(faulty, { digest: wrong });
    await checkpointBy(faulty, { root: wrong });
    await caughtUp(log, one);
    expect(one.replica.readiness).toEqual({ ready: true });
  });

  it('is in dispute for a tracker that starts later, unless it is ruled by then', async () => {
    const log = new MemoryLog();
    const [one, faulty] = await twoTrackersOn(log);
    const offset = await checkpointBy(faulty, { digest: wrong });
    const early = await trackerOn(log);
    expect(early.replica.readiness).toMatchObject({ reason: 'checkpoint_disputed' });
    await ruleAsOperator(log, one.identity, offset);
    const late = await trackerOn(log);
    expect(late.replica.readiness).toEqual({ ready: true });
  });

  it('makes a tracker whose state is damaged compute it anew, and go on without anybody', async () => {
    const log = new MemoryLog();
    const [sound, damaged] = await twoTrackersOn(log);
    const { state } = damaged.replica;
    state.users.set('alice', { name: 'alice', createdOffset: 1, credentialOffset: 1, commitment: COMMITMENT });
    await commands(log, 2, sound, damaged);
    expect(damaged.replica.digest).not.toBe(sound.replica.digest);
    await checkpointBy(sound);
    await caughtUp(log, damaged);
    await vi.waitFor(() => expect(damaged.replica.state).not.toBe(state));
    expect(damaged.replica.isDisputed).toBe(false);
    expect(plainState(damaged.replica.state)).toEqual(plainState(sound.replica.state));
    expect(damaged.replica.digest).toBe(sound.replica.digest);
    expect(damaged.replica.readiness).toEqual({ ready: true });
  });

  it('of a damaged tracker is taken back by it, once it has read a sound one', async () => {
    const log = new MemoryLog();
    const [sound, damaged] = await twoTrackersOn(log);
    const { state } = damaged.replica;
    state.users.set('alice', { name: 'alice', createdOffset: 1, credentialOffset: 1, commitment: COMMITMENT });
    await commands(log, 2, sound, damaged);
    await checkpointBy(damaged);
    await caughtUp(log, sound);
    expect(sound.replica.isDisputed).toBe(true);
    // What did not agree covers nothing, so the sound one still has news to sign.
    await sound.writer.look();
    clock.nowMs += CHECKPOINT_INTERVAL_MS;
    await sound.writer.look();
    await caughtUp(log, damaged);
    await vi.waitFor(() => expect(damaged.replica.digest).toBe(sound.replica.digest));
    await damaged.writer.look();
    await caughtUp(log, sound);
    expect(checkpointsIn(log).map(([, signer]) => signer)).toEqual([
      damaged.identity.id,
      sound.identity.id,
      damaged.identity.id,
    ]);
    await damaged.writer.look();
    expect(checkpointsIn(log)).toHaveLength(3);
    expect([sound, damaged].map(({ replica }) => replica.readiness)).toEqual([{ ready: true }, { ready: true }]);
  });

  it('of an earlier run is taken back by the next one, also when others have signed everything since', async () => {
    const log = new MemoryLog();
    const [sound, faulty] = await twoTrackersOn(log);
    await checkpointBy(faulty, { digest: wrong });
    await faulty.replica.stop();
    await checkpointBy(sound);
    const again = await trackerOn(log, faulty.identity);
    expect([sound, again].map(({ replica }) => replica.isDisputed)).toEqual([true, true]);
    expect(again.replica.newsCount).toBe(0);
    await again.writer.look();
    await caughtUp(log, sound);
    expect([sound, again].map(({ replica }) => replica.readiness)).toEqual([{ ready: true }, { ready: true }]);
    await again.writer.look();
    expect(checkpointsIn(log)).toHaveLength(3);
  });

  it('of an earlier run is taken back by the next one, at once, also when nobody has signed since', async () => {
    const log = new MemoryLog();
    const [, faulty] = await twoTrackersOn(log);
    await checkpointBy(faulty, { digest: wrong });
    await faulty.replica.stop();
    const again = await trackerOn(log, faulty.identity);
    expect(again.replica.isDisputed).toBe(true);
    await again.writer.look();
    expect([checkpointsIn(log).length, again.replica.isDisputed]).toEqual([2, false]);
  });

  it('goes on to answer and to apply what comes', async () => {
    const log = new MemoryLog();
    const [one, faulty] = await twoTrackersOn(log);
    await checkpointBy(faulty, { digest: wrong });
    await commands(log, 1, one);
    expect(one.replica.isDisputed).toBe(true);
    expect(one.replica.state.users.has('alice')).toBe(true);
  });

  it('that an operator ruled to count leaves who disagrees out of service', async () => {
    const log = new MemoryLog();
    const [one, other] = await twoTrackersOn(log);
    const offset = await checkpointBy(other, { digest: wrong });
    await ruleAsOperator(log, other.identity, offset, 'checkpoint');
    await caughtUp(log, one);
    expect(JSON.stringify(one.replica.readiness)).toContain('run another build');
  });
});

describe('a checkpoint of other records', () => {
  it('halts a tracker, which says at which offset', async () => {
    const log = new MemoryLog();
    const [one, faulty] = await twoTrackersOn(log);
    const agreed = await checkpointBy(one);
    await commands(log, 2, one, faulty);
    const offset = await checkpointBy(faulty, { root: wrong });
    const halted = await one.replica.halted;
    expect(halted).toMatchObject({ code: 'log_halted' });
    expect(halted.message).toContain(`the checkpoint at offset ${offset}`);
    expect(halted.message).toContain(`from offset ${agreed} to ${offset - 1}`);
    expect(one.replica.readiness).toMatchObject({ ready: false, reason: 'log_halted', detail: halted.message });
    await commands(log, 1);
    expect(await one.replica.waitUntilApplied(offset + 1, 20)).toBe(false);
  });

  it('keeps a tracker from starting until an operator rules against it', async () => {
    const log = new MemoryLog();
    const [one, faulty] = await twoTrackersOn(log);
    const offset = await checkpointBy(faulty, { root: wrong });
    expect((await trackerOn(log)).replica.readiness).toMatchObject({ reason: 'log_halted' });
    await ruleAsOperator(log, one.identity, offset);
    expect((await trackerOn(log)).replica.readiness).toEqual({ ready: true });
  });

  it('halts at a log that was changed behind what a tracker signed itself', async () => {
    const log = new MemoryLog();
    const tracker = await trackerOn(log);
    await commands(log, 2, tracker);
    const offset = await checkpointBy(tracker);
    await tracker.replica.stop();
    log.records[2] = { ...log.records[2]!, value: encodeLogRecord(commandOf('mallory')) };
    const again = await trackerOn(log, tracker.identity);
    expect(again.replica.readiness).toMatchObject({ reason: 'log_halted' });
    expect((await again.replica.halted).message).toContain(`the checkpoint at offset ${offset}`);
  });
});

describe('a checkpoint that counts for nothing', () => {
  it.each([
    ['malformed', () => 'a note'],
    ['signed by another', (checkpoint: Checkpoint) => signedCheckpointNote(newIdentity(), checkpoint)],
  ])('because it is %s is recorded as rejected, and stops nobody', async (_why, noteOf) => {
    const log = new MemoryLog();
    const [one, faulty] = await twoTrackersOn(log);
    const note = noteOf({ ...faulty.replica.checkpoint()!, root: wrong });
    const command = { name: 'checkpoint', data: { note } } as const;
    const done = await submitAsTracker(
      one.replica,
      { identity: faulty.identity, now: Date.now },
      { command, sealed: null },
    );
    expect(done).toMatchObject({ outcome: { status: 'rejected', reason: 'malformed_record' } });
    expect(one.replica.readiness).toEqual({ ready: true });
  });

  it('because the log does not know who signed is recorded as rejected, and stops nobody', async () => {
    const log = new MemoryLog();
    const { replica } = await trackerOn(log);
    const stranger = newIdentity();
    const note = signedCheckpointNote(stranger, { ...replica.checkpoint()!, root: wrong });
    const command = { name: 'checkpoint', data: { note } } as const;
    const draft = { id: randomUUID(), timeMs: Date.now(), seenOffset: -1, command };
    const value = encodeLogRecord(signedTrackerRecord(stranger, draft));
    await log.append([{ value, sealed: null }]);
    await replica.waitUntilApplied(log.records.length - 1);
    expect(replica.readiness).toEqual({ ready: true });
    expect(replica.state.checkpoints.size).toBe(0);
  });
});
