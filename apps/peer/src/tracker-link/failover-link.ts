// Owns the tracker link: one standing connection to each tracker of tracker_info.txt, presence to all, every request to one
// and to the next when that one cannot answer. A command keeps its id on the way, so it runs once whoever answers.
import { setImmediate } from 'node:timers/promises';
import type { Identity } from '#identity/identity';
import { PRESENCE_DOWNLOADS_MAX, PRESENCE_HEARTBEAT_MS } from '#wire/limits';
import {
  type CommandOutcomeView,
  type CopyPage,
  type DownloadPresence,
  type FilePage,
  type GroupPage,
  type MemberPage,
  type PeerCommandBody,
  type PeerCommandName,
  type PresenceRequest,
  type PresenceView,
  type Push,
  type Refused,
  type ReplyHead,
  type RequestPage,
  type SessionList,
  type SourcesView,
  TRACKER_PATTERNS,
} from '#wire/tracker-api';
import type { TrackerEntry } from '#wire/tracker-info';
import type { ErrorCode } from '#wire/wire-error';
import type { LinkMemory } from './link-memory.ts';
import { OwnSession } from './own-session.ts';
import { unionOf } from './source-union.ts';
import { type OpenChannel, TrackerClient, TrackerGone } from './tracker-client.ts';
import { type ConnectionHost, type Greeting, TrackerConnection } from './tracker-connection.ts';
import type {
  AcceptedCommand,
  CommandAnswer,
  CommandStamp,
  CopyPageRequest,
  EndedSession,
  FilePageRequest,
  GroupsWatch,
  LinkEvent,
  LinkTrust,
  Outage,
  PageRequest,
  TrackerLink,
  TrackerStatus,
  ViewAnswer,
  WantedShare,
} from './tracker-link.ts';
import { type Failed, keyTrouble, outageOf, refusalBy } from './tracker-refusals.ts';
import { type ChangedKey, changedKeyInWords, type TrackerTrust } from './tracker-trust.ts';
import { WatchedGroups } from './watched-groups.ts';

/** A tracker answers a command within five seconds, whatever the log does. */
const COMMAND_TIMEOUT_MS = 5_500;
/** A tracker waits up to 1.5 s for what the peer has seen. */
const VIEW_TIMEOUT_MS = 2_500;
/** Later than this another tracker is not tried any more. */
const FAILOVER_WINDOW_MS = 2_500;
/** Codes with which a tracker speaks for itself alone: another one may do better. */
const OF_ONE_TRACKER: ReadonlySet<ErrorCode> = new Set([
  'tracker_behind',
  'tracker_unavailable',
  'log_unavailable',
  'busy',
  'internal_error',
]);

/** Codes of refusals without a record that hang on who refuses, and when: of a command that went elsewhere too they tell nothing. */
const OF_THE_MOMENT: ReadonlySet<ErrorCode> = new Set(['not_logged_in', 'wrong_credentials', 'rate_limited']);
/** The code with which a tracker leaves open whether the command will stand in the log: no other tracker can say that it will not. */
const LEFT_OPEN: ErrorCode = 'log_unavailable';

export interface FailoverLinkOptions {
  readonly identity: Identity;
  readonly trackers: readonly TrackerEntry[];
  readonly trust: TrackerTrust;
  readonly memory: LinkMemory;
  /** `host:port` where other peers reach this one, best first. */
  readonly addresses: readonly string[];
  readonly transport: PresenceRequest['transport'];
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Over TLS unless told otherwise. */
  readonly openChannel?: OpenChannel;
}

type Reply<Answer> = ReplyHead & (Answer | Refused);

export class FailoverLink implements TrackerLink {
  readonly #options: FailoverLinkOptions;
  readonly #connections: readonly TrackerConnection[];
  readonly #listeners = new Set<(event: LinkEvent) => void>();
  readonly #reachableBy = new Map<TrackerConnection, boolean | null>();
  readonly #session: OwnSession;
  #active: TrackerConnection;
  #said: Pick<PresenceRequest, 'downloading' | 'unserved'> = { downloading: [] };
  #heartbeat: NodeJS.Timeout | null = null;
  #reachable: boolean | null = null;
  #disagreeing: readonly string[] = [];
  /** Trackers through which a command reached the log since a tracker had trouble with it. */
  readonly #tookSince = new Set<TrackerConnection>();
  /** The outage that was told of last. */
  #toldOutage: ErrorCode | null = null;
  /** Offset of the latest news of each group, and of the sessions: every tracker tells it. */
  readonly #latestNews = new Map<string, number>();
  readonly #watched: WatchedGroups;

