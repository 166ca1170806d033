// Owns what was true at each offset: every fact with the offsets at which it began and ended, taken from the effects of the
// records, and the views worked out from it anew. A naive twin of the product's state, which holds the present alone.
import type { Event } from '#domain/event';
import { SESSION_LIFETIME_MS } from '#domain/session-term';

/** A fact from one offset to another, which is not its own any more. */
interface Span<Value> {
  readonly from: number;
  to: number;
  readonly value: Value;
}

/** One kind of fact, by key. */
class Facts<Value> {
  readonly #spans = new Map<string, Span<Value>[]>();
  #sorted: readonly string[] = [];

  begin(key: string, from: number, value: Value): void {
    this.end(key, from);
    const spans = this.#spans.get(key) ?? [];
    spans.push({ from, to: Infinity, value });
    this.#spans.set(key, spans);
  }

  end(key: string, to: number): void {
    const last = this.#spans.get(key)?.at(-1);
    if (last !== undefined) last.to = Math.min(last.to, to);
  }

  at(key: string, offset: number): Value | undefined {
    const spans = this.#spans.get(key) ?? [];
    return spans.findLast(({ from, to }) => from <= offset && offset < to)?.value;
  }

  /** Keys that ever had a fact, sorted. */
  keys(): readonly string[] {
    if (this.#sorted.length !== this.#spans.size) this.#sorted = [...this.#spans.keys()].sort();
    return this.#sorted;
  }
}

interface ShareFact {
  readonly file: string;
  readonly version: number;
  readonly shareId: number;
  readonly contentId: string;
  readonly sharedBy: string;
}

interface SessionFact {
  readonly sessionId: number;
  readonly user: string;
  readonly startedAtMs: number;
  readonly expiresAtMs: number;
}

/** What happened in one group. */
class GroupFacts {
  readonly owner = new Facts<string>();
  /** What the group wants of each file. */
  readonly copies = new Facts<number>();
  readonly members = new Facts<number>();
  readonly requests = new Facts<number>();
  /** By file and version. */
  readonly shares = new Facts<ShareFact>();
}

type Page = { readonly after?: string | undefined; readonly limit: number };
type FilesAsked = Page & { readonly group: string; readonly versions?: 'all' | undefined };

/** A view's items, or why there is none. */
export type ExpectedView = readonly object[] | string;

export class Timeline {
  /** By peer id. */
  readonly sessions = new Facts<SessionFact>();
  /** User by share id and peer id. */
  readonly downloaders = new Facts<string>();
  readonly #groupIds = new Facts<number>();
  /** A group that was dissolved and made again is another one. */
  readonly #groups = new Map<number, GroupFacts>();
  #logTimeMs = 0;

  /** Takes in the effects of the record at `offset`. */
  add(offset: number, timeMs: number, events: readonly Event[]): void {
    this.#logTimeMs = Math.max(this.#logTimeMs, timeMs);
    for (const event of events) this.#addEvent(offset, event);
  }

