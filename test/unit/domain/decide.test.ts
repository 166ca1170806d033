import { describe, expect, it } from 'vitest';
import type { Applied } from '#domain/apply';
import { CHECKPOINT_WINDOW_RECORDS } from '#domain/checkpoint';
import { COMMAND_NAMES, type CommandData, type CommandName } from '#domain/command';
import { NEWEST_RULES_VERSION } from '#domain/decide';
import {
  COMMITMENT,
  CONTENT_ID,
  LogInMemory,
  OTHER_CONTENT_ID,
  peerOf,
  SMALL_CONTENT,
  TRACKER_ID,
  verdict,
} from './log-of.ts';
import { plainState } from './plain-state.ts';

/** alice owns `g` with member bob and `f`, dave waits to be let in, carol is a stranger, eve is not logged in. */
function given(): LogInMemory {
  const log = LogInMemory.started();
  log.signUp('alice', 'bob', 'carol', 'dave', 'eve');
  log.as('eve', 'logout', {});
  log.group('g', 'alice', 'bob');
  log.as('dave', 'join_group', { group: 'g' });
  log.share('alice', 'g', 'f');
  return log;
}

type Row = { [Name in CommandName]: readonly [string, Name, CommandData[Name], string] }[CommandName];

const g = { group: 'g' };
const upload = { group: 'g', file: 'f', contentId: CONTENT_ID, ...SMALL_CONTENT };

