// Owns the standing connection to one tracker: it comes back by itself, says hello, subscribes, and makes this peer's
// presence known, again and again. A tracker that is silent is asked whether it is there; one that is not is given up.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Identity } from '#identity/identity';
import { formatHostPort, type HostPort } from '#wire/host-port';
import {
  type HelloView,
  type PresenceRequest,
  type PresenceView,
  type Push,
  type Refused,
  type ReplyHead,
  TRACKER_PATTERNS,
  type ViewReply,
} from '#wire/tracker-api';
import type { TrackerState } from '#wire/control-status';
import type { TrackerTrouble } from '#wire/tracker-trouble';
import { type OpenChannel, type TrackerChannel, TrackerGone } from './tracker-client.ts';

const RETRY_MIN_MS = 100;
const RETRY_MAX_MS = 1_000;
const CATCHING_UP_MS = 250;
const GREETING_TIMEOUT_MS = 2_000;
const PRESENCE_TIMEOUT_MS = 3_000;
/** A tracker that has not answered for this long is asked whether it is there, and has as long to say so. */
const SILENCE_MS = 600;
/** A tracker that is still finding out whether it can reach this peer is asked again after this. */
const REACHABILITY_MS = 1_000;

/** A hello, with the key that the tracker showed for it. */
export interface Greeting {
  readonly shownId: string;
  readonly head: ReplyHead;
  readonly view: HelloView;
}

/** What a connection asks of, and tells, the link that it belongs to. */
export interface ConnectionHost {
  readonly identity: Identity;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly openChannel: OpenChannel;
  /** Whether the tracker may show this key; it is told when not. */
  admits(connection: TrackerConnection, shownId: string | null): boolean;
  presence(): PresenceRequest;
  greeted(connection: TrackerConnection, greeting: Greeting): void;
  present(connection: TrackerConnection, reply: ReplyHead & { readonly view: PresenceView }): void;
  pushed(connection: TrackerConnection, push: Push): void;
  changed(connection: TrackerConnection): void;
}

export class TrackerConnection {
  readonly endpoint: HostPort;
  /** As in tracker_info.txt. */
  readonly address: string;
  readonly #host: ConnectionHost;
  readonly #stopping = new AbortController();
  /** The connection that is being made, or that stands. */
  #opened: TrackerChannel | null = null;
  /** The connection, from its handshake to its end. */
  #client: TrackerChannel | null = null;
  #shownId = '';
  /** The connection over which reachability was asked for again. */
  #askedAgain: TrackerChannel | null = null;
  #state: TrackerState = 'connecting';
  #appliedOffset: number | null = null;
  #logId: string | null = null;
  #trouble: TrackerTrouble | null = null;
  /** By its last hello. */
  #takesUnserved = false;
  /** Wakes the loop from its pause, and is told what the next attempt came to. */
  #wake: () => void = () => undefined;
  #attempted: (() => void)[] = [];
  #running: Promise<void> | null = null;

  constructor(endpoint: HostPort, host: ConnectionHost) {
    this.endpoint = endpoint;
    this.address = formatHostPort(endpoint);
    this.#host = host;
  }

  get state(): TrackerState {
    return this.#state;
  }

  /** How far the tracker had read when it last answered. */
  get appliedOffset(): number | null {
    return this.#appliedOffset;
  }

  /** The log that it serves, by its last answer; kept when it goes away. */
  get logId(): string | null {
    return this.#logId;
  }

  /** What keeps it from taking commands, by its last answer; null while nothing does, and while there is no connection. */
  get trouble(): TrackerTrouble | null {
    return this.#trouble;
  }

  /** The key that it showed last, 64 hex characters; null for none. */
  get shownId(): string | null {
    return this.#shownId === '' ? null : this.#shownId;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#opened?.destroy();
    this.#wake();
    await this.#running;
  }