  groups(user: string, offset: number, page: Page): ExpectedView {
    const items = this.#groupIds.keys().flatMap((group) => {
      const facts = this.#groupAt(group, offset);
      if (facts === null) return [];
      const owner = facts.owner.at('', offset)!;
      const membership = owner === user ? 'owner' : this.#standing(facts, user, offset);
      const isMember = facts.members.at(user, offset) !== undefined;
      return [{ group, owner, membership, copies: isMember ? (facts.copies.at('', offset) ?? 0) : 0 }];
    });
    return cut(items, 'group', page);
  }

  members(group: string, user: string, at: { offset: number; page: Page }): ExpectedView {
    const facts = this.readable(group, user, at.offset);
    if (typeof facts === 'string') return facts;
    const owner = facts.owner.at('', at.offset);
    const items = facts.members.keys().flatMap((member) => {
      const sinceMs = facts.members.at(member, at.offset);
      return sinceMs === undefined ? [] : [{ user: member, role: member === owner ? 'owner' : 'member', sinceMs }];
    });
    return cut(items, 'user', at.page);
  }

  requests(group: string, user: string, at: { offset: number; page: Page }): ExpectedView {
    const facts = this.readable(group, user, at.offset);
    if (typeof facts === 'string') return facts;
    if (facts.owner.at('', at.offset) !== user) return 'not_group_owner';
    const items = facts.requests.keys().flatMap((asker) => {
      const sinceMs = facts.requests.at(asker, at.offset);
      return sinceMs === undefined ? [] : [{ user: asker, sinceMs }];
    });
    return cut(items, 'user', at.page);
  }

  files({ group, versions, ...page }: FilesAsked, user: string, offset: number): ExpectedView {
    const facts = this.readable(group, user, offset);
    if (typeof facts === 'string') return facts;
    const there = facts.shares.keys().flatMap((key) => facts.shares.at(key, offset) ?? []);
    const ofFile = Map.groupBy(there, ({ file }) => file);
    const items = [...ofFile.keys()].sort().flatMap((file) => {
      const newestFirst = ofFile.get(file)!.toSorted((left, right) => right.version - left.version);
      return versions === 'all' ? newestFirst : newestFirst.slice(0, 1);
    });
    if (versions !== 'all') return cut(items, 'file', page);
    const [afterFile = '', afterVersion = Infinity] = page.after?.split('/') ?? [];
    const following = items.filter(({ file, version }) =>
      page.after === undefined ? true : file > afterFile || (file === afterFile && version < Number(afterVersion)),
    );
    return following.slice(0, page.limit);
  }

  ofUser(user: string, offset: number): ExpectedView {
    const sessions = this.sessions.keys().flatMap((peerId) => {
      const session = this.sessions.at(peerId, offset);
      if (session?.user !== user) return [];
      const { sessionId, startedAtMs, expiresAtMs } = session;
      return [{ sessionId, peerId, startedAtMs, expiresAtMs }];
    });
    return sessions.sort((left, right) => left.sessionId - right.sessionId);
  }

  /** What happened in a group, for a member. */
  readable(group: string, user: string, offset: number): GroupFacts | string {
    const facts = this.#groupAt(group, offset);
    if (facts === null) return 'group_not_found';
    const standing = this.#standing(facts, user, offset);
    if (standing === 'member') return facts;
    return standing === 'pending' ? 'request_pending' : 'not_a_member';
  }

  /** Whether somebody is a member of the group with this id. */
  isMember(groupId: number, user: string, offset: number): boolean {
    return this.#groups.get(groupId)?.members.at(user, offset) !== undefined;
  }

  /** The id of the group of a name, or null when there is none. */
  groupId(group: string, offset: number): number | null {
    return this.#groupIds.at(group, offset) ?? null;
  }

  /** Whether two users are members of one group. */
  shareGroup(user: string, other: string, offset: number): boolean {
    return [...this.#groups.values()].some(
      ({ members }) => members.at(user, offset) !== undefined && members.at(other, offset) !== undefined,
    );
  }

  /** Whether a group has a share. */
  hasShare(groupId: number, { shareId, contentId }: { shareId: number; contentId: string }, offset: number): boolean {
    const facts = this.#groups.get(groupId)?.shares;
    return (
      facts?.keys().some((key) => {
        const share = facts.at(key, offset);
        return share?.shareId === shareId && share.contentId === contentId;
      }) === true
    );
  }

  #standing(facts: GroupFacts, user: string, offset: number): 'member' | 'pending' | 'none' {
    if (facts.members.at(user, offset) !== undefined) return 'member';
    return facts.requests.at(user, offset) === undefined ? 'none' : 'pending';
  }

  #groupAt(group: string, offset: number): GroupFacts | null {
    const groupId = this.#groupIds.at(group, offset);
    return groupId === undefined ? null : this.#groups.get(groupId)!;
  }

  #addEvent(offset: number, event: Event): void {
    if (event.type === 'session_started') {
      const times = { startedAtMs: this.#logTimeMs, expiresAtMs: this.#logTimeMs + SESSION_LIFETIME_MS };
      this.sessions.begin(event.peerId, offset, { sessionId: offset, user: event.user, ...times });
    }
    if (event.type === 'session_renewed') {
      const session = this.sessions.at(event.peerId, offset)!;
      this.sessions.begin(event.peerId, offset, { ...session, expiresAtMs: this.#logTimeMs + SESSION_LIFETIME_MS });
    }
    if (event.type === 'session_ended' || event.type === 'session_expired') this.sessions.end(event.peerId, offset);
    if (event.type === 'group_created') {
      this.#groupIds.begin(event.group, offset, offset);
      const facts = new GroupFacts();
      facts.owner.begin('', offset, event.owner);
      facts.members.begin(event.owner, offset, this.#logTimeMs);
      this.#groups.set(offset, facts);
    }
    if (!('group' in event)) return;
    const facts = this.#groupAt(event.group, offset);
    if (facts !== null) this.#addGroupEvent(offset, event, facts);
  }

  #endDownloads(facts: GroupFacts, user: string, offset: number): void {
    const shareIds = new Set(facts.shares.keys().map((key) => `${facts.shares.at(key, offset)?.shareId}`));
    for (const key of this.downloaders.keys()) {
      const isOfGroup = shareIds.has(key.slice(0, key.indexOf(' ')));
      if (isOfGroup && this.downloaders.at(key, offset) === user) this.downloaders.end(key, offset);
    }
  }

  #addGroupEvent(offset: number, event: Extract<Event, { group: string }>, facts: GroupFacts): void {
    switch (event.type) {
      case 'group_dissolved':
        this.#groupIds.end(event.group, offset);
        break;
      case 'join_requested':
        facts.requests.begin(event.user, offset, this.#logTimeMs);
        break;
      case 'request_rejected':
        facts.requests.end(event.user, offset);
        break;
      case 'member_joined':
        facts.requests.end(event.user, offset);
        facts.members.begin(event.user, offset, this.#logTimeMs);
        break;
      case 'member_left':
        facts.members.end(event.user, offset);
        this.#endDownloads(facts, event.user, offset);
        break;
      case 'ownership_transferred':
        facts.owner.begin('', offset, event.user);
        break;
      case 'file_shared':
      case 'version_shared': {
        const { file, contentId, user } = event;
        const version = event.type === 'version_shared' ? event.version : 1;
        facts.shares.begin(versionKey(event), offset, { file, version, shareId: offset, contentId, sharedBy: user });
        break;
      }
      case 'share_removed':
        facts.shares.end(versionKey(event), offset);
        break;
      case 'download_allowed':
        this.downloaders.begin(`${event.shareId} ${event.peerId}`, offset, event.user);
        break;
      case 'seeder_added': {
        const share = facts.shares.at(versionKey(event), offset);
        if (share !== undefined) this.downloaders.end(`${share.shareId} ${event.peerId}`, offset);
        break;
      }
      case 'copies_set':
        facts.copies.begin('', offset, event.copies);
        break;
      case 'group_created':
      case 'seeder_removed':
        break;
    }
  }
}

function versionKey({ file, version = 1 }: { readonly file: string; readonly version?: number }): string {
  return `${file}/${version}`;
}

function cut<Item extends object>(items: readonly Item[], name: keyof Item, { after, limit }: Page): Item[] {
  const following = items.filter((item) => after === undefined || (item[name] as string) > after);
  return following.slice(0, limit);
}