const rows: readonly Row[] = [
  ['eve', 'create_user', { user: 'alice', commitment: COMMITMENT }, 'user_exists'],
  ['eve', 'create_user', { user: 'frank', commitment: COMMITMENT }, 'accepted'],
  ['eve', 'login', { user: 'nobody', credentialOffset: 2 }, 'wrong_credentials'],
  ['eve', 'login', { user: 'eve', credentialOffset: 2 }, 'credential_changed'],
  ['alice', 'login', { user: 'alice', credentialOffset: 1 }, 'credential_changed'],
  ['alice', 'login', { user: 'alice', credentialOffset: 2 }, 'already_logged_in'],
  ['bob', 'login', { user: 'alice', credentialOffset: 2 }, 'already_logged_in'],
  ['eve', 'login', { user: 'alice', credentialOffset: 2 }, 'accepted'],
  ['eve', 'logout', {}, 'not_logged_in'],
  ['alice', 'logout', {}, 'accepted'],
  ['eve', 'renew_session', {}, 'not_logged_in'],
  ['alice', 'renew_session', {}, 'accepted'],
  ['eve', 'end_session', { peerId: peerOf('eve') }, 'not_logged_in'],
  ['alice', 'end_session', { peerId: peerOf('bob') }, 'session_not_found'],
  ['alice', 'end_session', { peerId: peerOf('alice') }, 'accepted'],
  ['eve', 'change_password', { credentialOffset: 2, commitment: COMMITMENT }, 'not_logged_in'],
  ['alice', 'change_password', { credentialOffset: 1, commitment: COMMITMENT }, 'credential_changed'],
  ['alice', 'change_password', { credentialOffset: 2, commitment: COMMITMENT }, 'accepted'],
  ['eve', 'create_group', { group: 'h' }, 'not_logged_in'],
  ['carol', 'create_group', g, 'group_exists'],
  ['carol', 'create_group', { group: 'h' }, 'accepted'],
  ['eve', 'join_group', g, 'not_logged_in'],
  ['carol', 'join_group', { group: 'none' }, 'group_not_found'],
  ['bob', 'join_group', g, 'already_member'],
  ['dave', 'join_group', g, 'already_requested'],
  ['carol', 'join_group', g, 'accepted'],
  ['eve', 'leave_group', g, 'not_logged_in'],
  ['bob', 'leave_group', { group: 'none' }, 'group_not_found'],
  ['carol', 'leave_group', g, 'not_a_member'],
  ['dave', 'leave_group', g, 'request_pending'],
  ['alice', 'leave_group', g, 'owner_must_hand_over'],
  ['bob', 'leave_group', g, 'accepted'],
  ['eve', 'accept_request', { ...g, user: 'dave' }, 'not_logged_in'],
  ['alice', 'accept_request', { group: 'none', user: 'dave' }, 'group_not_found'],
  ['carol', 'accept_request', { ...g, user: 'dave' }, 'not_a_member'],
  ['dave', 'accept_request', { ...g, user: 'dave' }, 'request_pending'],
  ['bob', 'accept_request', { ...g, user: 'dave' }, 'not_group_owner'],
  ['alice', 'accept_request', { ...g, user: 'nobody' }, 'user_not_found'],
  ['alice', 'accept_request', { ...g, user: 'carol' }, 'request_not_found'],
  ['alice', 'accept_request', { ...g, user: 'dave' }, 'accepted'],
  ['carol', 'reject_request', { ...g, user: 'dave' }, 'not_a_member'],
  ['bob', 'reject_request', { ...g, user: 'dave' }, 'not_group_owner'],
  ['alice', 'reject_request', { ...g, user: 'carol' }, 'request_not_found'],
  ['alice', 'reject_request', { ...g, user: 'dave' }, 'accepted'],
  ['bob', 'remove_member', { ...g, user: 'alice' }, 'not_group_owner'],
  ['alice', 'remove_member', { ...g, user: 'carol' }, 'user_not_found'],
  ['alice', 'remove_member', { ...g, user: 'alice' }, 'owner_must_hand_over'],
  ['alice', 'remove_member', { ...g, user: 'bob' }, 'accepted'],
  ['bob', 'transfer_ownership', { ...g, user: 'bob' }, 'not_group_owner'],
  ['alice', 'transfer_ownership', { ...g, user: 'dave' }, 'user_not_found'],
  ['alice', 'transfer_ownership', { ...g, user: 'bob' }, 'accepted'],
  ['bob', 'set_copies', { ...g, copies: 2 }, 'not_group_owner'],
  ['alice', 'set_copies', { ...g, copies: 2 }, 'accepted'],
  ['eve', 'upload_file', upload, 'not_logged_in'],
  ['bob', 'upload_file', { ...upload, group: 'none' }, 'group_not_found'],
  ['carol', 'upload_file', upload, 'not_a_member'],
  ['dave', 'upload_file', upload, 'request_pending'],
  ['bob', 'upload_file', { ...upload, contentId: OTHER_CONTENT_ID }, 'file_exists'],
  ['bob', 'upload_file', upload, 'accepted'],
  ['eve', 'download_file', { ...g, file: 'f' }, 'not_logged_in'],
  ['bob', 'download_file', { group: 'none', file: 'f' }, 'group_not_found'],
  ['carol', 'download_file', { ...g, file: 'f' }, 'not_a_member'],
  ['dave', 'download_file', { ...g, file: 'f' }, 'request_pending'],
  ['bob', 'download_file', { ...g, file: 'none' }, 'file_not_found'],
  ['bob', 'download_file', { ...g, file: 'f' }, 'accepted'],
  ['carol', 'seed_file', { ...g, file: 'f', contentId: CONTENT_ID }, 'not_a_member'],
  ['bob', 'seed_file', { ...g, file: 'none', contentId: CONTENT_ID }, 'file_not_found'],
  ['bob', 'seed_file', { ...g, file: 'f', contentId: OTHER_CONTENT_ID }, 'file_not_found'],
  ['bob', 'seed_file', { ...g, file: 'f', contentId: CONTENT_ID }, 'accepted'],
  ['carol', 'stop_share', { ...g, file: 'f', everywhere: false }, 'not_a_member'],
  ['bob', 'stop_share', { ...g, file: 'none', everywhere: true }, 'file_not_found'],
  ['bob', 'stop_share', { ...g, file: 'f', everywhere: true }, 'not_share_owner'],
  ['bob', 'stop_share', { ...g, file: 'f', everywhere: false }, 'file_not_found'],
  ['alice', 'stop_share', { ...g, file: 'f', everywhere: false }, 'accepted'],
];

describe('deciders', () => {
  it.each(rows)('%s: %s %j is %s', (user, name, data, expected) => {
    const log = given();
    const before = plainState({ ...log.state, outcomes: null }) as object;
    const applied = log.as(user, name, data as never);
    expect(verdict(applied)).toBe(expected);
    if (expected === 'accepted') return;
    // A refusal changes nothing but where the log stands.
    const { appliedOffset, logTimeMs } = log.state;
    expect(applied.events).toEqual([]);
    expect(plainState({ ...log.state, outcomes: null })).toEqual({ ...before, appliedOffset, logTimeMs });
  });

  it('every command that a peer may send has an accepted row and a refused one', () => {
    const tracked = new Set<string>([
      'genesis',
      'register_tracker',
      'checkpoint',
      'activate_rules',
      'resolve_checkpoint',
      'reset_password',
    ]);
    for (const name of COMMAND_NAMES.filter((command) => !tracked.has(command))) {
      const verdicts = rows.filter((row) => row[1] === name).map((row) => row[3]);
      expect(verdicts, name).toContain('accepted');
      expect(new Set(verdicts).size, name).toBeGreaterThan(1);
    }
  });
});

