// Owns every decision: what a command comes to in a state. Each decider is a ladder of guards in one order (session, group,
// membership, ownership, entity) that ends in events; it changes nothing and knows neither clock nor chance. Fields of events and
// results are written in the order of their names, in which they are hashed.
import { type Checkpoint, CHECKPOINT_WINDOW_RECORDS } from './checkpoint.ts';
import {
  type Command,
  type CommandData,
  type CommandName,
  COMMANDS,
  type FileData,
  type UploadFileData,
  VERSIONS_RULES_VERSION,
} from './command.ts';
import type { Event } from './event.ts';
import type { CommandResult, SharedContent } from './outcome.ts';
import type { Actor } from './record.ts';
import type { RejectionReason } from './rejection.ts';
import { nextVersionOf, sharerOf, versionOf, versionsOf } from './share-versions.ts';
import type { Group, Share, State } from './state.ts';
import { readableGroup } from './views.ts';

/** The newest rules version that this build knows. */
export const NEWEST_RULES_VERSION = 3;

/** A refusal's reason, or the events of an accepted command with what its sender is told. */
export type Decision = RejectionReason | { readonly events: readonly Event[]; readonly result: CommandResult };

/** Where a command stands in the log, and who sent it. */
export interface DecisionContext {
  readonly offset: number;
  readonly actor: Actor;
  /** The tracker whose signature on the record holds, or null. */
  readonly signer: string | null;
  /** What a checkpoint's note says when its signature by `signer` holds too, otherwise null. */
  readonly checkpoint: Checkpoint | null;
}

interface Caller {
  readonly user: string;
  readonly peerId: string;
}

type PeerCommand = 'create_user' | 'login';
type TrackerCommand =
  'genesis' | 'register_tracker' | 'checkpoint' | 'activate_rules' | 'resolve_checkpoint' | 'reset_password';
type SessionCommand = Exclude<CommandName, PeerCommand | TrackerCommand>;

type TrackerDecider<Name extends CommandName> = (state: State, data: CommandData[Name], at: TrackerContext) => Decision;
type PeerDecider<Name extends CommandName> = (state: State, data: CommandData[Name], at: PeerContext) => Decision;
type SessionDecider<Name extends CommandName> = (state: State, data: CommandData[Name], at: SessionContext) => Decision;

type TrackerContext = Pick<DecisionContext, 'checkpoint'> & { readonly signer: string };
type SessionContext = Caller & Pick<DecisionContext, 'offset'>;
type PeerContext = Omit<SessionContext, 'user'>;

/** Decides one command whose shape has been checked. */
export function decide(state: State, command: Command, context: DecisionContext): Decision {
  const { actor, offset } = context;
  const { sender } = COMMANDS[command.name];
  if (sender === 'tracker') return decideForTracker(state, command, context);
  if (actor.kind !== 'peer') return 'not_logged_in';
  const { peerId } = actor;
  if (sender === 'peer') {
    const decider = peerDeciders[command.name as PeerCommand] as PeerDecider<PeerCommand>;
    return decider(state, command.data as never, { peerId, offset });
  }
  const session = state.sessions.get(peerId);
  if (session === undefined || session.user !== actor.user) return 'not_logged_in';
  const decider = sessionDeciders[command.name as SessionCommand] as SessionDecider<SessionCommand>;
  // The session's own texts: those of the record would be kept once more by whatever comes of it.
  return decider(state, command.data as never, { user: session.user, peerId: session.peerId, offset });
}

function decideForTracker(state: State, command: Command, { actor, signer, checkpoint }: DecisionContext): Decision {
  if (actor.kind !== 'tracker' || actor.trackerId !== signer) return 'not_a_tracker';
  const introducesItself = command.name === 'genesis' || command.name === 'register_tracker';
  if (!introducesItself && !state.trackers.has(signer)) return 'not_a_tracker';
  return (trackerDeciders[command.name as TrackerCommand] as TrackerDecider<TrackerCommand>)(
    state,
    command.data as never,
    { signer, checkpoint },
  );
}