  constructor(options: FailoverLinkOptions) {
    this.#options = options;
    this.#session = new OwnSession({
      memory: options.memory,
      peerId: options.identity.id,
      renew: (commandId) => this.command('renew_session', {}, { commandId, user: this.user() }),
      tell: (event) => this.#emit(event),
    });
    this.#watched = new WatchedGroups({
      connections: () => (this.#disagreeing.length > 0 ? [] : this.#inOrder()),
      seenOffset: () => options.memory.seenOffset,
      reset: (group) => this.#emit({ type: 'files_reset', group }),
    });
    const host = this.#connectionHost();
    this.#connections = options.trackers.map(
      ({ host: name, port }) => new TrackerConnection({ host: name, port }, host),
    );
    // Peers begin with different trackers, each always with the same one.
    const first = Number.parseInt(options.identity.id.slice(0, 8), 16) % this.#connections.length;
    this.#active = this.#connections[first]!;
  }

  start(): void {
    for (const connection of this.#connections) connection.start();
    this.#heartbeat = setInterval(() => this.#announceToAll(), PRESENCE_HEARTBEAT_MS);
  }

  async close(): Promise<void> {
    if (this.#heartbeat !== null) clearInterval(this.#heartbeat);
    await Promise.all(this.#connections.map((connection) => connection.stop()));
    await Promise.all([this.#options.memory.settled(), this.#options.trust.settled()]);
  }

  user(): string | null {
    return this.#options.memory.user;
  }

  endedSession(): EndedSession | null {
    return this.#options.memory.ended;
  }

  logId(): string | null {
    return this.#options.memory.logId;
  }

  trust(): LinkTrust | null {
    return this.#options.trust.trust();
  }

  reachable(): boolean | null {
    return this.#reachable;
  }

  trackers(): TrackerStatus[] {
    return this.#connections.map((connection) => this.#statusOf(connection));
  }

  outage(): Outage | null {
    if (this.#disagreeing.length > 0) return outageOf({ code: 'trackers_disagree' });
    const ready = this.#connections.filter(({ state }) => state === 'ready');
    const well = ready.filter(({ trouble }) => trouble === null);
    const troubles = ready.flatMap(({ trouble }) => trouble ?? []);
    // All share one log: what one tracker finds of it holds for those, too, that have not appended anything since.
    const ofLog = troubles.find(({ reason }) => reason === 'log_unavailable');
    if (ofLog !== undefined && !well.some((connection) => this.#tookSince.has(connection))) {
      return outageOf(refusalBy(ofLog));
    }
    if (well.length > 0) return null;
    if (troubles[0] !== undefined) return outageOf(refusalBy(troubles[0]));
    // Nobody knows before all were tried.
    const isTrying = this.#connections.some(({ state }) => state === 'connecting');
    return isTrying ? null : outageOf(this.#nobodyAnswers());
  }

  onEvent(listener: (event: LinkEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  announce(all: readonly DownloadPresence[], unserved: readonly number[] = []): void {
    // The rest is fetched all the same; others are not sent here for it.
    const downloading = all.slice(0, PRESENCE_DOWNLOADS_MAX);
    this.#said = { downloading, ...(unserved.length > 0 && { unserved: [...unserved] }) };
    this.#announceToAll();
  }

  async command<Name extends PeerCommandName>(
    name: Name,
    body: PeerCommandBody<Name>,
    { commandId, user, correlationId = commandId }: CommandStamp,
  ): Promise<CommandAnswer> {
    const payload = { commandId, correlationId, seenOffset: this.#options.memory.seenOffset, user, body };
    return this.#session.during({ name, body }, async () => {
      const reply = await this.#ask<AcceptedCommand>(name, payload, { timeoutMs: COMMAND_TIMEOUT_MS, isCommand: true });
      if (reply.status !== 'accepted') return reply;
      const { offset, result } = reply;
      return { status: 'accepted', offset, result };
    });
  }

  commandOutcome({ commandId, user }: CommandStamp): Promise<ViewAnswer<CommandOutcomeView>> {
    return this.#view(TRACKER_PATTERNS.commandOutcome, { commandId, user });
  }

  listGroups(page: PageRequest): Promise<ViewAnswer<GroupPage>> {
    return this.#view(TRACKER_PATTERNS.listGroups, page);
  }

  listMembers(group: string, page: PageRequest): Promise<ViewAnswer<MemberPage>> {
    return this.#view(TRACKER_PATTERNS.listMembers, { group, ...page });
  }

  listRequests(group: string, page: PageRequest): Promise<ViewAnswer<RequestPage>> {
    return this.#view(TRACKER_PATTERNS.listRequests, { group, ...page });
  }

  listFiles(group: string, page: FilePageRequest): Promise<ViewAnswer<FilePage>> {
    return this.#view(TRACKER_PATTERNS.listFiles, { group, ...page });
  }

  listSessions(): Promise<ViewAnswer<SessionList>> {
    return this.#view(TRACKER_PATTERNS.listSessions, {});
  }

  listCopies(request: CopyPageRequest): Promise<ViewAnswer<CopyPage>> {
    return this.#view(TRACKER_PATTERNS.listCopies, request);
  }

  watchGroups(groups: readonly string[]): GroupsWatch {
    return this.#watched.watch(groups);
  }

  async findSources({ group, file, version }: WantedShare): Promise<ViewAnswer<SourcesView>> {
    const request = { group, file, ...(version !== undefined && { version }) };
    const payload = { ...request, seenOffset: this.#options.memory.seenOffset };
    const ready = this.#connections.filter(({ state }) => state === 'ready');
    if (ready.length < 2 || this.#disagreeing.length > 0) return this.#view(TRACKER_PATTERNS.findSources, request);
    const replies = await Promise.allSettled(
      ready.map((connection) =>
        connection.call<{ status: 'accepted'; view: SourcesView }>(
          TRACKER_PATTERNS.findSources,
          payload,
          VIEW_TIMEOUT_MS,
        ),
      ),
    );
    const views = replies.flatMap((reply) =>
      reply.status === 'fulfilled' && reply.value.status === 'accepted' ? [reply.value] : [],
    );
    // Nobody has it, or nobody answered: one tracker after the other says why.
    if (views.length === 0) return this.#view(TRACKER_PATTERNS.findSources, request);
    const newest = views.reduce((left, right) => (right.appliedOffset > left.appliedOffset ? right : left));
    this.#options.memory.saw(newest.appliedOffset);
    return {
      status: 'accepted',
      asOfOffset: newest.appliedOffset,
      view: unionOf(
        newest.view,
        views.map(({ view }) => view),
      ),
    };
  }

  async #view<View>(pattern: string, request: object): Promise<ViewAnswer<View>> {
    const payload = { ...request, seenOffset: this.#options.memory.seenOffset };
    const reply = await this.#ask<{ status: 'accepted'; view: View }>(pattern, payload, {
      timeoutMs: VIEW_TIMEOUT_MS,
      isCommand: false,
    });
    if (reply.status !== 'accepted') return reply;
    return { status: 'accepted', asOfOffset: reply.appliedOffset, view: reply.view };
  }

  /** Asks one tracker after the other, the active one first, until one speaks for the log. */
  async #ask<Answer extends { readonly status: 'accepted' }>(
    pattern: string,
    payload: object,
    { timeoutMs, isCommand }: { timeoutMs: number; isCommand: boolean },
  ): Promise<(ReplyHead & Answer) | Refused> {
    const startedMs = performance.now();
    if (isCommand) await whatHasArrived();
    if (!this.#connections.some(({ state }) => state === 'ready')) await this.#anyReady();
    if (this.#disagreeing.length > 0) return { status: 'failed', code: 'trackers_disagree' };
    let mayHaveArrived = false;
    let ofOneTracker: Refused | null = null;
    for (const connection of this.#inOrder()) {
      try {
        const reply = await connection.call<Answer>(pattern, payload, timeoutMs);
        this.#noteReply(connection, reply);
        if (reply.status !== 'failed' || !OF_ONE_TRACKER.has(reply.code)) {
          this.#makeActive(connection);
          const isOfTheMoment = isCommand && reply.status === 'failed' && OF_THE_MOMENT.has(reply.code);
          if (isOfTheMoment && (mayHaveArrived || ofOneTracker?.code === LEFT_OPEN)) break;
          return this.#session.explained(withoutHead(reply));
        }
        if (ofOneTracker?.code !== LEFT_OPEN) ofOneTracker = reply;
      } catch (error) {
        if (!(error instanceof TrackerGone)) throw error;
        mayHaveArrived ||= error.mayHaveArrived;
      }
      if (performance.now() - startedMs > FAILOVER_WINDOW_MS) break;
    }
    if (isCommand && mayHaveArrived) return { status: 'failed', code: 'outcome_unknown' };
    return ofOneTracker ?? this.#nobodyAnswers();
  }

  /** A tracker that is refused is there, and trying again is of no use: somebody has to be told. */
  #nobodyAnswers(): Failed {
    const trouble = this.#connections.find((connection) => connection.trouble !== null)?.trouble ?? null;
    if (trouble !== null) return refusalBy(trouble);
    if (this.#connections.some(({ state }) => state === 'catching_up'))
      return { status: 'failed', code: 'tracker_behind' };
    const [changedKey] = this.#connections.flatMap((connection) => this.#changedKeyOf(connection) ?? []);
    if (changedKey === undefined) return { status: 'failed', code: 'tracker_unavailable' };
    return { status: 'failed', code: 'tracker_unavailable', detail: changedKeyInWords(changedKey) };
  }

  /** Resolves when one tracker is ready, or every one has been tried anew. */
  async #anyReady(): Promise<void> {
    const attempts = this.#connections.map(async (connection) => {
      await connection.attemptNow();
      if (connection.state !== 'ready') throw new Error('not ready');
    });
    await Promise.any(attempts).catch(() => undefined);
  }

  #inOrder(): TrackerConnection[] {
    const ready = this.#connections.filter(({ state }) => state === 'ready');
    const activeFirst = [
      ...ready.filter((connection) => connection === this.#active),
      ...ready.filter((other) => other !== this.#active),
    ];
    // One that knows itself that it takes no commands comes after those that may.
    return activeFirst.toSorted((left, right) => Number(left.trouble !== null) - Number(right.trouble !== null));
  }

  #noteReply(
    connection: TrackerConnection,
    reply: Reply<{ readonly status: 'accepted'; readonly offset?: number }>,
  ): void {
    this.#options.memory.saw(reply.appliedOffset);
    if ('offset' in reply && reply.offset !== null) {
      this.#tookSince.add(connection);
      this.#noteOutage();
    }
    // Someone ended this session elsewhere, and the push of it has not arrived.
    if (reply.status === 'failed' && reply.code === 'not_logged_in' && this.user() !== null)
      void connection.greetAgain();
  }

  #makeActive(connection: TrackerConnection): void {
    if (connection === this.#active) return;
    const before = this.#active;
    this.#active = connection;
    for (const changed of [before, connection])
      this.#emit({ type: 'tracker_changed', tracker: this.#statusOf(changed) });
  }

  #statusOf(connection: TrackerConnection): TrackerStatus {
    const { address, state, appliedOffset } = connection;
    const active = connection === this.#active && state === 'ready';
    const changedKey = this.#changedKeyOf(connection);
    const trouble = changedKey === null ? connection.trouble : keyTrouble(changedKey);
    return { address, trackerId: this.#options.trust.expectedId(address), state, active, appliedOffset, trouble };
  }

  #changedKeyOf({ address, state, shownId }: TrackerConnection): ChangedKey | null {
    const expected = this.#options.trust.expectedId(address);
    return state === 'refused' && expected !== null ? { address, expected, shown: shownId } : null;
  }

  #connectionHost(): ConnectionHost {
    const { identity, addresses, transport, random, trust } = this.#options;
    const { openChannel = (to) => new TrackerClient(to) } = this.#options;
    return {
      identity,
      random,
      openChannel,
      admits: (connection, shownId) => {
        if (trust.admits(connection.address, shownId)) return true;
        this.#refuseKey(connection, shownId);
        return false;
      },
      presence: () => ({ addresses: [...addresses], ...this.#said, transport }),
      greeted: (connection, greeting) => this.#greeted(connection, greeting),
      present: (connection, reply) => this.#present(connection, reply),
      pushed: (connection, push) => this.#pushed(connection, push),
      changed: (connection) => {
        if (connection.trouble?.reason === 'log_unavailable') this.#tookSince.clear();
        this.#watched.changed(connection);
        this.#emit({ type: 'tracker_changed', tracker: this.#statusOf(connection) });
        this.#noteOutage();
      },
    };
  }

  #refuseKey(connection: TrackerConnection, shownId: string | null): void {
    const expected = this.#options.trust.expectedId(connection.address);
    if (expected === null) return this.#askForKeys();
    if (connection.state === 'refused') return;
    connection.refuse();
    this.#emit({ type: 'tracker_key_changed', address: connection.address, expected, shown: shownId });
  }

  /** Whoever is trusted may have been greeted before the log had the key that was shown now. */
  #askForKeys(): void {
    for (const connection of this.#connections) if (connection.state === 'ready') void connection.greetAgain();
  }

  #greeted(connection: TrackerConnection, { shownId, head, view }: Greeting): void {
    this.#compareLogs();
    if (this.#disagreeing.length > 0) return;
    const before = this.user();
    this.#options.memory.follow(head.logId);
    if (this.user() !== before) this.#emit({ type: 'session_changed', user: this.user(), ended: null });
    // A command tells how far its sender has seen, and one that has seen nothing is refused on a long log.
    this.#options.memory.saw(head.appliedOffset);
    const isNew = this.#options.trust.learn({ address: connection.address, shownId }, head.logId, view.trackers);
    if (isNew) this.#emit({ type: 'trust_changed' });
    this.#session.is(view.user, head.appliedOffset);
  }

  /** Trackers of two logs cannot both be right, and neither can be told to be wrong from here. */
  #compareLogs(): void {
    const logIds = [...new Set(this.#connections.flatMap(({ logId }) => (logId === null ? [] : [logId])))].sort();
    const disagreeing = logIds.length > 1 ? logIds : [];
    if (disagreeing.length > this.#disagreeing.length) this.#emit({ type: 'trackers_disagree', logIds });
    this.#disagreeing = disagreeing;
    this.#noteOutage();
  }

  #present(connection: TrackerConnection, { view, appliedOffset }: ReplyHead & { view: PresenceView }): void {
    if (this.#disagreeing.length === 0) {
      this.#options.memory.saw(appliedOffset);
      this.#session.presented(view, appliedOffset);
    }
    this.#reachableBy.set(connection, view.reachable);
    const answers = new Set(this.#reachableBy.values());
    const reachable = answers.has(true) ? true : answers.has(false) ? false : null;
    if (reachable === this.#reachable) return;
    this.#reachable = reachable;
    this.#emit({ type: 'reachability_changed', reachable });
  }

  #pushed(connection: TrackerConnection, push: Push): void {
    if (push.type === 'subscribed') return this.#watched.subscribed(connection);
    if (this.#disagreeing.length > 0) return;
    if (push.type === 'session_changed') return this.#session.is(push.user, push.offset);
    if (push.type === 'files_changed' || push.type === 'files_reset') {
      if (!this.#watched.isWatched(connection, push.group)) return;
      this.#options.memory.saw(push.offset);
    }
    if (push.type === 'group_changed' || push.type === 'sessions_changed') {
      const about = push.type === 'group_changed' ? `group ${push.group}` : 'sessions';
      if (push.offset <= (this.#latestNews.get(about) ?? -1)) return;
      this.#latestNews.set(about, push.offset);
      // Whoever is asked next may not have read as far as who told it.
      this.#options.memory.saw(push.offset);
    }
    this.#emit(push);
    if (push.type === 'group_changed') this.#watched.groupChanged(push.group);
  }

  #noteOutage(): void {
    const outage = this.outage();
    if ((outage?.code ?? null) === this.#toldOutage) return;
    this.#toldOutage = outage?.code ?? null;
    this.#emit({ type: 'outage_changed', outage });
  }

  #announceToAll(): void {
    for (const connection of this.#connections) void connection.announce();
  }

  #emit(event: LinkEvent): void {
    if (event.type === 'session_changed') this.#watched.renew();
    for (const listener of this.#listeners) listener(event);
  }
}

/**
 * Resolves when everything that has arrived by now has been dealt with. Connections that are closed already are noticed
 * then, so that a command is not sent into one and left in doubt. Two turns: one to read the end, one to close.
 */
async function whatHasArrived(): Promise<void> {
  await setImmediate();
  await setImmediate();
}

function withoutHead<Answer>(reply: Reply<Answer>): (ReplyHead & Answer) | Refused {
  return reply;
}
