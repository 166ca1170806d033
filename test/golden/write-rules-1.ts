// How the golden log of rules version 1 was made: every command accepted and refused, and every reason for a refusal.
// Run with: node test/golden/write-rules-1.ts
import type { Command } from '#domain/command';
import type { Identity } from '#identity/identity';
import { signedCheckpointNote } from '../../apps/tracker/src/replica/checkpoint-signature.ts';
import { COMMITMENT, CONTENT_ID, OTHER_CONTENT_ID, peerOf, SMALL_CONTENT } from '../unit/domain/log-of.ts';
import { replayed } from './golden-log.ts';
import { base64Key, GoldenLog, one, stranger, two, writeGolden } from './growing-log.ts';

function trackersBegin(log: GoldenLog): void {
  const genesis = (identity: Identity, rulesVersion: number): void => {
    const data = { logId: 'b'.repeat(64), rulesVersion, publicKey: base64Key(identity) };
    log.by(identity, { name: 'genesis', data });
  };
  const register = (signer: Identity, identity: Identity, address: string): void => {
    const data = { trackerId: identity.id, publicKey: base64Key(identity), address };
    log.by(signer, { name: 'register_tracker', data });
  };
  genesis(one, 0);
  genesis(one, 1);
  genesis(two, 1);
  register(one, one, '192.0.2.1:9001');
  register(one, two, '192.0.2.2:9001');
  register(two, two, '192.0.2.2:9001');
}

function usersBegin(log: GoldenLog): void {
  for (const user of ['alice', 'bob', 'carol', 'dave', 'eve']) {
    const created = log.as(user, { name: 'create_user', data: { user, commitment: COMMITMENT } });
    log.as(user, { name: 'login', data: { user, credentialOffset: created } });
  }
  const { credentialOffset } = log.state.users.get('alice')!;
  log.as('eve', { name: 'create_user', data: { user: 'alice', commitment: COMMITMENT } });
  log.as('eve', { name: 'logout', data: {} });
  log.as('eve', { name: 'logout', data: {} });
  log.as('eve', { name: 'login', data: { user: 'nobody', credentialOffset } });
  log.as('eve', { name: 'login', data: { user: 'alice', credentialOffset: 0 } });
  log.as('bob', { name: 'login', data: { user: 'alice', credentialOffset } });
  log.as('alice', { name: 'change_password', data: { credentialOffset: 0, commitment: COMMITMENT } });
  log.as('alice', { name: 'change_password', data: { credentialOffset, commitment: 'f'.repeat(64) } });
}

function groupsForm(log: GoldenLog): void {
  const group = 'g';
  log.as('alice', { name: 'create_group', data: { group } });
  log.as('carol', { name: 'create_group', data: { group } });
  log.as('bob', { name: 'join_group', data: { group } });
  log.as('bob', { name: 'join_group', data: { group } });
  log.as('bob', { name: 'join_group', data: { group: 'none' } });
  log.as('alice', { name: 'join_group', data: { group } });
  log.as('carol', { name: 'accept_request', data: { group, user: 'bob' } });
  log.as('bob', { name: 'accept_request', data: { group, user: 'bob' } });
  log.as('alice', { name: 'accept_request', data: { group, user: 'bob' } });
  log.as('alice', { name: 'accept_request', data: { group, user: 'nobody' } });
  log.as('dave', { name: 'join_group', data: { group } });
  log.as('bob', { name: 'accept_request', data: { group, user: 'dave' } });
  log.as('alice', { name: 'reject_request', data: { group, user: 'dave' } });
  log.as('alice', { name: 'reject_request', data: { group, user: 'dave' } });
  log.as('carol', { name: 'join_group', data: { group } });
  log.as('alice', { name: 'accept_request', data: { group, user: 'carol' } });
}

