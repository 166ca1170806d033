import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { CHECKPOINT_INTERVAL_MS, CheckpointWriter } from '../../../../apps/tracker/src/replica/checkpoint-writer.ts';
import { signedTrackerRecord } from '../../../../apps/tracker/src/replica/record-signature.ts';
import { MemoryLog } from '../memory-log.ts';
import { newIdentity } from '../new-identity.ts';
import { appended } from '../user-records.ts';
import {
  caughtUp,
  checkpointBy,
  checkpointsIn,
  clock,
  commands,
  sizesIn,
  stopTrackers,
  submitted,
  trackerOn,
  twoTrackersOn,
  wrong,
} from './signing-trackers.ts';

afterEach(stopTrackers);

describe('a checkpoint is signed as well', () => {
  it('by every other tracker that comes to the same, once', async () => {
    const log = new MemoryLog();
    const [one, other] = await twoTrackersOn(log);
    const third = await trackerOn(log);
    const all = [one, other, third];
    await caughtUp(log, ...all);
    const size = log.records.length;
    await one.writer.stop();
    for (let looks = 0; looks < 3; looks++) {
      await caughtUp(log, ...all);
      for (const { writer } of [other, third]) await writer.look();
      clock.nowMs += 2 * CHECKPOINT_INTERVAL_MS;
    }
    expect(checkpointsIn(log).map(([, signer]) => signer)).toEqual(all.map(({ identity }) => identity.id));
    expect(sizesIn(log)).toEqual([size, size, size]);
    expect(all.map(({ replica }) => replica.newsCount)).toEqual([0, 0, 0]);
  });

  it('by a tracker that was away, when it is back, and not again by one that has', async () => {
    const log = new MemoryLog();
    const [one, other] = await twoTrackersOn(log);
    await other.replica.stop();
    await one.writer.stop();
    for (const identity of [one.identity, other.identity, other.identity]) {
      const { replica, writer } = await trackerOn(log, identity);
      await writer.look();
      await replica.stop();
    }
    expect(checkpointsIn(log).map(([, signer]) => signer)).toEqual([one.identity.id, other.identity.id]);
    expect(sizesIn(log)).toEqual([3, 3]);
  });

  it('when the other tracker is stopped before it looked', async () => {
    const log = new MemoryLog();
    const [one, other] = await twoTrackersOn(log);
    await one.writer.stop();
    await caughtUp(log, other);
    await other.writer.stop();
    expect(sizesIn(log)).toEqual([3, 3]);
  });

  it('when the log is back, after it was away, and the smaller ones not at all', async () => {
    const log = new MemoryLog();
    const [one, other] = await twoTrackersOn(log);
    await checkpointBy(one);
    await commands(log, 1, one, other);
    await checkpointBy(one);
    await caughtUp(log, other);
    log.isAvailable = false;
    await other.writer.look();
    log.isAvailable = true;
    clock.nowMs += 4_999;
    await other.writer.look();
    expect(sizesIn(log)).toEqual([3, 5]);
    clock.nowMs += 1;
    await other.writer.look();
    await other.writer.look();
    expect(sizesIn(log)).toEqual([3, 5, 5]);
  });

  it('also when smaller ones, or such that do not agree, come after it', async () => {
    const log = new MemoryLog();
    const [one, other] = await twoTrackersOn(log);
    const { replica } = one;
    await commands(log, 2, one, other);
    await checkpointBy(one);
    await checkpointBy(one, { size: 4, root: replica.rootAt(3)!, digest: replica.digestAt(3)! });
    await checkpointBy(one, { digest: wrong });
    await caughtUp(log, other);
    await other.writer.look();
    expect(sizesIn(log)).toEqual([5, 4, 7, 5]);
  });

  it('by nobody when it says that other rules were in force than those that were', async () => {
    const log = new MemoryLog();
    const [first, second] = [newIdentity(), newIdentity()];
    const publicKey = Buffer.from(first.publicKeyDer).toString('base64');
    const data = { logId: 'a'.repeat(64), rulesVersion: 1, publicKey };
    const draft = { id: randomUUID(), timeMs: Date.now(), seenOffset: -1, command: { name: 'genesis', data } as const };
    await appended(log, signedTrackerRecord(first, draft));
    const [one, other] = [await trackerOn(log, first), await trackerOn(log, second)];
    const before = log.records.length;
    await submitted(one.replica, first, { name: 'activate_rules', data: { rulesVersion: 2 } });
    const said = { size: before, root: one.replica.rootAt(before - 1)!, digest: one.replica.digestAt(before - 1)! };
    for (const lie of [{ rulesVersion: 3 }, { ...said, rulesVersion: 2 }, { rulesVersion: 1 }]) {
      await checkpointBy(one, lie);
      await caughtUp(log, other);
      await other.writer.look();
    }
    expect(new Set(checkpointsIn(log).map(([, signer]) => signer))).toEqual(new Set([first.id]));
    await checkpointBy(one);
    await caughtUp(log, other);
    await other.writer.look();
    expect(checkpointsIn(log).at(-1)![1]).toBe(second.id);
  });

  it('by nobody who has something else', async () => {
    const log = new MemoryLog();
    const [one, other] = await twoTrackersOn(log);
    await commands(log, 2, one, other);
    await checkpointBy(one);
    await caughtUp(log, other);
    // One that began at a snapshot knows how far others have signed, and not what.
    const author = { identity: other.identity, now: Date.now };
    const writer = new CheckpointWriter({ replica: other.replica, author, monotonicNow: () => clock.nowMs });
    await checkpointBy(one, { size: 4, root: one.replica.rootAt(3)!, digest: wrong });
    await caughtUp(log, other);
    await writer.look();
    expect(sizesIn(log)).toEqual([5, 4]);
  });
});
