// How the golden log of rules version 3 was made: versions of files and the copies that a group wants, before and after they take
// effect in a log that began under version 2.
// Run with: node test/golden/write-rules-3.ts
import { signedCheckpointNote } from '../../apps/tracker/src/replica/checkpoint-signature.ts';
import { COMMITMENT, CONTENT_ID, OTHER_CONTENT_ID, SMALL_CONTENT } from '../unit/domain/log-of.ts';
import { replayed } from './golden-log.ts';
import { base64Key, GoldenLog, one, two, writeGolden } from './growing-log.ts';

const GROUP = { group: 'g' };
const FILE = { group: 'g', file: 'f' };
const THIRD_CONTENT_ID = 'f'.repeat(64);

function usersBegin(log: GoldenLog): void {
  const data = { logId: 'b'.repeat(64), rulesVersion: 2, publicKey: base64Key(one) };
  log.by(one, { name: 'genesis', data });
  for (const [number, identity] of [one, two].entries()) {
    const about = { trackerId: identity.id, publicKey: base64Key(identity), address: `192.0.2.${number + 1}:9001` };
    log.by(identity, { name: 'register_tracker', data: about });
  }
  for (const user of ['alice', 'bob', 'carol', 'dave', 'eve']) {
    const created = log.as(user, { name: 'create_user', data: { user, commitment: COMMITMENT } });
    log.as(user, { name: 'login', data: { user, credentialOffset: created } });
  }
  log.as('alice', { name: 'create_group', data: GROUP });
  log.as('dave', { name: 'join_group', data: { group: 'none' } });
  for (const user of ['bob', 'carol', 'eve']) {
    log.as(user, { name: 'join_group', data: GROUP });
    log.as('alice', { name: 'accept_request', data: { ...GROUP, user } });
  }
}

function upload(log: GoldenLog, user: string, contentId: string, replaces?: number): void {
  const next = replaces === undefined ? {} : { replaces };
  log.as(user, { name: 'upload_file', data: { ...FILE, contentId, ...SMALL_CONTENT, ...next } });
}

function download(log: GoldenLog, user: string, version?: number): void {
  log.as(user, { name: 'download_file', data: { ...FILE, ...(version !== undefined && { version }) } });
}

function seed(log: GoldenLog, user: string, contentId: string, version?: number): void {
  log.as(user, { name: 'seed_file', data: { ...FILE, contentId, ...(version !== undefined && { version }) } });
}

function stop(log: GoldenLog, user: string, about: { readonly everywhere: boolean; readonly version?: number }): void {
  log.as(user, { name: 'stop_share', data: { ...FILE, ...about } });
}

/** Nothing of it is there under version 2; then it is. */
function versionsBegin(log: GoldenLog): void {
  upload(log, 'bob', CONTENT_ID);
  upload(log, 'bob', OTHER_CONTENT_ID, 1);
  download(log, 'carol', 1);
  seed(log, 'carol', CONTENT_ID, 1);
  stop(log, 'bob', { everywhere: false, version: 1 });
  log.as('alice', { name: 'set_copies', data: { ...GROUP, copies: 1 } });
  log.by(one, { name: 'activate_rules', data: { rulesVersion: 3 } });
  log.by(two, { name: 'activate_rules', data: { rulesVersion: 3 } });
}

function copiesAreWanted(log: GoldenLog): void {
  log.as('bob', { name: 'set_copies', data: { ...GROUP, copies: 2 } });
  log.as('dave', { name: 'set_copies', data: { ...GROUP, copies: 2 } });
  log.as('alice', { name: 'set_copies', data: { group: 'none', copies: 2 } });
  log.as('alice', { name: 'set_copies', data: { ...GROUP, copies: 101 } });
  log.as('alice', { name: 'set_copies', data: { ...GROUP, copies: 2 } });
  log.as('alice', { name: 'set_copies', data: { ...GROUP, copies: 0 } });
  log.as('alice', { name: 'set_copies', data: { ...GROUP, copies: 3 } });
}

function versionsCome(log: GoldenLog): void {
  upload(log, 'carol', OTHER_CONTENT_ID, 1);
  upload(log, 'bob', OTHER_CONTENT_ID);
  upload(log, 'bob', OTHER_CONTENT_ID, 0);
  upload(log, 'bob', OTHER_CONTENT_ID, 1);
  upload(log, 'alice', THIRD_CONTENT_ID, 1);
  upload(log, 'carol', OTHER_CONTENT_ID, 1);
  log.as('bob', {
    name: 'upload_file',
    data: { ...FILE, file: 'x', contentId: CONTENT_ID, ...SMALL_CONTENT, replaces: 1 },
  });
  upload(log, 'alice', THIRD_CONTENT_ID, 2);
  upload(log, 'bob', CONTENT_ID, 3);
  for (const version of [undefined, 1, 2, 4, 5]) download(log, 'carol', version);
  download(log, 'dave', 1);
  seed(log, 'carol', CONTENT_ID);
  seed(log, 'carol', CONTENT_ID, 1);
  seed(log, 'carol', CONTENT_ID, 2);
  seed(log, 'carol', CONTENT_ID, 7);
  seed(log, 'carol', 'a'.repeat(64));
}

function versionsGo(log: GoldenLog): void {
  stop(log, 'carol', { everywhere: false, version: 3 });
  stop(log, 'carol', { everywhere: true, version: 2 });
  stop(log, 'carol', { everywhere: false, version: 9 });
  stop(log, 'alice', { everywhere: true, version: 3 });
  stop(log, 'carol', { everywhere: false });
  stop(log, 'bob', { everywhere: false, version: 4 });
  upload(log, 'bob', THIRD_CONTENT_ID, 4);
  upload(log, 'alice', THIRD_CONTENT_ID, 2);
  download(log, 'carol');
  log.as('alice', { name: 'remove_member', data: { ...GROUP, user: 'bob' } });
  seed(log, 'carol', THIRD_CONTENT_ID);
  upload(log, 'alice', CONTENT_ID, 5);
  stop(log, 'alice', { everywhere: false });
  log.as('carol', { name: 'leave_group', data: GROUP });
  upload(log, 'alice', CONTENT_ID);
  upload(log, 'alice', OTHER_CONTENT_ID, 1);
  stop(log, 'alice', { everywhere: true });
  upload(log, 'alice', CONTENT_ID);
  upload(log, 'alice', OTHER_CONTENT_ID, 1);
  log.as('alice', { name: 'leave_group', data: GROUP });
  const checkpoint = { ...replayed(log.records).derived.checkpoint()!, build: 'cohort 0.1.0' };
  log.by(one, { name: 'checkpoint', data: { note: signedCheckpointNote(one, checkpoint) } });
}

const log = new GoldenLog();
usersBegin(log);
versionsBegin(log);
copiesAreWanted(log);
versionsCome(log);
versionsGo(log);
await writeGolden(log, 3);
