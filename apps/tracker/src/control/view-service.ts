// Owns the views: what a logged-in peer may read of the state, with who is online laid over it. A view never shows less
// than the peer has seen already; it waits for that, or says that this tracker is behind.
import { outcomeKey } from '#domain/apply';
import { sharedContent } from '#domain/decide';
import { sessionExpiresAtMs } from '#domain/session-term';
import { shareOfId, versionOf } from '#domain/share-versions';
import type { Group, Share } from '#domain/state';
import {
  listFiles,
  listGroups,
  listMembers,
  listRequests,
  listSessions,
  listVersions,
  readableGroup,
} from '#domain/views';
import { SEEN_OFFSET_TIMEOUT_MS, SESSIONS_SHOWN_MAX, SOURCES_SHOWN_MAX } from '#wire/limits';
import type {
  CommandOutcomeRequest,
  CommandOutcomeView,
  CopyListRequest,
  CopyPage,
  CopyView,
  FileListRequest,
  FilePage,
  FileView,
  FindSourcesRequest,
  GrantView,
  GroupListRequest,
  GroupPage,
  ListRequest,
  MemberPage,
  RenewGrantRequest,
  RequestPage,
  SessionList,
  SourcesView,
  SourceView,
  ViewRequest,
  WatchGroupsRequest,
  WatchView,
} from '#wire/tracker-api';
import type { GrantIssuer } from '../grants/grants.ts';
import type { PresenceTable } from '../presence/presence.ts';
import type { Replica } from '../replica/replica.ts';
import { failed, rejectedView, type ViewAnswer } from './answers.ts';
import { behind, isReadable, whyNotReady } from './freshness.ts';
import { pageOf } from './page.ts';
import type { Caller } from './rpc-server.ts';
import { type SeededShare, seededShares } from './seeded-shares.ts';

/** A peer with the user who is logged in on it. */
interface Reader {
  readonly user: string;
  readonly peerId: string;
}

/** Answers every view for the user who is logged in on the peer that asks. */
export class ViewService {
  readonly #replica: Replica;
  readonly #presence: PresenceTable;
  readonly #grants: GrantIssuer;
  readonly #now: () => number;

  constructor(from: { replica: Replica; presence: PresenceTable; grants: GrantIssuer; now: () => number }) {
    this.#replica = from.replica;
    this.#presence = from.presence;
    this.#grants = from.grants;
    this.#now = from.now;
  }

