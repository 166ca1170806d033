// Owns which groups' files this peer watches, and at which tracker: one that answers and pushes, and the next one when it goes. A
// watch that cannot be had is tried again, and one that begins late or moves is told of, because what changed meanwhile was not.
import { WATCHED_GROUPS_MAX } from '#wire/limits';
import type { ViewReply, WatchView } from '#wire/tracker-api';
import { TRACKER_PATTERNS } from '#wire/tracker-api';
import type { TrackerConnection } from './tracker-connection.ts';
import type { GroupsWatch } from './tracker-link.ts';

const WATCH_TIMEOUT_MS = 2_500;
/** When a watch that could not be had is tried again: at first, and at the latest. */
const RETRY_MS = 1_000;
const RETRY_MS_MAX = 30_000;

interface WatchHost {
  /** Connections that can be asked, the best first. */
  readonly connections: () => readonly TrackerConnection[];
  readonly seenOffset: () => number;
  /** What is known of the files of a group may not be true any more. */
  readonly reset: (group: string) => void;
}

export class WatchedGroups {
  readonly #host: WatchHost;
  readonly #wishes = new Set<readonly string[]>();
  /** Connections whose stream of pushes is open. */
  readonly #listened = new Set<TrackerConnection>();
  #at: TrackerConnection | null = null;
  #live: ReadonlySet<string> = new Set();
  #syncing: Promise<void> | null = null;
  #retry: NodeJS.Timeout | null = null;
  #retryMs = RETRY_MS;
  #isDue = false;

  constructor(host: WatchHost) {
    this.#host = host;
  }

  /** Watches these groups too, until it is stopped. */
  watch(groups: readonly string[]): GroupsWatch {
    const wish = [...groups];
    this.#wishes.add(wish);
    const stop = (): void => {
      if (this.#wishes.delete(wish)) void this.#sync();
    };
    const isThere = groups.every((group) => this.#live.has(group));
    return { begun: isThere ? Promise.resolve() : this.#sync(), stop };
  }

  /** Somebody else is logged in, or nobody: other groups may be had. */
  renew(): void {
    void this.#sync();
  }

  /** A connection pushes from now on: what it was asked before is forgotten there. */
  subscribed(connection: TrackerConnection): void {
    this.#listened.add(connection);
    if (connection === this.#at) this.#leave();
    void this.#sync();
  }

  /** A connection is in another state. */
  changed(connection: TrackerConnection): void {
    if (connection.state === 'ready') return;
    this.#listened.delete(connection);
    if (connection !== this.#at) return;
    this.#leave();
    void this.#sync();
  }

  /** Something of a group is another now: without a watch that is all that is heard, and it may be had now. */
  groupChanged(group: string): void {
    if (this.#live.has(group) || ![...this.#wishes].some((wish) => wish.includes(group))) return;
    this.#host.reset(group);
    void this.#sync();
  }

  /** Whether what a connection pushes of a group is asked for. */
  isWatched(connection: TrackerConnection, group: string): boolean {
    return connection === this.#at && this.#live.has(group);
  }

  /** Who looks at few groups looks at each; of as many the wish that came last is first. */
  #wanted(): string[] {
    const wishes = [...this.#wishes].toReversed().sort((left, right) => left.length - right.length);
    return [...new Set(wishes.flat())].slice(0, WATCHED_GROUPS_MAX);
  }

  #leave(): void {
    this.#at = null;
    this.#retryMs = RETRY_MS;
    this.#live = new Set();
  }

  /** Resolves when the trackers know what is wanted, or cannot be told. */
  #sync(): Promise<void> {
    this.#isDue = true;
    this.#syncing ??= Promise.resolve().then(() => this.#syncDue());
    return this.#syncing;
  }

  async #syncDue(): Promise<void> {
    while (this.#isDue) {
      this.#isDue = false;
      const wanted = this.#wanted();
      const ready = this.#host.connections().filter((connection) => this.#listened.has(connection));
      const at = ready.find((connection) => connection === this.#at) ?? ready[0];
      if (at !== undefined && (wanted.length > 0 || this.#live.size > 0)) await this.#ask(at, wanted);
    }
    // In the same turn as the last look at what is due.
    this.#syncing = null;
  }

  async #ask(at: TrackerConnection, groups: readonly string[]): Promise<void> {
    if (this.#retry !== null) clearTimeout(this.#retry);
    const before = at === this.#at ? this.#live : new Set<string>();
    this.#at = at;
    const payload = { groups, seenOffset: this.#host.seenOffset() };
    const answer = await at
      .call<Extract<ViewReply<WatchView>, { status: 'accepted' }>>(
        TRACKER_PATTERNS.watchGroups,
        payload,
        WATCH_TIMEOUT_MS,
      )
      .catch(() => null);
    // Gone meanwhile: whatever it said is worth nothing.
    if (this.#at !== at) return;
    if (answer?.status === 'accepted') this.#retryMs = RETRY_MS;
    else if (!isLoggedOut(answer)) this.#askLater();
    this.#live = new Set(answer?.status === 'accepted' ? answer.view.groups : []);
    for (const group of this.#live) if (!before.has(group)) this.#host.reset(group);
  }

  #askLater(): void {
    this.#retry = setTimeout(() => void this.#sync(), this.#retryMs).unref();
    this.#retryMs = Math.min(2 * this.#retryMs, RETRY_MS_MAX);
  }
}

/** Nothing may be watched until the next login, which asks again by itself. */
function isLoggedOut(answer: ViewReply<WatchView> | null): boolean {
  return answer?.status === 'failed' && answer.code === 'not_logged_in';
}
