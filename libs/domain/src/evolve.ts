// Owns how an effect changes the state. It decides nothing: an event that does not fit is a bug and ends the process.
import type { Event } from './event.ts';
import { SESSION_EXPIRY_RULES_VERSION } from './session-term.ts';
import { SmallMap } from './small-map.ts';
import { addVersion, removeVersion, versionOf, versionsOf } from './share-versions.ts';
import type { Group, Session, Share, State } from './state.ts';

interface EventPosition {
  readonly offset: number;
}

/** Applies one event of the record at `offset`; the state's `logTimeMs` is that record's already. */
export function evolve(state: State, event: Event, { offset }: EventPosition): void {
  const membership = { sinceOffset: offset, sinceMs: state.logTimeMs };
  switch (event.type) {
    case 'log_started':
      state.logId = event.logId;
      state.rulesVersion = event.rulesVersion;
      return;
    case 'tracker_registered': {
      const { trackerId, publicKey, address } = event;
      state.trackers.set(trackerId, { trackerId, publicKey, address });
      return;
    }
    case 'checkpoint_recorded':
      state.checkpoints.set(offset, event.trackerId);
      return;
    case 'checkpoint_resolved':
      return;
    case 'rules_activated':
      if (state.rulesVersion < SESSION_EXPIRY_RULES_VERSION) renewAll(state);
      state.rulesVersion = event.rulesVersion;
      return;
    case 'user_created':
      state.users.set(event.user, {
        name: event.user,
        createdOffset: offset,
        credentialOffset: offset,
        commitment: event.commitment,
      });
      return;
    case 'password_changed': {
      const user = there(state.users.get(event.user));
      user.credentialOffset = offset;
      user.commitment = event.commitment;
      return;
    }
    case 'session_started':
      putSession(state, {
        id: offset,
        user: event.user,
        peerId: event.peerId,
        startedAtMs: state.logTimeMs,
        renewedAtMs: state.logTimeMs,
      });
      return;
    case 'session_renewed':
      putSession(state, { ...there(state.sessions.get(event.peerId)), renewedAtMs: state.logTimeMs });
      return;
    case 'session_ended':
    case 'session_expired':
      state.sessions.delete(event.peerId);
      return;
    case 'group_created':
      state.groups.set(event.group, {
        id: offset,
        name: event.group,
        owner: event.owner,
        copies: 0,
        members: new SmallMap([[event.owner, membership]]),
        requests: new SmallMap(),
        shares: new Map(),
      });
      return;
    case 'group_dissolved':
      state.groups.delete(event.group);
      return;
    case 'join_requested':
      groupOf(state, event).requests.set(event.user, membership);
      return;
    case 'request_rejected':
      groupOf(state, event).requests.delete(event.user);
      return;
    case 'member_joined': {
      const group = groupOf(state, event);
      group.requests.delete(event.user);
      group.members.set(event.user, membership);
      return;
    }
    case 'member_left':
      forgetMember(groupOf(state, event), event.user);
      return;
    case 'ownership_transferred':
      groupOf(state, event).owner = event.user;
      return;
    case 'copies_set':
      groupOf(state, event).copies = event.copies;
      return;
    case 'file_shared':
      groupOf(state, event).shares.set(event.file, newShare(state, event, { offset }));
      return;
    case 'version_shared':
      addVersion(groupOf(state, event), newShare(state, event, { offset }));
      return;
    case 'seeder_added': {
      const share = shareOf(state, event);
      share.seeders.set(event.peerId, event.user);
      forgetDownloader(share, event.peerId);
      return;
    }
    case 'seeder_removed':
      shareOf(state, event).seeders.delete(event.peerId);
      return;
    case 'share_removed':
      removeVersion(groupOf(state, event), shareOf(state, event));
      return;
    case 'download_allowed':
      addDownloader(shareOf(state, event), event);
      return;
  }
}

/** What was begun when nothing expired counts as renewed when that changes: nothing ends without having had its time. */
function renewAll(state: State): void {
  for (const session of state.sessions.values()) putSession(state, { ...session, renewedAtMs: state.logTimeMs });
}

function putSession(state: State, session: Session): void {
  state.sessions.set(session.peerId, session);
  state.sessionOrder.add(session);
}

function forgetMember(group: Group, user: string): void {
  group.members.delete(user);
  for (const share of [...group.shares.keys()].flatMap((file) => versionsOf(group, file))) {
    for (const [peerId, downloader] of share.downloaders ?? []) {
      if (downloader === user) forgetDownloader(share, peerId);
    }
  }
}

function newShare(
  state: State,
  event: Extract<Event, { type: 'file_shared' | 'version_shared' }>,
  { offset }: EventPosition,
): Share {
  const { file, contentId, totalBytes, pieceBytes, pieceCount, hash, user, peerId } = event;
  return {
    // Field by field: V8 gives what is spread into an object a second one beside it.
    id: offset,
    file,
    contentId,
    totalBytes,
    pieceBytes,
    pieceCount,
    hash,
    sharedBy: user,
    sharedAtMs: state.logTimeMs,
    seeders: new SmallMap([[peerId, user]]),
    downloaders: null,
    version: event.type === 'version_shared' ? event.version : 1,
    history: null,
  };
}

function addDownloader(share: Share, { peerId, user }: { peerId: string; user: string }): void {
  share.downloaders ??= new SmallMap();
  share.downloaders.set(peerId, user);
}

function forgetDownloader(share: Share, peerId: string): void {
  share.downloaders?.delete(peerId);
  if (share.downloaders?.size === 0) share.downloaders = null;
}

function groupOf(state: State, { group }: { group: string }): Group {
  return there(state.groups.get(group));
}

function shareOf(state: State, event: { group: string; file: string; version?: number }): Share {
  return there(versionOf(groupOf(state, event), event.file, event.version ?? 1));
}

function there<Entity>(entity: Entity | undefined): Entity {
  if (entity === undefined) throw new Error('an event names an entity that the state does not have');
  return entity;
}
