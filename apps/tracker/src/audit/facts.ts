// Owns the state as a flat list of facts, each under a name of its own: what `audit state` shows, and what `audit diff`
// compares. Secrets and what commits to them are no facts of it.
import type { Event } from '#domain/event';
import { versionsOf } from '#domain/share-versions';
import type { Group, Share, State } from '#domain/state';
import { timeOf } from './place.ts';

/**
 * What a fact is about: `user alice`, `group film`, `member film/alice`, `file film/movie`, `seeder film/movie/<peer id>`; of a
 * later version of a file `file film/movie/2`, `seeder film/movie/2/<peer id>`.
 */
export interface Fact {
  readonly kind: 'rules' | 'tracker' | 'user' | 'session' | 'group' | 'member' | 'request' | 'file' | 'seeder';
  /** Unique among those of its kind, and made of names as people write them. */
  readonly name: string;
  readonly value: Readonly<Record<string, unknown>>;
}

/** Everything that a state says, sorted by kind and name. */
export function factsOf(state: State): Fact[] {
  const facts: Fact[] = [{ kind: 'rules', name: 'version', value: { version: state.rulesVersion } }];
  for (const { trackerId, address } of state.trackers.values()) {
    facts.push({ kind: 'tracker', name: trackerId, value: { address } });
  }
  for (const { name, createdOffset, credentialOffset } of state.users.values()) {
    facts.push({ kind: 'user', name, value: { createdOffset, passwordOffset: credentialOffset } });
  }
  for (const { id, user, peerId, startedAtMs, renewedAtMs } of state.sessions.values()) {
    const times = { startedAt: timeOf(startedAtMs), renewedAt: timeOf(renewedAtMs) };
    facts.push({ kind: 'session', name: peerId, value: { user, sessionId: id, ...times } });
  }
  for (const group of state.groups.values()) facts.push(...factsOfGroup(group));
  return facts.sort(byKindAndName);
}

/** What a state says of one group: itself, who is in it and asks to be, and its files. Sorted by kind and name. */
export function factsOfGroup(group: Group): Fact[] {
  const wish = group.copies > 0 ? { copies: group.copies } : {};
  const facts: Fact[] = [
    { kind: 'group', name: group.name, value: { owner: group.owner, groupId: group.id, ...wish } },
  ];
  for (const [user, { sinceOffset, sinceMs }] of group.members) {
    facts.push({ kind: 'member', name: `${group.name}/${user}`, value: { sinceOffset, since: timeOf(sinceMs) } });
  }
  for (const [user, { sinceOffset, sinceMs }] of group.requests) {
    facts.push({ kind: 'request', name: `${group.name}/${user}`, value: { sinceOffset, since: timeOf(sinceMs) } });
  }
  for (const file of group.shares.keys()) facts.push(...factsOfFile(group, file));
  return facts.sort(byKindAndName);
}

/** What a state says of all versions of one file of a group, and who has them. */
export function factsOfFile(group: Group, file: string): Fact[] {
  return versionsOf(group, file).flatMap((share) => factsOfShare(group, share));
}

function factsOfShare({ name: group }: Group, share: Share): Fact[] {
  const { id, contentId, totalBytes, sharedBy, sharedAtMs, version } = share;
  const later = version > 1 ? { version } : {};
  const value = { contentId, totalBytes, sharedBy, sharedAt: timeOf(sharedAtMs), shareId: id, ...later };
  const name = nameOfVersion({ group, ...share });
  const seeders = [...share.seeders].map(
    ([peerId, user]) => ({ kind: 'seeder', name: `${name}/${peerId}`, value: { user } }) as const,
  );
  return [{ kind: 'file', name, value }, ...seeders];
}

/** A version has its name for as long as it is there, whatever others come and go. */
function nameOfVersion({ group, file, version = 1 }: { group: string; file: string; version?: number }): string {
  return version === 1 ? `${group}/${file}` : `${group}/${file}/${version}`;
}

/**
 * Facts that an event changes or takes away: kind and name of one, or, with a slash or a space at the end, all that begin so, or,
 * with a slash and a star at the end, those of them without another slash.
 */
interface Touch {
  readonly facts: string;
  /** Whether they are gone after it. */
  readonly isEnd: boolean;
}

/** Which facts an event may change, and which it takes away. */
export function touchedBy(event: Event): readonly Touch[] {
  return [
    ...changedBy(event).map((facts) => ({ facts, isEnd: false })),
    ...endedBy(event).map((facts) => ({ facts, isEnd: true })),
  ];
}

function changedBy(event: Event): readonly string[] {
  switch (event.type) {
    case 'log_started':
      return ['rules version'];
    case 'rules_activated':
      // With version 2 those that there are count as renewed.
      return ['rules version', 'session '];
    case 'tracker_registered':
      return [`tracker ${event.trackerId}`];
    case 'user_created':
    case 'password_changed':
      return [`user ${event.user}`];
    case 'session_started':
    case 'session_renewed':
      return [`session ${event.peerId}`];
    case 'group_created':
      return [`group ${event.group}`, `member ${event.group}/${event.owner}`];
    case 'ownership_transferred':
    case 'copies_set':
      return [`group ${event.group}`];
    case 'join_requested':
      return [`request ${event.group}/${event.user}`];
    case 'member_joined':
      return [`member ${event.group}/${event.user}`];
    case 'file_shared':
    case 'version_shared':
      return [`file ${nameOfVersion(event)}`, `seeder ${nameOfVersion(event)}/${event.peerId}`];
    case 'seeder_added':
      return [`seeder ${nameOfVersion(event)}/${event.peerId}`];
    default:
      return [];
  }
}

function endedBy(event: Event): readonly string[] {
  switch (event.type) {
    case 'session_ended':
    case 'session_expired':
      return [`session ${event.peerId}`];
    case 'group_dissolved':
      return [`group ${event.group}`, ...wholeGroup(event.group)];
    case 'request_rejected':
    case 'member_joined':
      return [`request ${event.group}/${event.user}`];
    case 'member_left':
      return [`member ${event.group}/${event.user}`];
    case 'share_removed':
      return [`file ${nameOfVersion(event)}`, `seeder ${nameOfVersion(event)}/*`];
    case 'seeder_removed':
      return [`seeder ${nameOfVersion(event)}/${event.peerId}`];
    default:
      return [];
  }
}

/** Everything inside a group. */
function wholeGroup(group: string): string[] {
  return ['member', 'request', 'file', 'seeder'].map((kind) => `${kind} ${group}/`);
}

function byKindAndName(left: Fact, right: Fact): number {
  if (left.kind !== right.kind) return left.kind < right.kind ? -1 : 1;
  return left.name === right.name ? 0 : left.name < right.name ? -1 : 1;
}