  /** One attempt to connect now, unless there is a connection; resolves when it has come to something. */
  attemptNow(): Promise<void> {
    const isConnected = this.#state === 'ready' || this.#state === 'catching_up' || this.#state === 'unready';
    if (isConnected || this.#stopping.signal.aborted) return Promise.resolve();
    const attempt = new Promise<void>((resolve) => this.#attempted.push(resolve));
    this.#wake();
    return attempt;
  }

  /** One request. A tracker that stays silent has to answer a hello meanwhile. Throws TrackerGone. */
  async call<Answer>(pattern: string, payload: object, timeoutMs: number): Promise<ReplyHead & (Answer | Refused)> {
    const client = this.#client;
    if (client === null) throw new TrackerGone('there is no connection', { mayHaveArrived: false });
    const probe = setTimeout(() => void this.#probe(client), SILENCE_MS);
    try {
      const reply = await client.call<ReplyHead & (Answer | Refused)>(pattern, payload, timeoutMs);
      this.#observe(reply);
      return reply;
    } finally {
      clearTimeout(probe);
    }
  }

  /** Tells the tracker that this peer is there, what it is downloading, and what it cannot serve. */
  async announce(): Promise<void> {
    const client = this.#client;
    if (client === null || this.#state === 'connecting') return;
    try {
      const { unserved, ...known } = this.#host.presence();
      const presence = this.#takesUnserved && unserved !== undefined ? { ...known, unserved } : known;
      const reply = await client.call<ViewReply<PresenceView>>(
        TRACKER_PATTERNS.presence,
        presence,
        PRESENCE_TIMEOUT_MS,
      );
      this.#observe(reply);
      if (reply.status !== 'accepted') return;
      this.#host.present(this, reply);
      if (reply.view.reachable === null) this.#announceSoon(client);
    } catch {
      client.destroy();
    }
  }

  /** Asks anew who is logged in here, as far as this tracker has read. */
  async greetAgain(): Promise<void> {
    if (this.#client === null) return;
    await this.#greet(this.#client).catch(() => undefined);
  }

  /** The tracker showed a key that it must not show. */
  refuse(): void {
    this.#become('refused');
  }

  async #run(): Promise<void> {
    let retryMs = RETRY_MIN_MS;
    while (!this.#stopping.signal.aborted) {
      const wasReady = await this.#connectOnce();
      retryMs = wasReady ? RETRY_MIN_MS : Math.min(retryMs * 2, RETRY_MAX_MS);
      // Peers of a tracker that returns do not all come at the same moment.
      await this.#pause(retryMs * (0.5 + this.#host.random() / 2));
    }
  }

  /** One connection from its beginning to its end. Returns whether the tracker was of use. */
  async #connectOnce(): Promise<boolean> {
    const client = this.#host.openChannel({
      address: this.endpoint,
      identity: this.#host.identity,
      admits: (shownId) => {
        this.#shownId = shownId ?? '';
        return this.#host.admits(this, shownId);
      },
    });
    this.#opened = client;
    let wasReady = false;
    try {
      await client.connect();
      this.#client = client;
      await this.#begin(client);
      wasReady = true;
      this.#settleAttempts();
      await client.over;
    } catch {
      client.destroy();
    }
    this.#client = null;
    this.#trouble = null;
    if (this.#state !== 'refused' || wasReady) this.#become('unreachable');
    this.#settleAttempts();
    return wasReady;
  }

  /** Hello until the tracker has caught up, presence meanwhile, and then the stream of pushes. */
  async #begin(client: TrackerChannel): Promise<void> {
    while (!(await this.#greet(client))) {
      this.#become(this.#trouble === null || this.#trouble.reason === 'catching_up' ? 'catching_up' : 'unready');
      this.#settleAttempts();
      await this.announce();
      await sleep(CATCHING_UP_MS, undefined, { signal: this.#stopping.signal });
    }
    this.#become('ready');
    this.#subscribe(client);
    void this.announce();
  }

  /** Returns whether the tracker has caught up with its log. */
  async #greet(client: TrackerChannel): Promise<boolean> {
    const reply = await client.call<ViewReply<HelloView>>(TRACKER_PATTERNS.hello, {}, GREETING_TIMEOUT_MS);
    this.#observe(reply);
    if (reply.status !== 'accepted') return false;
    const { logId, trackerId, appliedOffset, trouble, view } = reply;
    const head = { logId, trackerId, appliedOffset, trouble };
    this.#takesUnserved = view.takesUnserved === true;
    if (logId !== '') this.#host.greeted(this, { shownId: this.#shownId, head, view });
    return view.ready && logId !== '';
  }

  #subscribe(client: TrackerChannel): void {
    client.stream<Push>(TRACKER_PATTERNS.subscribe, {}).subscribe({
      next: (push) => {
        // While nobody was logged in the tracker kept nothing of what this peer downloads and cannot serve.
        if (push.type === 'session_changed' && push.user !== null) void this.announce();
        this.#host.pushed(this, push);
      },
      // Without its pushes a connection is worth nothing: the next one resynchronises.
      error: () => client.destroy(),
      complete: () => client.destroy(),
    });
  }

  /** Once for each connection: what is not known then is told at the next heartbeat. */
  #announceSoon(client: TrackerChannel): void {
    if (this.#askedAgain === client) return;
    this.#askedAgain = client;
    void sleep(REACHABILITY_MS, undefined, { signal: this.#stopping.signal }).then(
      () => (this.#client === client ? this.announce() : undefined),
      () => undefined,
    );
  }

  async #probe(client: TrackerChannel): Promise<void> {
    try {
      await client.call(TRACKER_PATTERNS.hello, {}, SILENCE_MS);
    } catch {
      client.destroy();
    }
  }

  #observe({ logId, appliedOffset, trouble }: ReplyHead): void {
    this.#appliedOffset = appliedOffset;
    if (logId !== '') this.#logId = logId;
    this.#isTroubledBy(trouble);
  }

  #isTroubledBy(trouble: TrackerTrouble | null): void {
    const before = this.#trouble?.reason;
    this.#trouble = trouble;
    if (trouble?.reason !== before) this.#host.changed(this);
  }

  #become(state: TrackerState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#host.changed(this);
  }

  #settleAttempts(): void {
    const attempted = this.#attempted;
    this.#attempted = [];
    for (const resolve of attempted) resolve();
  }

  #pause(durationMs: number): Promise<void> {
    if (this.#stopping.signal.aborted || this.#attempted.length > 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, durationMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
