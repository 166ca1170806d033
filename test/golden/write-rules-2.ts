// How the golden log of rules version 2 was made: sessions that are renewed and expire, and when each takes effect, in a log that
// began under version 1.
// Run with: node test/golden/write-rules-2.ts
import { SESSION_LIFETIME_MS } from '#domain/session-term';
import { signedCheckpointNote } from '../../apps/tracker/src/replica/checkpoint-signature.ts';
import { COMMITMENT, peerOf } from '../unit/domain/log-of.ts';
import { replayed } from './golden-log.ts';
import { base64Key, GoldenLog, one, two, writeGolden } from './growing-log.ts';

const RENEW = { name: 'renew_session', data: {} } as const;
const USERS = ['alice', 'bob', 'carol', 'dave', 'eve', 'frank', 'grace', 'heidi', 'ivan', 'judy'];
/** More than one record ends. */
const PEER_COUNT = 70;

function usersBegin(log: GoldenLog): void {
  const data = { logId: 'b'.repeat(64), rulesVersion: 1, publicKey: base64Key(one) };
  log.by(one, { name: 'genesis', data });
  for (const [number, identity] of [one, two].entries()) {
    const about = { trackerId: identity.id, publicKey: base64Key(identity), address: `192.0.2.${number + 1}:9001` };
    log.by(identity, { name: 'register_tracker', data: about });
  }
  for (const user of USERS) {
    const created = log.as(user, { name: 'create_user', data: { user, commitment: COMMITMENT } });
    log.as(user, { name: 'login', data: { user, credentialOffset: created } });
  }
  log.as('alice', RENEW);
}

/** Under version 1 nothing ends, however long it takes; then all have a whole lifetime before them. */
function expiryBegins(log: GoldenLog): void {
  log.wait(2 * SESSION_LIFETIME_MS);
  log.as('alice', { name: 'create_group', data: { group: 'g' } });
  log.by(one, { name: 'activate_rules', data: { rulesVersion: 2 } });
  log.by(one, { name: 'activate_rules', data: { rulesVersion: 2 } });
  log.as('eve', { name: 'logout', data: {} });
  log.as('eve', RENEW);
}

function sessionsEnd(log: GoldenLog): void {
  const half = SESSION_LIFETIME_MS / 2;
  log.wait(half);
  const repeated = log.as('alice', RENEW, { id: '00000000-0000-4000-8000-999999999999' });
  log.as('bob', { name: 'join_group', data: { group: 'g' } });
  log.as('carol', RENEW);
  log.wait(half);
  // Whoever sends it acts without a session; of the others it ends those that were not renewed.
  log.as('bob', { name: 'join_group', data: { group: 'g' } });
  log.as('alice', { name: 'create_group', data: { group: 'h' } });
  log.as('bob', {
    name: 'login',
    data: { user: 'bob', credentialOffset: log.state.users.get('bob')!.credentialOffset },
  });
  log.as('bob', { name: 'join_group', data: { group: 'h' } });
  log.as('alice', RENEW);
  log.wait(half);
  // A record that is refused, or was there before, ends sessions too.
  log.as('bob', RENEW, { schemaVersion: 2 });
  log.as('carol', { name: 'logout', data: {} });
  log.wait(half + 1_000);
  log.as('alice', RENEW, { id: `00000000-0000-4000-8000-999999999999` });
  log.text(log.records[repeated]!);
}

function manyEnd(log: GoldenLog): void {
  const { credentialOffset } = log.state.users.get('alice')!;
  for (let peer = 0; peer < PEER_COUNT; peer++) {
    log.as(`peer ${peer}`, { name: 'login', data: { user: 'alice', credentialOffset } });
  }
  log.wait(SESSION_LIFETIME_MS);
  // The next one's own session, and so many others, then the rest.
  log.as(`peer ${PEER_COUNT - 1}`, { name: 'create_group', data: { group: 'k' } });
  log.as('alice', { name: 'login', data: { user: 'alice', credentialOffset } });
  log.as('alice', { name: 'end_session', data: { peerId: peerOf('peer 68') } });
  const checkpoint = { ...replayed(log.records).derived.checkpoint()!, build: 'cohort 0.1.0' };
  log.by(one, { name: 'checkpoint', data: { note: signedCheckpointNote(one, checkpoint) } });
}

const log = new GoldenLog();
usersBegin(log);
expiryBegins(log);
sessionsEnd(log);
manyEnd(log);
await writeGolden(log, 2);
