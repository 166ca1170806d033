// Owns what peers are told unasked: revocations, news of their groups and sessions, new sources for what they download. A
// push follows from an applied record or from a presence, and goes only to those whom it concerns. Revocations go at once;
// news that only says "look again" is gathered for a moment, and whom it concerns is asked then, or a busy group would cost its
// members' number for each record. A peer that does not read is cut off by the bytes that wait for it, so it never holds up
// others.
import type { Socket } from 'node:net';
import { Observable, type Subscriber } from 'rxjs';
import type { Event } from '#domain/event';
import { shareOfId, versionOf } from '#domain/share-versions';
import type { Share } from '#domain/state';
import { PUSHES_UNREAD_BYTES_MAX } from '#wire/limits';
import type { Push } from '#wire/tracker-api';
import type { DownloadingShare, PresenceTable } from '../presence/presence.ts';
import type { AppliedRecord, Replica } from '../replica/replica.ts';
import { ListenersByUser, type Users } from './listeners-by-user.ts';
import type { TrackerMetrics } from './metrics.ts';

interface Subscription {
  readonly subscriber: Subscriber<Push>;
  readonly socket: Socket;
  /** Shares with new sources, to be told at the next round. */
  readonly changedShares: Set<number>;
}

/** A push with who gets it: certain peers, and the peers on which certain users are logged in. */
interface Notice {
  readonly push: Push;
  readonly peerIds: Iterable<string>;
  readonly users: readonly Users[];
}

type ReplicaForPushes = Pick<Replica, 'state' | 'appliedOffset' | 'onApplied'>;

/** How long news is gathered. */
const ROUND_MS = 100;

/** Who listens, and what each is told. */
export class PushHub {
  readonly #replica: ReplicaForPushes;
  readonly #presence: PresenceTable;
  readonly #metrics: TrackerMetrics;
  /** By peer id: a second stream of one peer ends the first. */
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #listeners: ListenersByUser;
  /** Groups to be told of at the next round, with the users whom it concerns beside the members. */
  readonly #changedGroups = new Map<string, Set<string>>();
  #round: NodeJS.Timeout | null = null;
  #gone: (peerId: string) => void = () => undefined;

  constructor(from: { replica: ReplicaForPushes; presence: PresenceTable; metrics: TrackerMetrics }) {
    this.#replica = from.replica;
    this.#presence = from.presence;
    this.#metrics = from.metrics;
    this.#listeners = new ListenersByUser(from.replica);
    this.#replica.onApplied((applied) => this.#onApplied(applied));
  }

  /** Peers that listen. */
  get size(): number {
    return this.#subscriptions.size;
  }

  /** Whether a peer listens. */
  isListening(peerId: string): boolean {
    return this.#subscriptions.has(peerId);
  }

  /** Tells one listener of every peer whose stream has ended, or was taken over by another one. */
  onGone(listener: (peerId: string) => void): void {
    this.#gone = listener;
  }

  /** Tells one peer, if it listens. */
  tell(peerId: string, push: Push): void {
    const subscription = this.#subscriptions.get(peerId);
    if (subscription !== undefined) this.#write(subscription, push);
  }