const trackerDeciders: { [Name in TrackerCommand]: TrackerDecider<Name> } = {
  genesis: (state, { logId, rulesVersion }) => {
    if (state.logId !== null) return 'log_already_started';
    // One that is newer than this build is no refusal, or builds would differ about it: who reads it stops.
    if (rulesVersion < 1) return 'rules_unknown';
    return accepted({ logId, rulesVersion, type: 'log_started' });
  },
  register_tracker: (_state, { trackerId, publicKey, address }, { signer }) => {
    if (trackerId !== signer) return 'not_a_tracker';
    return accepted({ address, publicKey, trackerId, type: 'tracker_registered' });
  },
  checkpoint: (state, _data, { signer, checkpoint }) => {
    // Its own offset is the number of records before it: nobody can have applied more when it was signed.
    const offset = state.appliedOffset;
    if (checkpoint === null || checkpoint.logId !== state.logId) return 'malformed_record';
    if (checkpoint.size < 1 || checkpoint.size > offset) return 'malformed_record';
    if (checkpoint.size < offset - CHECKPOINT_WINDOW_RECORDS) return 'command_expired';
    const { build, digest, logId, root, rulesVersion, size } = checkpoint;
    return accepted({ build, digest, logId, root, rulesVersion, size, trackerId: signer, type: 'checkpoint_recorded' });
  },
  activate_rules: (state, { rulesVersion }) => {
    if (rulesVersion <= state.rulesVersion) return 'rules_unknown';
    return accepted({ rulesVersion, type: 'rules_activated' });
  },
  resolve_checkpoint: (state, { offset, counts }) => {
    const trackerId = state.checkpoints.get(offset);
    if (trackerId === undefined) return 'checkpoint_not_found';
    return accepted({ counts, offset, trackerId, type: 'checkpoint_resolved' });
  },
  reset_password: (state, { user, commitment }) => {
    if (!state.users.has(user)) return 'user_not_found';
    const ended = endedSessions(state, user, null);
    return accepted({ commitment, type: 'password_changed', user }, ...ended);
  },
};

const peerDeciders: { [Name in PeerCommand]: PeerDecider<Name> } = {
  create_user: (state, { user, commitment }) => {
    if (state.users.has(user)) return 'user_exists';
    return accepted({ commitment, type: 'user_created', user });
  },
  login: (state, { user, credentialOffset }, { peerId, offset }) => {
    const known = state.users.get(user);
    if (known === undefined) return 'wrong_credentials';
    if (known.credentialOffset !== credentialOffset) return 'credential_changed';
    if (state.sessions.has(peerId)) return 'already_logged_in';
    return { events: [{ peerId, type: 'session_started', user }], result: { sessionId: offset } };
  },
};

