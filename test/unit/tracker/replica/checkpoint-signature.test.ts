import { createPublicKey, randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { apply } from '#domain/apply';
import type { Checkpoint } from '#domain/checkpoint';
import { type Command } from '#domain/command';
import { emptyState, type State } from '#domain/state';
import type { Identity } from '#identity/identity';
import { checkpointSignedBy, signedCheckpointNote } from '../../../../apps/tracker/src/replica/checkpoint-signature.ts';
import { SignatureCheck, signedTrackerRecord } from '../../../../apps/tracker/src/replica/record-signature.ts';
import { verdict } from '../../domain/log-of.ts';
import { newIdentity } from '../new-identity.ts';

const LOG_ID = 'b'.repeat(64);
const one = newIdentity();
const other = newIdentity();
const CHECKPOINT: Checkpoint = {
  logId: LOG_ID,
  size: 2,
  root: '1'.repeat(64),
  digest: '2'.repeat(64),
  rulesVersion: 1,
  build: 'test',
};

const keyOf = ({ privateKey }: Identity) => createPublicKey(privateKey);
const base64Key = ({ publicKeyDer }: Identity): string => Buffer.from(publicKeyDer).toString('base64');

/** Applies a tracker's command as it comes from the log; what it came to. */
function submitted(state: State, identity: Identity, command: Command): string {
  const draft = { id: randomUUID(), timeMs: 1, seenOffset: state.appliedOffset, command };
  const record = signedTrackerRecord(identity, draft);
  const signed = new SignatureCheck().examine(record, state);
  return verdict(apply(state, { offset: state.appliedOffset + 1, record, ...signed }));
}

/** A log in which one tracker is known. */
function started(): State {
  const state = emptyState();
  submitted(state, one, { name: 'genesis', data: { logId: LOG_ID, rulesVersion: 1, publicKey: base64Key(one) } });
  const registration = { trackerId: one.id, publicKey: base64Key(one), address: '127.0.0.1:1' };
  submitted(state, one, { name: 'register_tracker', data: registration });
  return state;
}

const checkpoint = (note: string): Command => ({ name: 'checkpoint', data: { note } });

describe("a tracker's signature on a checkpoint", () => {
  it('holds under its key and the name of the log', () => {
    const note = signedCheckpointNote(one, CHECKPOINT);
    expect(checkpointSignedBy(keyOf(one), { note, logId: LOG_ID })).toEqual(CHECKPOINT);
    expect(checkpointSignedBy(keyOf(other), { note, logId: LOG_ID })).toBeNull();
    expect(checkpointSignedBy(keyOf(one), { note, logId: 'c'.repeat(64) })).toBeNull();
  });

  it('is asked for beside the one on the record: a note that another signed is refused', () => {
    const state = started();
    expect(submitted(state, one, checkpoint(signedCheckpointNote(one, CHECKPOINT)))).toBe('accepted');
    expect(submitted(state, one, checkpoint(signedCheckpointNote(other, CHECKPOINT)))).toBe('malformed_record');
    expect(submitted(state, one, checkpoint('a note'))).toBe('malformed_record');
    expect([...state.checkpoints.keys()]).toEqual([2]);
  });

  it('counts for nothing when the log does not know the key', () => {
    expect(submitted(started(), other, checkpoint(signedCheckpointNote(other, CHECKPOINT)))).toBe('not_a_tracker');
  });

  it.each([null, undefined, 7, 'note', [], { note: 7 }])(
    'is looked for in whatever data came: %j is refused',
    (data) => {
      expect(submitted(started(), one, { name: 'checkpoint', data } as never)).toBe('malformed_record');
    },
  );

  it('is not that of another log', () => {
    const note = signedCheckpointNote(one, { ...CHECKPOINT, logId: 'c'.repeat(64) });
    expect(submitted(started(), one, checkpoint(note))).toBe('malformed_record');
  });
});