describe('a sender is believed', () => {
  const h = { group: 'h' };

  it.each([
    ['with the session that its user has on that peer', peerOf('alice'), 'alice', 'accepted'],
    ['not as another user than the one who is logged in there', peerOf('alice'), 'bob', 'not_logged_in'],
    ['not as nobody', peerOf('alice'), null, 'not_logged_in'],
    ['not on a peer without a session', '9'.repeat(64), 'alice', 'not_logged_in'],
  ])('%s', (_how, peerId, user, expected) => {
    expect(verdict(given().append('create_group', h, { actor: { kind: 'peer', peerId, user } }))).toBe(expected);
  });

  it('as a tracker for no command of a peer', () => {
    expect(verdict(given().asTracker('create_group', h))).toBe('not_logged_in');
    expect(verdict(given().asTracker('create_user', { user: 'frank', commitment: COMMITMENT }))).toBe('not_logged_in');
  });

  it('as the tracker that signed, and as no other', () => {
    const other = 'f'.repeat(64);
    const entry = { trackerId: TRACKER_ID, publicKey: 'key', address: '127.0.0.1:2' };
    const signedBy = (trackerId: string, signer: string | null): string =>
      verdict(given().append('register_tracker', entry, { actor: { kind: 'tracker', trackerId }, signer }));
    expect(signedBy(TRACKER_ID, TRACKER_ID)).toBe('accepted');
    expect(signedBy(TRACKER_ID, null)).toBe('not_a_tracker');
    expect(signedBy(other, TRACKER_ID)).toBe('not_a_tracker');
    const actor = { kind: 'peer', peerId: TRACKER_ID, user: null } as const;
    expect(verdict(given().append('register_tracker', entry, { actor, signer: TRACKER_ID }))).toBe('not_a_tracker');
  });

  it('as a tracker only when the log knows it, but to introduce itself', () => {
    const trackerId = 'f'.repeat(64);
    const about = { actor: { kind: 'tracker', trackerId }, signer: trackerId } as const;
    const log = given();
    const reset = { user: 'bob', commitment: COMMITMENT };
    expect(verdict(log.append('reset_password', reset, about))).toBe('not_a_tracker');
    log.append('register_tracker', { trackerId, publicKey: 'key', address: '127.0.0.1:2' }, about);
    expect(verdict(log.append('reset_password', reset, about))).toBe('accepted');
  });
});

