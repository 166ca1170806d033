// Owns on which listening peers each user is logged in, so that a record costs as much as it has readers, and not as much as
// there are peers. It follows the sessions of the state, and begins anew when the replica has computed another state.
import type { Event } from '#domain/event';
import type { State } from '#domain/state';
import type { Replica } from '../replica/replica.ts';

/** Names of users: a set of them, or the members of a group. */
export type Users = Pick<ReadonlyMap<string, unknown>, 'size' | 'has' | 'keys'>;

/** Peers that listen, by the user who is logged in on each. */
export class ListenersByUser {
  readonly #replica: Pick<Replica, 'state'>;
  /** The user of each listening peer, null while nobody is logged in on it. */
  readonly #userOn = new Map<string, string | null>();
  readonly #peersOf = new Map<string, Set<string>>();
  #state: State;

  constructor(replica: Pick<Replica, 'state'>) {
    this.#replica = replica;
    this.#state = replica.state;
  }

  /** A peer listens from now on. */
  add(peerId: string): void {
    this.#put(peerId, this.#replica.state.sessions.get(peerId)?.user ?? null);
  }

  /** A peer listens no more. */
  remove(peerId: string): void {
    this.#put(peerId, null);
    this.#userOn.delete(peerId);
  }

  /** Takes in what a record that was just applied did to sessions. */
  follow(events: readonly Event[]): void {
    if (this.#state !== this.#replica.state) {
      this.#state = this.#replica.state;
      for (const peerId of this.#userOn.keys()) this.add(peerId);
    }
    for (const event of events) {
      if (isAboutSession(event) && this.#userOn.has(event.peerId)) this.add(event.peerId);
    }
  }

  /** Adds the listening peers of these users; looks at the users or at the listeners, whichever are fewer. */
  collect(users: Users, into: Set<string>): void {
    if (users.size <= this.#peersOf.size) {
      for (const user of users.keys()) for (const peerId of this.#peersOf.get(user) ?? []) into.add(peerId);
      return;
    }
    for (const [user, peerIds] of this.#peersOf) {
      if (users.has(user)) for (const peerId of peerIds) into.add(peerId);
    }
  }

  #put(peerId: string, user: string | null): void {
    const before = this.#userOn.get(peerId) ?? null;
    this.#userOn.set(peerId, user);
    if (before === user) return;
    if (before !== null) this.#leave(peerId, before);
    if (user === null) return;
    const peerIds = this.#peersOf.get(user) ?? new Set();
    this.#peersOf.set(user, peerIds.add(peerId));
  }

  #leave(peerId: string, user: string): void {
    const peerIds = this.#peersOf.get(user);
    peerIds?.delete(peerId);
    if (peerIds?.size === 0) this.#peersOf.delete(user);
  }
}

function isAboutSession(event: Event): event is Extract<Event, { type: `session_${string}` }> {
  return event.type.startsWith('session_');
}