const sessionDeciders: { [Name in SessionCommand]: SessionDecider<Name> } = {
  logout: (_state, _data, { user, peerId }) => accepted({ peerId, type: 'session_ended', user }),
  renew_session: (_state, _data, { user, peerId }) => accepted({ peerId, type: 'session_renewed', user }),
  end_session: (state, { peerId }, { user }) => {
    if (state.sessions.get(peerId)?.user !== user) return 'session_not_found';
    return accepted({ peerId, type: 'session_ended', user });
  },
  change_password: (state, { credentialOffset, commitment }, { user, peerId }) => {
    if (state.users.get(user)!.credentialOffset !== credentialOffset) return 'credential_changed';
    // Whoever knew the old password loses it everywhere but here.
    return accepted({ commitment, type: 'password_changed', user }, ...endedSessions(state, user, peerId));
  },
  create_group: (state, { group }, { user, offset }) => {
    if (state.groups.has(group)) return 'group_exists';
    return { events: [{ group, owner: user, type: 'group_created' }], result: { groupId: offset } };
  },
  join_group: (state, { group }, { user }) => {
    const found = state.groups.get(group);
    if (found === undefined) return 'group_not_found';
    if (found.members.has(user)) return 'already_member';
    if (found.requests.has(user)) return 'already_requested';
    return accepted({ group, type: 'join_requested', user });
  },
  leave_group: (state, { group }, { user }) => {
    const found = readableGroup(state, group, user);
    if (typeof found === 'string') return found;
    if (found.owner === user && found.members.size > 1) return 'owner_must_hand_over';
    return accepted(...departure(found, user));
  },
  accept_request: (state, { group, user }, caller) => {
    const found = groupOfOwner(state, group, caller.user);
    if (typeof found === 'string') return found;
    if (!found.requests.has(user)) return missingRequest(state, user);
    return accepted({ group, type: 'member_joined', user });
  },
  reject_request: (state, { group, user }, caller) => {
    const found = groupOfOwner(state, group, caller.user);
    if (typeof found === 'string') return found;
    if (!found.requests.has(user)) return missingRequest(state, user);
    return accepted({ group, type: 'request_rejected', user });
  },
  remove_member: (state, { group, user }, caller) => {
    const found = groupOfOwner(state, group, caller.user);
    if (typeof found === 'string') return found;
    if (!found.members.has(user)) return 'user_not_found';
    if (user === found.owner) return 'owner_must_hand_over';
    return accepted(...departure(found, user));
  },
  transfer_ownership: (state, { group, user }, caller) => {
    const found = groupOfOwner(state, group, caller.user);
    if (typeof found === 'string') return found;
    if (!found.members.has(user)) return 'user_not_found';
    return accepted({ group, type: 'ownership_transferred', user });
  },
  set_copies: (state, { group, copies }, caller) => {
    const found = groupOfOwner(state, group, caller.user);
    if (typeof found === 'string') return found;
    return accepted({ copies, group, type: 'copies_set' });
  },
  upload_file: (state, data, caller) => {
    const group = readableGroup(state, data.group, caller.user);
    if (typeof group === 'string') return group;
    const newest = group.shares.get(data.file);
    if (newest === undefined) {
      return data.replaces === undefined ? publishing(state, data, { group, caller, version: 1 }) : 'file_not_found';
    }
    if (newest.contentId === data.contentId) return seeding(state, { group, share: newest }, caller);
    if (data.replaces === undefined) return 'file_exists';
    if (sharerOf(newest) !== caller.user && group.owner !== caller.user) return 'not_share_owner';
    // Of two who replace the same version the second is told, and nobody's work is hidden behind another's unseen.
    if (newest.version !== data.replaces) return 'version_changed';
    return publishing(state, data, { group, caller, version: nextVersionOf(newest) });
  },
  download_file: (state, data, { user, peerId }) => {
    const found = shareForMember(state, data, user);
    if (typeof found === 'string') return found;
    const { group, share } = found;
    const event: Event = {
      file: share.file,
      group: group.name,
      peerId,
      shareId: share.id,
      type: 'download_allowed',
      user,
      ...laterVersion(share),
    };
    return { events: [event], result: { share: sharedContent(state, group, share) } };
  },
  seed_file: (state, data, caller) => {
    const found = versionsForMember(state, data, caller.user);
    if (typeof found === 'string') return found;
    // A download may come to its end when its version is not the newest any more.
    const share = found.versions.find(({ contentId }) => contentId === data.contentId);
    return share === undefined ? 'file_not_found' : seeding(state, { group: found.group, share }, caller);
  },
  stop_share: (state, data, { user, peerId }) => {
    const found = versionsForMember(state, data, user);
    if (typeof found === 'string') return found;
    const { group, versions } = found;
    const oldestFirst = versions.toReversed();
    if (data.everywhere) {
      if (!oldestFirst.every((share) => mayRemove(group, share, user))) return 'not_share_owner';
      return accepted(...oldestFirst.map((share) => removal(group, share)));
    }
    const own = oldestFirst.filter(({ seeders }) => seeders.get(peerId) === user);
    if (own.length === 0) return 'file_not_found';
    return accepted(...own.flatMap((share) => withoutSeeders(group, share, [peerId])));
  },
};

/** What most senders are told beside the offset: one for all, because outcomes are kept. */
const NOTHING: CommandResult = {};

function accepted(...events: readonly Event[]): Decision {
  return { events, result: NOTHING };
}

function groupOfOwner(state: State, name: string, user: string): Group | RejectionReason {
  const group = readableGroup(state, name, user);
  if (typeof group === 'string') return group;
  return group.owner === user ? group : 'not_group_owner';
}

/** The version that is meant, or the newest. */
function shareForMember(state: State, data: FileData, user: string): { group: Group; share: Share } | RejectionReason {
  const found = versionsForMember(state, data, user);
  return typeof found === 'string' ? found : { group: found.group, share: found.versions[0]! };
}

