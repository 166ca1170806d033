import { expect, it } from 'vitest';
import { listFiles, listGroups, listMembers, listRequests, listSessions } from '#domain/views';
import { LogInMemory, OTHER_CONTENT_ID, peerOf } from './log-of.ts';

function given(): LogInMemory {
  const log = LogInMemory.started();
  log.signUp('alice', 'bob', 'carol', 'dave');
  log.group('b-group', 'alice', 'bob');
  log.group('a-group', 'bob');
  log.as('dave', 'join_group', { group: 'b-group' });
  log.share('alice', 'b-group', 'z');
  log.share('alice', 'b-group', 'a', OTHER_CONTENT_ID);
  return log;
}

it('groups are listed by name with the standing of whoever asks', () => {
  const { state } = given();
  expect(listGroups(state, 'bob')).toEqual([
    { group: 'a-group', owner: 'bob', membership: 'owner', copies: 0 },
    { group: 'b-group', owner: 'alice', membership: 'member', copies: 0 },
  ]);
  expect(listGroups(state, 'dave').map(({ membership }) => membership)).toEqual(['none', 'pending']);
});

it('how many copies a group wants is for its members', () => {
  const { state } = given();
  state.groups.get('b-group')!.copies = 3;
  const wishes = (user: string): number[] => listGroups(state, user).map(({ copies }) => copies);
  expect([wishes('bob'), wishes('dave')]).toEqual([
    [0, 3],
    [0, 0],
  ]);
});

it('members and files are for members only', () => {
  const { state } = given();
  for (const view of [listMembers, listFiles]) {
    expect(view(state, 'none', 'bob')).toBe('group_not_found');
    expect(view(state, 'b-group', 'carol')).toBe('not_a_member');
    expect(view(state, 'b-group', 'dave')).toBe('request_pending');
  }
  expect(listMembers(state, 'b-group', 'bob')).toMatchObject([
    { user: 'alice', role: 'owner' },
    { user: 'bob', role: 'member' },
  ]);
  expect(listFiles(state, 'b-group', 'bob')).toMatchObject([{ file: 'a' }, { file: 'z' }]);
});

it('requests are for the owner only', () => {
  const { state } = given();
  expect(listRequests(state, 'b-group', 'carol')).toBe('not_a_member');
  expect(listRequests(state, 'b-group', 'bob')).toBe('not_group_owner');
  expect(listRequests(state, 'b-group', 'alice')).toMatchObject([{ user: 'dave' }]);
});

it('members and requests are told since when they are', () => {
  const { state } = given();
  expect(listMembers(state, 'b-group', 'bob')).toEqual([
    { user: 'alice', role: 'owner', sinceMs: 1_010 },
    { user: 'bob', role: 'member', sinceMs: 1_012 },
  ]);
  expect(listRequests(state, 'b-group', 'alice')).toEqual([{ user: 'dave', sinceMs: 1_014 }]);
  expect(state.groups.get('b-group')!.members.get('bob')).toEqual({ sinceOffset: 12, sinceMs: 1_012 });
});

it('sessions are listed oldest first, of the user alone', () => {
  const log = given();
  const { state } = log;
  expect(listSessions(state, 'bob')).toMatchObject([{ peerId: peerOf('bob') }]);
  const { credentialOffset } = state.users.get('bob')!;
  const actor = { kind: 'peer', peerId: '0'.repeat(64), user: null } as const;
  log.append('login', { user: 'bob', credentialOffset }, { actor });
  const reversed = { ...state, sessions: new Map([...state.sessions].toReversed()) };
  expect(listSessions(reversed, 'bob').map(({ peerId }) => peerId)).toEqual([peerOf('bob'), '0'.repeat(64)]);
});
