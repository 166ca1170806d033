// A checkpoint's record may end sessions that have expired, like any record: that neither hides the checkpoint nor makes one of a
// record that was refused.
import { expect, it } from 'vitest';
import { SESSION_LIFETIME_MS } from '#domain/session-term';
import { signedExtentOf } from '../../../apps/tracker/src/audit/last-checkpoint.ts';
import { DerivedState } from '../../../apps/tracker/src/replica/derived-state.ts';
import { signedCheckpointNote } from '../../../apps/tracker/src/replica/checkpoint-signature.ts';
import type { AppliedRecord } from '../../../apps/tracker/src/replica/replica.ts';
import { SnapshotComparison } from '../../../apps/tracker/src/snapshots/snapshot-comparison.ts';
import { replayed } from '../../golden/golden-log.ts';
import { base64Key, GoldenLog, one, two } from '../../golden/growing-log.ts';
import { COMMITMENT } from '../domain/log-of.ts';

const snapshot = { offset: 100, hash: 'a'.repeat(64) };

/** A log whose last record is a checkpoint that ends a session: signed by its sender, or by another tracker. */
function logThatEnds(signer: typeof one) {
  const log = new GoldenLog();
  log.by(one, { name: 'genesis', data: { logId: 'b'.repeat(64), rulesVersion: 2, publicKey: base64Key(one) } });
  for (const identity of [one, two]) {
    const data = { trackerId: identity.id, publicKey: base64Key(identity), address: '192.0.2.1:9001' };
    log.by(identity, { name: 'register_tracker', data });
  }
  const created = log.as('alice', { name: 'create_user', data: { user: 'alice', commitment: COMMITMENT } });
  log.as('alice', { name: 'login', data: { user: 'alice', credentialOffset: created } });
  log.wait(SESSION_LIFETIME_MS);
  const checkpoint = replayed(log.records).derived.checkpoint()!;
  log.by(one, { name: 'checkpoint', data: { note: signedCheckpointNote(signer, checkpoint, snapshot) } });
  return { log, size: checkpoint.size };
}

const storedOf = ({ records }: GoldenLog) =>
  records.map((text, offset) => ({ offset, value: Buffer.from(text), sealed: null, appendTimeMs: null }));

/** Trackers whose snapshot of that offset differs, after the last record of a log. */
function differingAfter(log: GoldenLog): number {
  const derived = new DerivedState();
  const applied = storedOf(log).map((stored) => derived.apply(stored));
  let tell: (record: AppliedRecord) => void = () => undefined;
  const replica = {
    onApplied: (listener: typeof tell) => void (tell = listener),
    snapshots: [{ offset: 100, hash: 'f'.repeat(64) }],
    computeAnew: () => undefined,
  };
  const comparison = new SnapshotComparison({ replica: replica as never, warn: () => undefined });
  expect(applied.at(-1)!.applied.events[0]).toMatchObject({ type: 'session_expired' });
  tell(applied.at(-1)!);
  return comparison.differingCount;
}

const lastOf = async (log: GoldenLog) => {
  const { last } = await signedExtentOf({
    name: 'log',
    close: () => Promise.resolve(),
    async *records() {
      yield storedOf(log);
      await Promise.resolve();
    },
  });
  return last;
};

it('a checkpoint counts when its record ends a session', async () => {
  const { log, size } = logThatEnds(one);
  expect(differingAfter(log)).toBe(1);
  expect(await lastOf(log)).toMatchObject({ size, trackerId: one.id });
});

it('a checkpoint that is refused does not count, though its record ends a session', async () => {
  const { log } = logThatEnds(two);
  expect(replayed(log.records).outcomes.verdicts.at(-1)).toBe('malformed_record');
  expect(differingAfter(log)).toBe(0);
  expect(await lastOf(log)).toBeNull();
});