function filesMove(log: GoldenLog): void {
  const file = { group: 'g', file: 'f' };
  log.as('alice', { name: 'upload_file', data: { ...file, contentId: CONTENT_ID, ...SMALL_CONTENT } });
  log.as('bob', { name: 'upload_file', data: { ...file, contentId: OTHER_CONTENT_ID, ...SMALL_CONTENT } });
  log.as('bob', { name: 'upload_file', data: { ...file, contentId: CONTENT_ID, ...SMALL_CONTENT } });
  log.as('dave', { name: 'download_file', data: file });
  log.as('carol', { name: 'download_file', data: { group: 'g', file: 'none' } });
  log.as('carol', { name: 'download_file', data: file });
  log.as('carol', { name: 'seed_file', data: { ...file, contentId: OTHER_CONTENT_ID } });
  log.as('carol', { name: 'seed_file', data: { ...file, contentId: CONTENT_ID } });
  log.as('bob', { name: 'stop_share', data: { ...file, everywhere: true } });
  log.as('bob', { name: 'stop_share', data: { ...file, everywhere: false } });
  log.as('alice', { name: 'stop_share', data: { ...file, everywhere: true } });
  log.as('alice', { name: 'stop_share', data: { ...file, everywhere: true } });
}

function groupsDissolve(log: GoldenLog): void {
  const group = 'g';
  log.as('alice', { name: 'leave_group', data: { group } });
  log.as('alice', { name: 'transfer_ownership', data: { group, user: 'dave' } });
  log.as('alice', { name: 'transfer_ownership', data: { group, user: 'bob' } });
  log.as('alice', { name: 'leave_group', data: { group } });
  log.as('bob', { name: 'remove_member', data: { group, user: 'carol' } });
  log.as('bob', { name: 'remove_member', data: { group, user: 'carol' } });
  log.as('bob', { name: 'leave_group', data: { group } });
  log.as('alice', { name: 'end_session', data: { peerId: peerOf('eve') } });
  log.as('alice', { name: 'end_session', data: { peerId: peerOf('alice') } });
}

function recordsAreRefused(log: GoldenLog): void {
  const id = '00000000-0000-4000-8000-999999999999';
  const newGroup = (group: string): Command => ({ name: 'create_group', data: { group } });
  log.text('{"specversion":"1.0"}');
  log.as('bob', { name: 'create_group', data: { group: 'h', more: 1 } } as unknown as Command);
  log.as('bob', newGroup('h'), { schemaVersion: 2 });
  log.as('bob', newGroup('h'), { id });
  log.as('bob', newGroup('h'), { id });
  log.as('bob', newGroup('other'), { id });
  log.as('bob', newGroup('other'), { seenOffset: -1_000_001 });
}

function trackersSign(log: GoldenLog): void {
  const offset = log.records.length;
  const checkpoint = { ...replayed(log.records).derived.checkpoint()!, build: 'cohort 0.1.0' };
  log.by(one, { name: 'checkpoint', data: { note: signedCheckpointNote(one, checkpoint) } });
  log.by(two, { name: 'checkpoint', data: { note: signedCheckpointNote(one, checkpoint) } });
  log.by(stranger, { name: 'checkpoint', data: { note: signedCheckpointNote(stranger, checkpoint) } });
  log.by(two, { name: 'resolve_checkpoint', data: { offset: offset + 1, counts: 'log' } });
  log.by(two, { name: 'resolve_checkpoint', data: { offset, counts: 'checkpoint' } });
  log.by(one, { name: 'reset_password', data: { user: 'nobody', commitment: COMMITMENT } });
  log.by(one, { name: 'reset_password', data: { user: 'carol', commitment: 'f'.repeat(64) } });
  log.by(one, { name: 'activate_rules', data: { rulesVersion: 1 } });
  log.by(one, { name: 'activate_rules', data: { rulesVersion: 2 } });
}

const log = new GoldenLog();
trackersBegin(log);
usersBegin(log);
groupsForm(log);
filesMove(log);
groupsDissolve(log);
recordsAreRefused(log);
trackersSign(log);
await writeGolden(log, 1);