  groups(request: ListRequest, caller: Caller): Promise<ViewAnswer<GroupPage>> {
    return this.#asReader(request, caller, ({ user }) => {
      const groups = listGroups(this.#replica.state, user);
      return shown(pageOf(groups, { ...request, after: request.after, cursorOf: ({ group }) => group, show: same }));
    });
  }

  members(request: GroupListRequest, caller: Caller): Promise<ViewAnswer<MemberPage>> {
    return this.#asReader(request, caller, (reader) => {
      const members = listMembers(this.#replica.state, request.group, reader.user);
      if (typeof members === 'string') return rejectedView(members);
      return shown(pageOf(members, { ...request, after: request.after, cursorOf: ({ user }) => user, show: same }));
    });
  }

  requests(request: GroupListRequest, caller: Caller): Promise<ViewAnswer<RequestPage>> {
    return this.#asReader(request, caller, (reader) => {
      const requests = listRequests(this.#replica.state, request.group, reader.user);
      if (typeof requests === 'string') return rejectedView(requests);
      return shown(pageOf(requests, { ...request, after: request.after, cursorOf: ({ user }) => user, show: same }));
    });
  }

  files(request: FileListRequest, caller: Caller): Promise<ViewAnswer<FilePage>> {
    return this.#asReader(request, caller, ({ user }) => {
      const { state } = this.#replica;
      const { limit, after, versions } = request;
      const shares = (versions === 'all' ? listVersions : listFiles)(state, request.group, user);
      if (typeof shares === 'string') return rejectedView(shares);
      const group = state.groups.get(request.group)!;
      const show = (share: Share): FileView => this.fileView(group, share);
      const place = versions === 'all' ? VERSION_PLACE : { cursorOf: ({ file }: Share) => file };
      return shown(pageOf(shares, { limit, after, show, ...place }));
    });
  }

  sessions(request: ViewRequest, caller: Caller): Promise<ViewAnswer<SessionList>> {
    return this.#asReader(request, caller, ({ user }) =>
      shown({ items: listSessions(this.#replica.state, user).slice(-SESSIONS_SHOWN_MAX) }),
    );
  }

  copies(request: CopyListRequest, caller: Caller): Promise<ViewAnswer<CopyPage>> {
    return this.#asReader(request, caller, (reader) => {
      const { limit, after, of } = request;
      const shares = seededShares(this.#replica.state, { ...reader, ...request });
      if (typeof shares === 'string') return rejectedView(shares);
      const isOwn = (peerId: string, user: string): boolean =>
        of === 'user' ? user === reader.user : peerId === reader.peerId;
      const show = (each: SeededShare): CopyView => this.#copyView(each, isOwn);
      // Who is online is looked up for each share that is shown, and for all of them only where that decides.
      const listed = request.only === 'last' ? shares.filter((each) => show(each).completeCopies === 0) : shares;
      return shown(pageOf(listed, { limit, after, show, ...SHARE_PLACE }));
    });
  }

  /** Those of these groups that the caller's user may watch. */
  watchable(request: WatchGroupsRequest, caller: Caller): Promise<ViewAnswer<WatchView>> {
    return this.#asReader(request, caller, ({ user }) => {
      const { groups } = this.#replica.state;
      return shown({ groups: request.groups.filter((group) => groups.get(group)?.members.has(user) === true) });
    });
  }

  sources(request: FindSourcesRequest, caller: Caller): Promise<ViewAnswer<SourcesView>> {
    return this.#asReader(request, caller, (reader) => {
      const group = readableGroup(this.#replica.state, request.group, reader.user);
      if (typeof group === 'string') return rejectedView(group);
      const { file, version } = request;
      const newest = group.shares.get(file);
      if (newest === undefined) return rejectedView('file_not_found');
      const share = version === undefined ? newest : versionOf(group, file, version);
      if (share === undefined) return rejectedView('version_not_found');
      const grant = this.#grants.issue({ group, share, ...reader });
      return shown({
        share: sharedContent(this.#replica.state, group, share),
        sources: this.#sourcesOf(group, share, reader.peerId),
        grant: grant?.grant ?? null,
        grantExpiresAtMs: grant?.grantExpiresAtMs ?? null,
      });
    });
  }

  grant(request: RenewGrantRequest, caller: Caller): Promise<ViewAnswer<GrantView>> {
    return this.#asReader(request, caller, (reader) => {
      const group = readableGroup(this.#replica.state, request.group, reader.user);
      if (typeof group === 'string') return rejectedView(group);
      const share = [...group.shares.keys()].flatMap((file) => shareOfId(group, file, request.shareId) ?? []).at(0);
      if (share === undefined) return rejectedView('file_not_found');
      if (this.#replica.isDisputed) return failed('tracker_unavailable', { detail: 'Grants wait for an operator.' });
      if (this.#grants.isSuspended) return failed('log_unavailable');
      const grant = this.#grants.issue({ group, share, ...reader });
      return grant === null ? rejectedView('file_not_found') : shown(grant);
    });
  }

  /** Needs no session: it tells a peer about its own commands only. */
  async commandOutcome(request: CommandOutcomeRequest, caller: Caller): Promise<ViewAnswer<CommandOutcomeView>> {
    const notFresh = await this.#whyNotFresh(request);
    if (notFresh !== null) return notFresh;
    const { peerId } = caller;
    const { state } = this.#replica;
    const users = [request.user, state.sessions.get(peerId)?.user, null].filter((user) => user !== undefined);
    for (const user of users) {
      const key = outcomeKey({ id: request.commandId, actor: { kind: 'peer', peerId, user } });
      const found = state.outcomes.get(key);
      if (found === undefined || found.peerId !== peerId) continue;
      const { offset, outcome } = found;
      if (outcome.status === 'rejected') return shown({ state: 'rejected', offset, reason: outcome.reason });
      return shown({ state: 'accepted', offset, result: outcome.result });
    }
    return shown({ state: 'unknown' });
  }

  async #asReader<View>(
    request: ViewRequest,
    { peerId }: Caller,
    show: (reader: Reader) => ViewAnswer<View>,
  ): Promise<ViewAnswer<View>> {
    const notFresh = await this.#whyNotFresh(request);
    if (notFresh !== null) return notFresh;
    const { state } = this.#replica;
    const session = state.sessions.get(peerId);
    if (session === undefined) return failed('not_logged_in');
    // The next record ends an expired session, and a quiet log may have none for long.
    const hasExpired = this.#now() >= (sessionExpiresAtMs(state, session) ?? Infinity);
    return hasExpired ? failed('not_logged_in') : show({ user: session.user, peerId });
  }

  async #whyNotFresh({ seenOffset }: ViewRequest): Promise<ReturnType<typeof whyNotReady>> {
    const { readiness } = this.#replica;
    const notReady = isReadable(readiness) ? null : whyNotReady(readiness);
    if (notReady !== null) return notReady;
    const hasCaughtUp = await this.#replica.waitUntilApplied(seenOffset, SEEN_OFFSET_TIMEOUT_MS);
    return hasCaughtUp ? null : behind(this.#replica, seenOffset);
  }

  /** A row of the list of files. */
  fileView(group: Group, share: Share): FileView {
    const { file, sharedBy, sharedAtMs } = share;
    const seedersOnline = this.#seedersOnline(group, share).length;
    const partialCopies = this.#downloadersOnline(group, share).length;
    const copies = { seedersOnline, partialCopies, wantedCopies: group.copies };
    return { ...sharedContent(this.#replica.state, group, share), file, sharedBy, sharedAtMs, ...copies };
  }

  #copyView({ group, share }: SeededShare, isOwn: (peerId: string, user: string) => boolean): CopyView {
    const othersOf = (peers: readonly [string, string][]): number =>
      peers.filter(([peerId, user]) => !isOwn(peerId, user)).length;
    return {
      ...{ shareId: share.id, group: group.name, file: share.file, version: share.version },
      completeCopies: othersOf(this.#seedersOnline(group, share)),
      partialCopies: othersOf(this.#downloadersOnline(group, share)),
    };
  }

  /**
   * Peers online that have the share, seeders first; drawn by chance when there are too many for one message. Last, as far as there is
   * room, come seeders that say that they cannot serve it: two that are damaged in different places repair each other.
   */
  #sourcesOf(group: Group, share: Share, callerPeerId: string): SourceView[] {
    const seeders = this.#seedersOnline(group, share);
    const downloaders = this.#downloadersOnline(group, share);
    const others = ([peerId]: [string, string]): boolean => peerId !== callerPeerId;
    const sources = [
      ...seeders.filter(others).map(([peerId, user]) => this.#sourceView(peerId, user, 'seeder')),
      ...downloaders.filter(others).map(([peerId, user]) => this.#sourceView(peerId, user, 'downloader')),
    ];
    if (sources.length > SOURCES_SHOWN_MAX) return drawn(sources, SOURCES_SHOWN_MAX);
    const named = new Set(sources.map(({ peerId }) => peerId));
    const broken = [...share.seeders]
      .filter(others)
      .filter(([peerId, user]) => !named.has(peerId) && this.#isOnline(group, peerId, user))
      .map(([peerId, user]) => this.#sourceView(peerId, user, 'downloader'));
    return [...sources, ...broken].slice(0, SOURCES_SHOWN_MAX);
  }

  /** Peer and user of each peer online that has all of it, and can serve it as far as it knows. */
  #seedersOnline(group: Group, share: Share): [string, string][] {
    return [...share.seeders].filter(
      ([peerId, user]) => this.#isOnline(group, peerId, user) && this.#presence.serves(peerId, share.id),
    );
  }

  /** The same of those that say that they have part of it, and may have it. */
  #downloadersOnline(group: Group, share: Share): [string, string][] {
    return this.#presence
      .downloadersOf({ shareId: share.id, group: group.name, file: share.file })
      .flatMap((peerId): [string, string][] => {
        const user = share.downloaders?.get(peerId);
        const isSeeder = share.seeders.has(peerId) && this.#presence.serves(peerId, share.id);
        return user === undefined || isSeeder ? [] : [[peerId, user]];
      })
      .filter(([peerId, user]) => this.#isOnline(group, peerId, user));
  }

  #sourceView(peerId: string, user: string, role: SourceView['role']): SourceView {
    const { addresses, transport } = this.#presence.get(peerId)!;
    return { peerId, user, addresses, role, transport };
  }

  #isOnline(group: Group, peerId: string, user: string): boolean {
    const isLoggedIn = this.#replica.state.sessions.get(peerId)?.user === user;
    return isLoggedIn && group.members.has(user) && this.#presence.get(peerId) !== undefined;
  }
}

/** A place in the list of all versions. No name has a slash. */
const VERSION_PLACE = {
  cursorOf: ({ file, version }: Share): string => `${file}/${version}`,
  isAfter: ({ file, version }: Share, after: string): boolean => {
    const slash = after.lastIndexOf('/');
    const afterFile = slash === -1 ? after : after.slice(0, slash);
    return file > afterFile || (file === afterFile && slash !== -1 && version < Number(after.slice(slash + 1)));
  },
};

/** A place in the order in which shares came to be. */
const SHARE_PLACE = {
  cursorOf: ({ share }: SeededShare): string => String(share.id),
  isAfter: ({ share }: SeededShare, after: string): boolean => share.id > Number(after),
};

function shown<View>(view: View): { status: 'accepted'; view: View } {
  return { status: 'accepted', view };
}

function same<Item>(item: Item): Item {
  return item;
}

function drawn<Item>(items: readonly Item[], count: number): Item[] {
  const pool = [...items];
  for (let index = 0; index < count; index++) {
    const other = index + Math.floor(Math.random() * (pool.length - index));
    [pool[index], pool[other]] = [pool[other]!, pool[index]!];
  }
  return pool.slice(0, count);
}
