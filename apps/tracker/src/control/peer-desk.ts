// Owns what a tracker does for a connected peer whether or not anybody is logged in on it: says who it is, notes that the
// peer is there, gives it the stream of pushes, and lets it watch files.
import type { Socket } from 'node:net';
import type { Observable } from 'rxjs';
import { SESSION_RENEWAL_MS, sessionExpiresAtMs } from '#domain/session-term';
import type { HelloView, PresenceRequest, PresenceView, Push, SessionTerm } from '#wire/tracker-api';
import type { PresenceTable } from '../presence/presence.ts';
import type { Reachability } from '../presence/reachability.ts';
import type { Replica } from '../replica/replica.ts';
import { isReadable } from './freshness.ts';
import type { FileWatch } from './file-watch.ts';
import type { PushHub } from './push-hub.ts';
import type { Caller } from './rpc-server.ts';

/** Answers what a peer says of itself: that it is there, and that it listens. */
export class PeerDesk {
  readonly #replica: Replica;
  readonly #presence: PresenceTable;
  readonly #reachability: Reachability;
  readonly #pushes: PushHub;
  readonly #files: Pick<FileWatch, 'watch'>;
  readonly #now: () => number;

  constructor(from: {
    replica: Replica;
    presence: PresenceTable;
    reachability: Reachability;
    pushes: PushHub;
    files: Pick<FileWatch, 'watch'>;
    now: () => number;
  }) {
    this.#replica = from.replica;
    this.#presence = from.presence;
    this.#reachability = from.reachability;
    this.#pushes = from.pushes;
    this.#files = from.files;
    this.#now = from.now;
  }

  hello({ peerId }: Caller): HelloView {
    const trackers = [...this.#replica.state.trackers.values()].toSorted((left, right) =>
      left.trackerId < right.trackerId ? -1 : 1,
    );
    const ready = isReadable(this.#replica.readiness);
    const { newestRulesVersion } = this.#replica;
    const user = this.#userOn(peerId);
    return { trackers, user, ready, nowMs: this.#now(), newestRulesVersion, takesUnserved: true };
  }

  present(presence: PresenceRequest, { peerId, address }: Caller): PresenceView {
    const { addresses, transport } = presence;
    const user = this.#userOn(peerId);
    // Nobody downloads or serves without a session: of strangers, who may be many, no more is kept than where they are.
    const { downloading, unserved = [] } = user === null ? { downloading: [] } : presence;
    const shares = downloading.map(({ shareId, group, file }) => ({ shareId, group, file }));
    const said = { addresses, downloading: shares, unserved, transport };
    if (this.#presence.update(peerId, said)) this.#pushes.presenceChanged(peerId);
    const [first] = addresses;
    const reachable = first === undefined ? null : this.#reachability.ask({ address: first, askedFrom: address });
    const term = this.#termOn(peerId);
    return { reachable, user, ...(term !== null && { term }) };
  }

  pushes({ peerId }: Caller, socket: Socket): Observable<Push> {
    return this.#pushes.stream(peerId, socket);
  }

  /** Tells it from now on what changes in the files of these groups, which its user may read. Returns those that it watches. */
  watch(groups: readonly string[], { peerId }: Caller): readonly string[] {
    return this.#files.watch(peerId, groups);
  }

  #termOn(peerId: string): SessionTerm | null {
    const { state } = this.#replica;
    const session = state.sessions.get(peerId);
    const expiresAtMs = session === undefined ? null : sessionExpiresAtMs(state, session);
    if (session === undefined || expiresAtMs === null) return null;
    return { expiresAtMs, isRenewalDue: this.#now() >= session.renewedAtMs + SESSION_RENEWAL_MS };
  }

  #userOn(peerId: string): string | null {
    return this.#replica.state.sessions.get(peerId)?.user ?? null;
  }
}
