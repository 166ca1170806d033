// Owns what has to hold of the pushes: to every peer in the order of their offsets, who is logged in as it was then, and every
// revocation at the moment when it is applied to everybody whom it concerns and who listens.
import type { Event } from '#domain/event';
import type { Push } from '#wire/tracker-api';
import type { Timeline } from './timeline.ts';

/** What one stream was told. */
interface Told {
  lastOffset: number;
  /** Revocations at the last offset. */
  revocations: string[];
}

type Revocation = Omit<Extract<Push, { type: 'revoked' }>, 'type' | 'offset'>;

/** The streams of one process of a tracker. */
export class PushCheck {
  readonly #timeline: Timeline;
  /** By peer id. */
  readonly #streams = new Map<string, Told>();

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  /** What is wrong with a push, or null. */
  pushed(peerId: string, push: Push): string | null {
    const { offset } = push;
    if (push.type === 'subscribed') this.#streams.set(peerId, { lastOffset: offset, revocations: [] });
    const told = this.#streams.get(peerId);
    if (told === undefined) return 'comes before the stream has begun';
    if (offset < told.lastOffset) return `comes after one at offset ${told.lastOffset}`;
    if (offset > told.lastOffset) told.revocations = [];
    told.lastOffset = offset;
    if (push.type === 'revoked') told.revocations.push(wordsOf(push));
    if (push.type !== 'session_changed') return null;
    const user = this.#timeline.sessions.at(peerId, offset)?.user ?? null;
    return push.user === user ? null : `says that ${push.user} is logged in, and it is ${user}`;
  }

  unsubscribed(peerId: string): void {
    this.#streams.delete(peerId);
  }

  /** Who was not told of a revocation by the record at `offset`, which has just been applied, or null. */
  missed(offset: number, events: readonly Event[]): string | null {
    for (const event of events) {
      const revocation = revocationOf(event, this.#timeline, offset);
      if (revocation === null) continue;
      for (const [peerId, { lastOffset, revocations }] of this.#streams) {
        const isTold = lastOffset === offset && revocations.includes(wordsOf(revocation));
        if (!isTold && this.#concerns(revocation, peerId, offset)) {
          return `${peerId.slice(0, 8)} is not told of ${event.type} at ${offset}`;
        }
      }
    }
    return null;
  }

  #concerns({ groupId, user, peerId }: Revocation, listener: string, offset: number): boolean {
    if (listener === peerId) return true;
    const listening = this.#timeline.sessions.at(listener, offset)?.user;
    if (listening === undefined) return false;
    if (listening === user) return true;
    if (groupId !== null) return this.#timeline.isMember(groupId, listening, offset);
    return user !== null && this.#timeline.shareGroup(user, listening, offset);
  }
}

/** The revocation that follows from an effect, or null. */
function revocationOf(event: Event, timeline: Timeline, offset: number): Revocation | null {
  const nothing = { groupId: null, shareId: null, user: null, peerId: null };
  switch (event.type) {
    case 'member_left':
      return { ...nothing, groupId: event.groupId, user: event.user };
    case 'session_ended':
    case 'session_expired':
      return { ...nothing, user: event.user, peerId: event.peerId };
    case 'share_removed':
      return { ...nothing, groupId: timeline.groupId(event.group, offset), shareId: event.shareId };
    default:
      return null;
  }
}

function wordsOf({ groupId, shareId, user, peerId }: Revocation): string {
  return JSON.stringify([groupId, shareId, user, peerId]);
}
