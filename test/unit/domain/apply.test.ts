import fc from 'fast-check';
import { expect, it } from 'vitest';
import { apply, OUTCOME_WINDOW_RECORDS } from '#domain/apply';
import { emptyState } from '#domain/state';
import type { Actor } from '#domain/record';
import { COMMITMENT, CONTENT_ID, LogInMemory, peerOf, TRACKER_ID, verdict } from './log-of.ts';
import { plainState } from './plain-state.ts';

const alice = (log: LogInMemory): Actor => {
  const peerId = peerOf('alice');
  return { kind: 'peer', peerId, user: log.state.sessions.get(peerId)?.user ?? null };
};

it('a repeated command id returns its first outcome and offset, and changes nothing', () => {
  const log = LogInMemory.started();
  log.signUp('alice');
  const id = log.nextId();
  const first = log.append('create_group', { group: 'g' }, { actor: alice(log), id });
  log.as('alice', 'leave_group', { group: 'g' });
  const again = log.append('create_group', { group: 'g' }, { actor: alice(log), id });
  expect(again).toEqual({ outcome: first.outcome, outcomeOffset: first.outcomeOffset, events: [] });
  expect(log.state.groups.size).toBe(0);
});

it('a repeated refusal stays refused, also when the command would be accepted by now', () => {
  const log = LogInMemory.started();
  log.signUp('alice');
  const id = log.nextId();
  log.append('leave_group', { group: 'g' }, { actor: alice(log), id });
  log.as('alice', 'create_group', { group: 'g' });
  expect(verdict(log.append('leave_group', { group: 'g' }, { actor: alice(log), id }))).toBe('group_not_found');
});

it('one id with another content is refused, and stamps and secrets are no content', () => {
  const log = LogInMemory.started();
  const actor: Actor = { kind: 'peer', peerId: peerOf('alice'), user: null };
  const id = log.nextId();
  const first = log.append('create_user', { user: 'alice', commitment: COMMITMENT }, { actor, id });
  const restamped = log.append('create_user', { user: 'alice', commitment: 'f'.repeat(64) }, { actor, id });
  expect(restamped.outcomeOffset).toBe(first.outcomeOffset);
  expect(verdict(log.append('create_user', { user: 'bob', commitment: COMMITMENT }, { actor, id }))).toBe(
    'idempotency_key_reused',
  );
});

it('the same id of two users is two commands', () => {
  const log = LogInMemory.started();
  log.signUp('alice', 'bob');
  const id = log.nextId();
  log.append('create_group', { group: 'a' }, { actor: { kind: 'peer', peerId: peerOf('alice'), user: 'alice' }, id });
  log.append('create_group', { group: 'b' }, { actor: { kind: 'peer', peerId: peerOf('bob'), user: 'bob' }, id });
  expect([...log.state.groups.keys()]).toEqual(['a', 'b']);
});

it('a command too far behind the log is refused, and outcomes are forgotten by position', () => {
  const log = LogInMemory.started();
  log.signUp('alice');
  const remembered = log.state.outcomes.size;
  expect(remembered).toBeGreaterThan(0);
  // As if a million records had passed without one in between.
  log.state.appliedOffset += OUTCOME_WINDOW_RECORDS + 1;
  expect(verdict(log.append('create_group', { group: 'g' }, { actor: alice(log), seenOffset: 3 }))).toBe(
    'command_expired',
  );
  expect(log.state.outcomes.size).toBe(0);
  expect(verdict(log.append('create_group', { group: 'g' }, { actor: alice(log) }))).toBe('accepted');
});

it('a sender may be a million records behind, and no more', () => {
  const log = LogInMemory.started();
  log.signUp('alice');
  log.state.appliedOffset += OUTCOME_WINDOW_RECORDS;
  const nextOffset = log.state.appliedOffset + 1;
  const seenBy = (seenOffset: number, group: string): string =>
    verdict(log.append('create_group', { group }, { actor: alice(log), seenOffset }));
  expect(seenBy(nextOffset - OUTCOME_WINDOW_RECORDS, 'g')).toBe('accepted');
  expect(seenBy(nextOffset - OUTCOME_WINDOW_RECORDS, 'h')).toBe('command_expired');
});

