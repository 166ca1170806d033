import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Command } from '#domain/command';
import { emptyState, type State } from '#domain/state';
import { type Identity, idOfPublicKey } from '#identity/identity';
import { signedCheckpointNote } from '../../../../apps/tracker/src/replica/checkpoint-signature.ts';
import {
  type Signed,
  SignatureCheck,
  signedTrackerRecord,
} from '../../../../apps/tracker/src/replica/record-signature.ts';
import { newIdentity } from '../new-identity.ts';

const LOG_ID = 'b'.repeat(64);
const UNSIGNED: Signed = { signer: null, checkpoint: null };
const one = newIdentity();
const base64Key = ({ publicKeyDer }: Identity): string => Buffer.from(publicKeyDer).toString('base64');

const registration = (publicKey: unknown): Command =>
  ({ name: 'register_tracker', data: { trackerId: one.id, publicKey, address: '127.0.0.1:1' } }) as Command;

/** What the signatures on a record of a tracker prove, in a state that knows one tracker. */
function examined(identity: Identity, command: Command): Signed {
  const draft = { id: randomUUID(), timeMs: 1, seenOffset: -1, command };
  return new SignatureCheck().examine(signedTrackerRecord(identity, draft), started());
}

function started(): State {
  const state = emptyState();
  state.logId = LOG_ID;
  state.trackers.set(one.id, { trackerId: one.id, publicKey: base64Key(one), address: '127.0.0.1:1' });
  return state;
}

describe("a signature on a tracker's record", () => {
  it('is that of the tracker whose key the log knows, or whose key comes with it', () => {
    const newcomer = newIdentity();
    expect(examined(one, { name: 'activate_rules', data: { rulesVersion: 2 } })).toEqual({
      ...UNSIGNED,
      signer: one.id,
    });
    expect(examined(newcomer, { name: 'activate_rules', data: { rulesVersion: 2 } })).toEqual(UNSIGNED);
    expect(examined(newcomer, registration(base64Key(newcomer)))).toEqual({ ...UNSIGNED, signer: newcomer.id });
  });

  it("is not another tracker's because its own key comes with it", () => {
    const thief = newIdentity();
    expect(examined({ ...thief, id: one.id }, registration(base64Key(thief)))).toEqual(UNSIGNED);
  });

  it.each([null, {}, { publicKey: 7 }, { publicKey: null }, []])('is none when the data is %j', (data) => {
    expect(examined(one, { name: 'register_tracker', data } as never)).toEqual(UNSIGNED);
  });

  it('is none by bytes that are no key, though the id is their hash', () => {
    const noKey = Buffer.from('no key');
    expect(examined({ ...one, id: idOfPublicKey(noKey) }, registration(noKey.toString('base64')))).toEqual(UNSIGNED);
  });

  it('is none by a key of another kind', () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed448');
    const der = publicKey.export({ type: 'spki', format: 'der' });
    expect(examined({ ...one, privateKey, id: idOfPublicKey(der) }, registration(der.toString('base64')))).toEqual(
      UNSIGNED,
    );
  });

  it('is none on bytes that are no record, and none by a peer', () => {
    const command: Command = { name: 'logout', data: {} };
    const record = signedTrackerRecord(one, { id: randomUUID(), timeMs: 1, seenOffset: -1, command });
    const actor = { kind: 'peer', peerId: one.id, user: null } as const;
    expect(new SignatureCheck().examine(null, started())).toEqual(UNSIGNED);
    expect(new SignatureCheck().examine({ ...record, actor }, started())).toEqual(UNSIGNED);
  });

  it('proves a checkpoint in a checkpoint alone', () => {
    const checkpoint = {
      logId: LOG_ID,
      size: 1,
      root: '1'.repeat(64),
      digest: '2'.repeat(64),
      rulesVersion: 1,
      build: 'b',
    };
    const note = signedCheckpointNote(one, checkpoint);
    expect(examined(one, { name: 'checkpoint', data: { note } })).toEqual({ signer: one.id, checkpoint });
    const other = { name: 'activate_rules', data: { rulesVersion: 2 } } as const;
    expect(examined(one, other)).toEqual({ ...UNSIGNED, signer: one.id });
  });

  it('of data that no command has is not looked at', () => {
    expect(examined(one, { name: 'checkpoint', data: { note: ['a note'] } } as never)).toEqual(UNSIGNED);
    expect(examined(one, { name: 'activate_rules', data: { rulesVersion: 2, more: 1 } } as never)).toEqual(UNSIGNED);
  });
});