describe("trackers' commands", () => {
  it("count only with the tracker's own signature", () => {
    const log = LogInMemory.started();
    expect(verdict(log.asTracker('checkpoint', { note: 'n' }, null))).toBe('not_a_tracker');
    expect(verdict(log.asTracker('checkpoint', { note: 'n' }, 'f'.repeat(64)))).toBe('not_a_tracker');
    expect(verdict(log.as('alice', 'checkpoint', { note: 'n' }))).toBe('not_a_tracker');
    expect(verdict(log.checkpoint())).toBe('accepted');
  });

  it('a second genesis is refused: the first in the log wins', () => {
    const log = LogInMemory.started();
    expect(verdict(log.asTracker('genesis', { logId: 'f'.repeat(64), rulesVersion: 1, publicKey: 'key' }))).toBe(
      'log_already_started',
    );
    expect(log.state.logId).toBe('b'.repeat(64));
  });

  it('nothing but a genesis is supported at the start of a log', () => {
    const log = new LogInMemory();
    expect(verdict(log.as('alice', 'create_user', { user: 'alice', commitment: COMMITMENT }))).toBe(
      'unsupported_record',
    );
  });

  it('a tracker registers its own key only', () => {
    const log = LogInMemory.started();
    const entry = { trackerId: 'f'.repeat(64), publicKey: 'key', address: '127.0.0.1:1' };
    expect(verdict(log.asTracker('register_tracker', entry))).toBe('not_a_tracker');
  });

  it('rules are raised, never lowered', () => {
    const log = LogInMemory.started();
    expect(verdict(log.asTracker('activate_rules', { rulesVersion: NEWEST_RULES_VERSION }))).toBe('rules_unknown');
    expect(verdict(log.asTracker('activate_rules', { rulesVersion: NEWEST_RULES_VERSION + 1 }))).toBe('accepted');
    expect(log.state.rulesVersion).toBe(NEWEST_RULES_VERSION + 1);
  });

  it('a reset password ends every session of its user', () => {
    const log = given();
    expect(verdict(log.asTracker('reset_password', { user: 'nobody', commitment: COMMITMENT }))).toBe('user_not_found');
    expect(verdict(log.asTracker('reset_password', { user: 'bob', commitment: COMMITMENT }))).toBe('accepted');
    expect(log.state.sessions.has(peerOf('bob'))).toBe(false);
    expect(log.state.users.get('bob')?.credentialOffset).toBe(log.state.appliedOffset);
  });

  it.each([
    ['of everything before it', {}, 'accepted'],
    ['of less than that', { size: 1 }, 'accepted'],
    ['whose note is none, or not signed by that tracker', null, 'malformed_record'],
    ['of another log', { logId: 'f'.repeat(64) }, 'malformed_record'],
    ['of nothing', { size: 0 }, 'malformed_record'],
    ['of more than there was', { size: 3 }, 'malformed_record'],
  ])('a checkpoint %s (%j) is %s', (_about, said, expected) => {
    const log = LogInMemory.started();
    expect(verdict(log.checkpoint(said))).toBe(expected);
    expect([...log.state.checkpoints]).toEqual(expected === 'accepted' ? [[2, TRACKER_ID]] : []);
  });

  it('a checkpoint that lies too far back to be compared has expired', () => {
    const log = LogInMemory.started();
    log.state.appliedOffset += CHECKPOINT_WINDOW_RECORDS;
    expect(verdict(log.checkpoint({ size: 2 }))).toBe('accepted');
    expect(verdict(log.checkpoint({ size: 2 }))).toBe('command_expired');
  });

  it('an operator resolves a record that is a checkpoint, and no other', () => {
    const log = LogInMemory.started();
    log.checkpoint();
    log.checkpoint(null);
    const resolve = (offset: number): Applied => log.asTracker('resolve_checkpoint', { offset, counts: 'log' });
    for (const offset of [0, 1, 3, 99]) expect(verdict(resolve(offset))).toBe('checkpoint_not_found');
    expect(resolve(2)).toMatchObject({
      outcome: { status: 'accepted' },
      events: [{ type: 'checkpoint_resolved', offset: 2, trackerId: TRACKER_ID, counts: 'log' }],
    });
    expect(verdict(log.asTracker('resolve_checkpoint', { offset: 2, counts: 'me' as 'log' }))).toBe('malformed_record');
  });

  it('register under the id that signs', () => expect(LogInMemory.started().state.trackers.has(TRACKER_ID)).toBe(true));
});