  /** The pushes for a peer from now on. Ends with the connection: the transport itself would never end it. */
  stream(peerId: string, socket: Socket): Observable<Push> {
    return new Observable<Push>((subscriber) => {
      const subscription = { subscriber, socket, changedShares: new Set<number>() };
      this.#subscriptions.get(peerId)?.subscriber.complete();
      this.#gone(peerId);
      this.#subscriptions.set(peerId, subscription);
      this.#listeners.add(peerId);
      const end = (): void => subscriber.complete();
      socket.once('close', end);
      subscriber.next({ type: 'subscribed', offset: this.#replica.appliedOffset });
      return () => {
        socket.off('close', end);
        if (this.#subscriptions.get(peerId) !== subscription) return;
        this.#subscriptions.delete(peerId);
        this.#listeners.remove(peerId);
        this.#gone(peerId);
      };
    });
  }

  /** A peer has come online, or says anew what it is downloading: tells those who download what it has. */
  presenceChanged(peerId: string): void {
    if (this.#subscriptions.size === 0) return;
    const offset = this.#replica.appliedOffset;
    for (const { share, peerIds } of this.#presence.downloads()) {
      if (!this.#hasShare(peerId, share, peerIds)) continue;
      for (const downloaderId of peerIds) {
        const subscription = this.#subscriptions.get(downloaderId);
        if (subscription === undefined || downloaderId === peerId || !this.#mayDownload(downloaderId, share)) continue;
        this.#send(subscription, { type: 'sources_changed', offset, shareId: share.shareId });
      }
    }
  }

  #hasShare(peerId: string, downloading: DownloadingShare, downloaders: ReadonlySet<string>): boolean {
    const share = this.#shareOf(downloading);
    return share !== undefined && (share.seeders.has(peerId) || downloaders.has(peerId));
  }

  /** A peer may say that it downloads anything: only who was allowed to, and still is, is told of what becomes of it. */
  #mayDownload(peerId: string, downloading: DownloadingShare): boolean {
    const user = this.#replica.state.sessions.get(peerId)?.user;
    return user !== undefined && this.#shareOf(downloading)?.downloaders?.get(peerId) === user;
  }

  #shareOf({ shareId, group: name, file }: DownloadingShare): Share | undefined {
    const group = this.#replica.state.groups.get(name);
    return group === undefined ? undefined : shareOfId(group, file, shareId);
  }

  #onApplied({ offset, applied }: AppliedRecord): void {
    if (this.#subscriptions.size === 0 || applied.events.length === 0) return;
    this.#listeners.follow(applied.events);
    for (const { push, peerIds, users } of applied.events.flatMap((event) => this.#noticesOf(event, offset))) {
      for (const subscription of this.#listening(peerIds, users)) this.#send(subscription, push);
    }
    this.#gatherGroups(applied.events);
  }

  /** Certain peers, and the peers on which certain users are logged in, as far as they listen. */
  #listening(peerIds: Iterable<string>, users: readonly Users[]): Subscription[] {
    const audience = new Set(peerIds);
    for (const some of users) this.#listeners.collect(some, audience);
    return [...audience].flatMap((peerId) => this.#subscriptions.get(peerId) ?? []);
  }

  #noticesOf(event: Event, offset: number): Notice[] {
    const nothing = { groupId: null, shareId: null, user: null, peerId: null };
    const revoked = { type: 'revoked', offset, ...nothing } as const;
    switch (event.type) {
      case 'member_left': {
        const { groupId, user, group } = event;
        return [{ push: { ...revoked, groupId, user }, peerIds: [], users: [new Set([user]), this.#membersOf(group)] }];
      }
      case 'session_ended':
      case 'session_expired': {
        const { user, peerId } = event;
        const peerIds = [peerId];
        // A login may have ended the session before it, which had expired.
        const userNow = this.#replica.state.sessions.get(peerId)?.user ?? null;
        return [
          { push: { ...revoked, user, peerId }, peerIds, users: [this.#acquaintancesOf(user)] },
          { push: { type: 'session_changed', offset, user: userNow }, peerIds, users: [] },
          { push: { type: 'sessions_changed', offset }, peerIds: [], users: [new Set([user])] },
        ];
      }
      case 'session_started': {
        const { user, peerId } = event;
        return [
          { push: { type: 'session_changed', offset, user }, peerIds: [peerId], users: [] },
          { push: { type: 'sessions_changed', offset }, peerIds: [], users: [new Set([user])] },
        ];
      }
      case 'share_removed': {
        const groupId = this.#replica.state.groups.get(event.group)?.id ?? null;
        // Whoever downloads or seeds it has to hear of it, in the group still or just gone from it.
        const users = [this.#membersOf(event.group)];
        return [{ push: { ...revoked, groupId, shareId: event.shareId }, peerIds: [], users }];
      }
      case 'seeder_added': {
        const group = this.#replica.state.groups.get(event.group);
        const shareId = group === undefined ? undefined : versionOf(group, event.file, event.version ?? 1)?.id;
        if (shareId === undefined) return [];
        const share = { shareId, group: event.group, file: event.file };
        const isTold = (peerId: string): boolean => peerId !== event.peerId && this.#mayDownload(peerId, share);
        const peerIds = this.#presence.downloadersOf(share).filter(isTold);
        return [{ push: { type: 'sources_changed', offset, shareId }, peerIds, users: [] }];
      }
      default:
        return [];
    }
  }

  #gatherGroups(events: readonly Event[]): void {
    for (const event of events) {
      if (!('group' in event) || event.type === 'download_allowed') continue;
      const users = this.#changedGroups.get(event.group) ?? new Set();
      if ('user' in event) users.add(event.user);
      this.#changedGroups.set(event.group, users);
      this.#expectRound();
    }
  }

  #membersOf(group: string): Users {
    return this.#replica.state.groups.get(group)?.members ?? new Set<string>();
  }

  /** Everybody who shares a group with a user, and the user. */
  #acquaintancesOf(user: string): Set<string> {
    const acquainted = new Set([user]);
    for (const group of this.#replica.state.groups.values()) {
      if (group.members.has(user)) for (const member of group.members.keys()) acquainted.add(member);
    }
    return acquainted;
  }

  #send(subscription: Subscription, push: Push): void {
    if (push.type !== 'sources_changed') return this.#write(subscription, push);
    subscription.changedShares.add(push.shareId);
    this.#expectRound();
  }

  #expectRound(): void {
    if (this.#round === null) this.#round = setTimeout(() => this.#tellGathered(), ROUND_MS).unref();
  }

  #tellGathered(): void {
    this.#round = null;
    // All of it is true as of now, so that pushes stay in the order of their offsets.
    const offset = this.#replica.appliedOffset;
    for (const [group, users] of this.#changedGroups) {
      const push: Push = { type: 'group_changed', offset, group };
      for (const subscription of this.#listening([], [this.#membersOf(group), users])) this.#write(subscription, push);
    }
    this.#changedGroups.clear();
    for (const subscription of this.#subscriptions.values()) {
      for (const shareId of subscription.changedShares) {
        this.#write(subscription, { type: 'sources_changed', offset, shareId });
      }
      subscription.changedShares.clear();
    }
  }

  #write({ subscriber, socket }: Subscription, push: Push): void {
    // Cut off by the push before; its subscription ends when it has closed.
    if (socket.destroyed) return;
    if (socket.writableLength > PUSHES_UNREAD_BYTES_MAX) {
      this.#metrics.countConnection('unread');
      socket.destroy();
      return;
    }
    this.#metrics.countPush(push.type);
    subscriber.next(push);
  }
}
