import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Command } from '#domain/command';
import { encodeLogRecord } from '#wire/log-record';
import { sealPassword } from '../../../../apps/tracker/src/credentials/credentials.ts';
import { DerivedState } from '../../../../apps/tracker/src/replica/derived-state.ts';
import { signedTrackerRecord } from '../../../../apps/tracker/src/replica/record-signature.ts';
import { newIdentity } from '../new-identity.ts';
import { peerOf } from '../../domain/log-of.ts';

const identity = newIdentity();
const publicKey = Buffer.from(identity.publicKeyDer).toString('base64');

/** Applies a tracker's command, or with `user` one that a peer sends. */
function append(derived: DerivedState, command: Command, more: { sealed?: string; byPeer?: true } = {}): void {
  const draft = { id: randomUUID(), timeMs: 1, seenOffset: -1, command };
  const signed = signedTrackerRecord(identity, draft);
  const actor = { kind: 'peer', peerId: peerOf('alice'), user: null } as const;
  const record = more.byPeer === true ? { ...signed, actor, signature: null } : signed;
  const offset = derived.state.appliedOffset + 1;
  derived.apply({ offset, value: encodeLogRecord(record), sealed: more.sealed ?? null, appendTimeMs: null });
}

function started(): DerivedState {
  const derived = new DerivedState();
  append(derived, { name: 'genesis', data: { logId: 'b'.repeat(64), rulesVersion: 1, publicKey } });
  append(derived, { name: 'register_tracker', data: { trackerId: identity.id, publicKey, address: 'a:1' } });
  return derived;
}

describe('what a tracker computes from the log', () => {
  it('is nothing to sign before the log has begun', () => {
    expect(new DerivedState().checkpoint()).toBeNull();
    const derived = started();
    const { root, digest } = derived;
    expect(derived.checkpoint()).toMatchObject({ logId: 'b'.repeat(64), size: 2, root, digest, rulesVersion: 1 });
  });

  it('has no root and no digest of what is not applied yet', () => {
    const derived = started();
    expect([derived.rootAt(1), derived.digestAt(1)]).toEqual([derived.root, derived.digest]);
    expect([derived.rootAt(2), derived.digestAt(2)]).toEqual([null, null]);
  });

  it('knows the latest password hash of a user, and none when that one does not fit, which is counted', () => {
    const derived = started();
    const [first, second, third] = ['$argon2id$1', '$argon2id$2', '$argon2id$3'].map((phc) => sealPassword(phc));
    const { commitment, sealed } = first!;
    append(derived, { name: 'create_user', data: { user: 'alice', commitment } }, { sealed, byPeer: true });
    expect(derived.passwordHashOf('alice')).toBe('$argon2id$1');
    const reset = (about: { commitment: string; sealed: string }): string | null => {
      const data = { user: 'alice', commitment: about.commitment };
      append(derived, { name: 'reset_password', data }, { sealed: about.sealed });
      return derived.passwordHashOf('alice');
    };
    expect([reset(second!), derived.unknownPasswordCount]).toEqual(['$argon2id$2', 0]);
    const changed = { commitment: third!.commitment, sealed: second!.sealed };
    expect([reset(changed), derived.unknownPasswordCount]).toEqual([null, 1]);
    expect([reset(third!), derived.unknownPasswordCount]).toEqual(['$argon2id$3', 0]);
  });
});