describe('what follows from a command', () => {
  it('an accepted member may be accepted once: the second acceptance finds no request', () => {
    const log = given();
    log.as('alice', 'accept_request', { ...g, user: 'dave' });
    expect(verdict(log.as('alice', 'accept_request', { ...g, user: 'dave' }))).toBe('request_not_found');
  });

  it('who left is no member when leaving again', () => {
    const log = given();
    log.as('bob', 'leave_group', g);
    expect(verdict(log.as('bob', 'leave_group', g))).toBe('not_a_member');
  });

  it('the last member out dissolves the group, and its name is free', () => {
    const log = given();
    log.as('alice', 'transfer_ownership', { ...g, user: 'bob' });
    log.as('alice', 'leave_group', g);
    log.as('bob', 'leave_group', g);
    expect(log.state.groups.has('g')).toBe(false);
    expect(verdict(log.as('carol', 'create_group', g))).toBe('accepted');
  });

  it('a removed member takes its seeding along; a share without a seeder leaves the group', () => {
    const log = given();
    log.share('bob', 'g', 'f');
    log.share('bob', 'g', 'of-bob', OTHER_CONTENT_ID);
    const { events } = log.as('alice', 'remove_member', { ...g, user: 'bob' });
    expect(events.map((event) => event.type)).toEqual([
      'seeder_removed',
      'seeder_removed',
      'share_removed',
      'member_left',
    ]);
    const shares = log.state.groups.get('g')!.shares;
    expect([...shares.keys()]).toEqual(['f']);
    expect([...shares.get('f')!.seeders.values()]).toEqual(['alice']);
  });

  it('what a member seeds goes in the order of names and peers, in whatever order it came', () => {
    const log = given();
    const peers = ['f'.repeat(64), '0'.repeat(64)];
    const { credentialOffset } = log.state.users.get('bob')!;
    for (const peerId of peers) {
      log.append('login', { user: 'bob', credentialOffset }, { actor: { kind: 'peer', peerId, user: null } });
      for (const file of ['z', 'k']) {
        const actor = { kind: 'peer', peerId, user: 'bob' } as const;
        log.append('upload_file', { ...upload, file }, { actor });
      }
    }
    const { events } = log.as('bob', 'leave_group', g);
    const removed = events.flatMap((event) => (event.type === 'seeder_removed' ? [[event.file, event.peerId]] : []));
    expect(removed).toEqual(['k', 'z'].flatMap((file) => peers.toSorted().map((peerId) => [file, peerId])));
  });

  it('who shared a file may take it out of the group, and so may who owns the group', () => {
    const log = given();
    log.share('bob', 'g', 'of-bob', OTHER_CONTENT_ID);
    log.share('bob', 'g', 'too', OTHER_CONTENT_ID);
    expect(verdict(log.as('bob', 'stop_share', { ...g, file: 'of-bob', everywhere: true }))).toBe('accepted');
    expect(verdict(log.as('alice', 'stop_share', { ...g, file: 'too', everywhere: true }))).toBe('accepted');
    expect([...log.state.groups.get('g')!.shares.keys()]).toEqual(['f']);
  });

  it('who seeds already is told of the share again, and nothing changes', () => {
    const log = given();
    const again = log.as('alice', 'seed_file', { ...g, file: 'f', contentId: CONTENT_ID });
    expect(again.events).toEqual([]);
    expect(again.outcome).toMatchObject({ status: 'accepted', result: { share: { contentId: CONTENT_ID } } });
  });

  it('the same name with the same content makes the caller a seeder of the same share', () => {
    const log = given();
    const { outcome } = log.share('bob', 'g', 'f');
    const share = log.state.groups.get('g')!.shares.get('f')!;
    expect(outcome).toMatchObject({ status: 'accepted', result: { share: { shareId: share.id } } });
    expect([...share.seeders.values()].sort()).toEqual(['alice', 'bob']);
  });

  it('the last seeder to stop takes the share out and frees its name', () => {
    const log = given();
    log.as('alice', 'stop_share', { ...g, file: 'f', everywhere: false });
    expect(verdict(log.share('bob', 'g', 'f', OTHER_CONTENT_ID))).toBe('accepted');
  });

  it('a download that became a seed is a download no more', () => {
    const log = given();
    log.as('bob', 'download_file', { ...g, file: 'f' });
    const share = log.state.groups.get('g')!.shares.get('f')!;
    expect([...share.downloaders!.values()]).toEqual(['bob']);
    log.as('bob', 'seed_file', { ...g, file: 'f', contentId: CONTENT_ID });
    expect(share.downloaders).toBeNull();
  });

  it('a member who leaves may fetch nothing any more, and the others may', () => {
    const log = given();
    log.as('alice', 'accept_request', { ...g, user: 'dave' });
    for (const user of ['bob', 'dave']) log.as(user, 'download_file', { ...g, file: 'f' });
    log.as('bob', 'leave_group', g);
    expect([...log.state.groups.get('g')!.shares.get('f')!.downloaders!.values()]).toEqual(['dave']);
  });

  it('a login names its session, a new group itself, each by the offset that made it', () => {
    const log = given();
    const login = log.as('eve', 'login', {
      user: 'eve',
      credentialOffset: log.state.users.get('eve')!.credentialOffset,
    });
    const sessionId = log.state.sessions.get(peerOf('eve'))!.id;
    expect(login.outcome).toEqual({ status: 'accepted', result: { sessionId } });
    const created = log.as('eve', 'create_group', { group: 'h' });
    expect(created.outcome).toEqual({ status: 'accepted', result: { groupId: log.state.groups.get('h')!.id } });
  });

  it('a changed password ends the other sessions of its user and not this one', () => {
    const log = given();
    const credentialOffset = log.state.users.get('bob')!.credentialOffset;
    log.append(
      'login',
      { user: 'bob', credentialOffset },
      { actor: { kind: 'peer', peerId: '1'.repeat(64), user: null } },
    );
    log.as('bob', 'change_password', { credentialOffset, commitment: COMMITMENT });
    expect([...log.state.sessions.values()].filter(({ user }) => user === 'bob').map(({ peerId }) => peerId)).toEqual([
      peerOf('bob'),
    ]);
  });

  it('sessions end in the order of their peer ids, in whatever order they began', () => {
    const log = given();
    const credentialOffset = log.state.users.get('bob')!.credentialOffset;
    for (const peerId of ['f'.repeat(64), '0'.repeat(64)]) {
      log.append('login', { user: 'bob', credentialOffset }, { actor: { kind: 'peer', peerId, user: null } });
    }
    const { events } = log.asTracker('reset_password', { user: 'bob', commitment: COMMITMENT });
    const ended = events.flatMap((event) => (event.type === 'session_ended' ? [event.peerId] : []));
    expect(ended).toEqual(['0'.repeat(64), peerOf('bob'), 'f'.repeat(64)]);
  });
});