/** The version that is meant, or all of them, the newest first. */
function versionsForMember(
  state: State,
  { group: name, file, version }: FileData,
  user: string,
): { group: Group; versions: readonly Share[] } | RejectionReason {
  const group = readableGroup(state, name, user);
  if (typeof group === 'string') return group;
  if (!group.shares.has(file)) return 'file_not_found';
  if (version === undefined) return { group, versions: versionsOf(group, file) };
  const share = versionOf(group, file, version);
  return share === undefined ? 'version_not_found' : { group, versions: [share] };
}

/** Content under a name, as the version of that number. */
function publishing(
  state: State,
  data: UploadFileData,
  { group, caller, version }: { group: Group; caller: SessionContext; version: number },
): Decision {
  const { contentId, file, hash, pieceBytes, pieceCount, totalBytes } = data;
  const { user, peerId, offset } = caller;
  const share = sharedContent(state, group, { ...data, id: offset, version });
  const shared = {
    contentId,
    file,
    group: group.name,
    hash,
    peerId,
    pieceBytes,
    pieceCount,
    totalBytes,
  };
  const event: Event =
    version === 1 ? { ...shared, type: 'file_shared', user } : { ...shared, type: 'version_shared', user, version };
  return { events: [event], result: { share } };
}

/** Who shared the file first, who published this version, and the group's owner may. */
function mayRemove(group: Group, share: Share, user: string): boolean {
  return share.sharedBy === user || group.owner === user || sharerOf(group.shares.get(share.file)!) === user;
}

/** The number of a version, where it is not the first. */
function laterVersion({ version }: Share): { version?: number } {
  return version === 1 ? {} : { version };
}

function removal(group: Group, share: Share): Event {
  const { file, id } = share;
  return { file, group: group.name, shareId: id, type: 'share_removed', ...laterVersion(share) };
}

function missingRequest(state: State, user: string): RejectionReason {
  return state.users.has(user) ? 'request_not_found' : 'user_not_found';
}

function seeding(state: State, { group, share }: { group: Group; share: Share }, { user, peerId }: Caller): Decision {
  const isRecorded = share.seeders.get(peerId) === user;
  const { file } = share;
  const event: Event = { file, group: group.name, peerId, type: 'seeder_added', user, ...laterVersion(share) };
  return { events: isRecorded ? [] : [event], result: { share: sharedContent(state, group, share) } };
}

type DescribedShare = Pick<Share, 'id' | 'contentId' | 'totalBytes' | 'pieceBytes' | 'pieceCount' | 'hash' | 'version'>;

/** What a peer is told of a share that it may fetch or seed. */
export function sharedContent({ rulesVersion }: State, group: Group, share: DescribedShare): SharedContent {
  const { contentId, totalBytes, pieceBytes, pieceCount, hash, version } = share;
  const content = { contentId, groupId: group.id, hash, pieceBytes, pieceCount, shareId: share.id, totalBytes };
  return rulesVersion < VERSIONS_RULES_VERSION ? content : { ...content, version };
}

/** In the order of peer ids: the order in which a replica happens to hold its sessions must not reach its digest. */
function endedSessions(state: State, user: string, exceptPeerId: string | null): Event[] {
  const peerIds = [...state.sessions.values()]
    .filter((session) => session.user === user && session.peerId !== exceptPeerId)
    .map(({ peerId }) => peerId);
  return peerIds.sort().map((peerId) => ({ peerId, type: 'session_ended', user }));
}

/** A member goes: first what the member seeds, then the membership, and with the last member the group. */
function departure(group: Group, user: string): Event[] {
  const events: Event[] = [];
  for (const name of [...group.shares.keys()].sort()) {
    for (const share of versionsOf(group, name).toReversed()) {
      const own = [...share.seeders].filter(([, seeder]) => seeder === user).map(([peerId]) => peerId);
      events.push(...withoutSeeders(group, share, own.sort()));
    }
  }
  events.push({ group: group.name, groupId: group.id, type: 'member_left', user });
  if (group.members.size === 1) events.push({ group: group.name, groupId: group.id, type: 'group_dissolved' });
  return events;
}

function withoutSeeders(group: Group, share: Share, peerIds: readonly string[]): Event[] {
  const [file, shareId] = [share.file, share.id];
  const events: Event[] = peerIds.map((peerId) => ({
    file,
    group: group.name,
    peerId,
    shareId,
    type: 'seeder_removed',
    user: share.seeders.get(peerId)!,
    ...laterVersion(share),
  }));
  if (share.seeders.size === peerIds.length) events.push(removal(group, share));
  return events;
}
