// Owns what a user may read of the state. The guards are those of the commands, and every list is sorted by code unit, so
// that two trackers page alike.
import type { RejectionReason } from './rejection.ts';
import { sessionExpiresAtMs } from './session-term.ts';
import { versionsOf } from './share-versions.ts';
import type { Group, Share, State } from './state.ts';

/** A group as anybody who is logged in sees it. */
export interface GroupView {
  readonly group: string;
  readonly owner: string;
  readonly membership: 'owner' | 'member' | 'pending' | 'none';
  /** How many complete copies of each file the group wants; 0 for no wish, and for who is no member. */
  readonly copies: number;
}

/** A member as the other members see it. */
export interface MemberView {
  readonly user: string;
  readonly role: 'owner' | 'member';
  readonly sinceMs: number;
}

/** Somebody who asks to join, as the owner sees it. */
export interface RequestView {
  readonly user: string;
  readonly sinceMs: number;
}

/** A session as its own user sees it. */
export interface SessionView {
  readonly sessionId: number;
  readonly peerId: string;
  readonly startedAtMs: number;
  /** When it ends unless its peer renews it; null under rules without expiry. */
  readonly expiresAtMs: number | null;
}

/** Every group with the caller's standing in it. */
export function listGroups(state: State, user: string): GroupView[] {
  return sortedKeys(state.groups).map((name) => {
    const group = state.groups.get(name)!;
    const copies = group.members.has(user) ? group.copies : 0;
    return { group: name, owner: group.owner, membership: membershipOf(group, user), copies };
  });
}

/** The members of a group, for its members. */
export function listMembers(state: State, name: string, user: string): MemberView[] | RejectionReason {
  const group = readableGroup(state, name, user);
  if (typeof group === 'string') return group;
  return sortedKeys(group.members).map((member) => ({
    user: member,
    role: member === group.owner ? 'owner' : 'member',
    sinceMs: group.members.get(member)!.sinceMs,
  }));
}

/** The open requests to join a group, for its owner. */
export function listRequests(state: State, name: string, user: string): RequestView[] | RejectionReason {
  const group = readableGroup(state, name, user);
  if (typeof group === 'string') return group;
  if (group.owner !== user) return 'not_group_owner';
  return sortedKeys(group.requests).map((asker) => ({ user: asker, sinceMs: group.requests.get(asker)!.sinceMs }));
}

/** The newest version of each file of a group, for its members. */
export function listFiles(state: State, name: string, user: string): Share[] | RejectionReason {
  const group = readableGroup(state, name, user);
  if (typeof group === 'string') return group;
  return sortedKeys(group.shares).map((file) => group.shares.get(file)!);
}

/** All versions of the files of a group, for its members: of each file the newest first. */
export function listVersions(state: State, name: string, user: string): Share[] | RejectionReason {
  const group = readableGroup(state, name, user);
  if (typeof group === 'string') return group;
  return sortedKeys(group.shares).flatMap((file) => versionsOf(group, file));
}

/** The sessions of a user, oldest first. */
export function listSessions(state: State, user: string): SessionView[] {
  return [...state.sessions.values()]
    .filter((session) => session.user === user)
    .map((session) => {
      const { id, peerId, startedAtMs } = session;
      return { sessionId: id, peerId, startedAtMs, expiresAtMs: sessionExpiresAtMs(state, session) };
    })
    .sort((left, right) => left.sessionId - right.sessionId);
}

function membershipOf(group: Group, user: string): GroupView['membership'] {
  if (group.owner === user) return 'owner';
  if (group.members.has(user)) return 'member';
  return group.requests.has(user) ? 'pending' : 'none';
}

/** The group, when the user may read inside it. */
export function readableGroup(state: State, name: string, user: string): Group | RejectionReason {
  const group = state.groups.get(name);
  if (group === undefined) return 'group_not_found';
  if (group.members.has(user)) return group;
  return group.requests.has(user) ? 'request_pending' : 'not_a_member';
}

function sortedKeys(map: ReadonlyMap<string, unknown>): string[] {
  return [...map.keys()].sort();
}