it('an outcome is remembered for a million records, and with it who may ask for it', () => {
  const log = LogInMemory.started();
  log.signUp('alice');
  const offset = log.state.appliedOffset;
  expect([...log.state.outcomes.values()].map(({ peerId }) => peerId)).toEqual([
    null,
    null,
    peerOf('alice'),
    peerOf('alice'),
  ]);
  log.state.appliedOffset = offset + OUTCOME_WINDOW_RECORDS - 1;
  log.as('bob', 'logout', {});
  expect([...log.state.outcomes.values()].map((remembered) => remembered.offset)).toEqual([
    offset,
    offset + OUTCOME_WINDOW_RECORDS,
  ]);
});

it('bytes that are no record take an offset and change nothing else', () => {
  const log = LogInMemory.started();
  const offset = log.state.appliedOffset + 1;
  expect(verdict(apply(log.state, { offset, record: null, signer: null, checkpoint: null }))).toBe('malformed_record');
  expect(log.state.appliedOffset).toBe(offset);
});

it('a record with unknown, missing or malformed fields is malformed', () => {
  const log = LogInMemory.started();
  log.signUp('alice');
  for (const data of [{}, { group: '' }, { group: '../g' }, { group: 'g', more: 1 }, { group: 7 }, [], null, 'g']) {
    expect(verdict(log.append('create_group', data as never, { actor: alice(log) })), JSON.stringify(data)).toBe(
      'malformed_record',
    );
  }
});

it('a gap in the offsets is a bug, not a state', () => {
  const { state } = LogInMemory.started();
  expect(() => apply(state, { offset: state.appliedOffset + 2, record: null, signer: null, checkpoint: null })).toThrow(
    'cannot be applied',
  );
});

it('log time never runs back', () => {
  const log = LogInMemory.started();
  log.append('logout', {}, { actor: alice(log), timeMs: 9_000 });
  log.append('logout', {}, { actor: alice(log), timeMs: 5_000 });
  expect(log.state.logTimeMs).toBe(9_000);
});

const users = fc.constantFrom('alice', 'bob', 'carol');
const groups = fc.constantFrom('g', 'h');
const step = fc.oneof(
  fc.record({ by: users, name: fc.constant('create_group'), data: fc.record({ group: groups }) }),
  fc.record({ by: users, name: fc.constant('join_group'), data: fc.record({ group: groups }) }),
  fc.record({ by: users, name: fc.constant('leave_group'), data: fc.record({ group: groups }) }),
  fc.record({ by: users, name: fc.constant('logout'), data: fc.constant({}) }),
  ...(['accept_request', 'reject_request', 'remove_member', 'transfer_ownership'] as const).map((name) =>
    fc.record({ by: users, name: fc.constant(name), data: fc.record({ group: groups, user: users }) }),
  ),
  fc.record({
    by: users,
    name: fc.constantFrom('seed_file', 'upload_file'),
    data: fc.record({ group: groups, file: fc.constantFrom('f', 'k') }),
  }),
  fc.record({
    by: users,
    name: fc.constant('stop_share'),
    data: fc.record({ group: groups, file: fc.constantFrom('f', 'k'), everywhere: fc.boolean() }),
  }),
);

it('whatever commands come, groups keep an owner who is a member, and shares keep a seeder who is one', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const log = LogInMemory.started();
      log.signUp('alice', 'bob', 'carol');
      for (const { by, name, data } of steps) {
        if (name === 'upload_file') log.share(by, data.group, (data as { file: string }).file);
        else if (name === 'seed_file')
          log.as(by, name, { ...(data as { group: string; file: string }), contentId: CONTENT_ID });
        else log.as(by, name as 'logout', data as never);
        for (const group of log.state.groups.values()) {
          expect(group.members.has(group.owner)).toBe(true);
          for (const asker of group.requests.keys()) expect(group.members.has(asker)).toBe(false);
          for (const share of group.shares.values()) {
            expect(share.seeders.size).toBeGreaterThan(0);
            for (const user of share.seeders.values()) expect(group.members.has(user)).toBe(true);
          }
        }
      }
      const replayed = emptyState();
      log.records.forEach((record, offset) =>
        apply(replayed, {
          ...{ offset, record, checkpoint: null },
          signer: record.actor.kind === 'tracker' ? TRACKER_ID : null,
        }),
      );
      expect(plainState(replayed)).toEqual(plainState(log.state));
    }),
    { numRuns: 150 },
  );
});
