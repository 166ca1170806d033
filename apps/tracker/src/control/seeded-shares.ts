// Owns which shares a peer, or all peers of a user, are recorded as seeders of: what the groups of the user lose when these stop.
import type { RejectionReason } from '#domain/rejection';
import { versionOf, versionsOf } from '#domain/share-versions';
import type { Group, Share, State } from '#domain/state';
import { readableGroup } from '#domain/views';

/** A share with its group. */
export interface SeededShare {
  readonly group: Group;
  readonly share: Share;
}

/** Whose shares, and which of them: all, or those of a group, a file, a version. */
interface SeededShareQuery {
  readonly user: string;
  readonly peerId: string;
  readonly of: 'peer' | 'user';
  readonly group?: string | undefined;
  readonly file?: string | undefined;
  readonly version?: number | undefined;
}

/** The oldest first; a reason when there is no such group, file or version for the user. */
export function seededShares(state: State, query: SeededShareQuery): SeededShare[] | RejectionReason {
  const found = sharesNamed(state, query);
  if (typeof found === 'string') return found;
  const { user, peerId, of } = query;
  const isSeeded = ({ share: { seeders } }: SeededShare): boolean =>
    of === 'peer' ? seeders.get(peerId) === user : [...seeders.values()].includes(user);
  return found.filter(isSeeded).sort((left, right) => left.share.id - right.share.id);
}

function sharesNamed(state: State, { user, group: name, file, version }: SeededShareQuery) {
  if (name === undefined)
    return [...state.groups.values()].filter(({ members }) => members.has(user)).flatMap(sharesOf);
  const group = readableGroup(state, name, user);
  if (typeof group === 'string') return group;
  if (file === undefined) return sharesOf(group);
  const versions = versionsOf(group, file);
  if (versions.length === 0) return 'file_not_found';
  if (version === undefined) return versions.map((share) => ({ group, share }));
  const share = versionOf(group, file, version);
  return share === undefined ? 'version_not_found' : [{ group, share }];
}

function sharesOf(group: Group): SeededShare[] {
  return [...group.shares.keys()].flatMap((file) => versionsOf(group, file)).map((share) => ({ group, share }));
}
