// Owns what has to hold whatever fails, checked while the simulation runs: against the log itself, replayed once more here by
// the domain's own function, against the timeline of what was true at each offset, and against what was answered before.
import { type Applied, apply, outcomeKey } from '#domain/apply';
import { commandContent } from '#domain/command';
import type { LogRecord } from '#domain/record';
import { emptyState, type State } from '#domain/state';
import { grantFromText, openGrant } from '#wire/grant';
import { GRANT_LIFETIME_MS, PRESENCE_EXPIRY_MS } from '#wire/limits';
import { decodeLogRecord } from '#wire/log-record';
import {
  type CommandOutcomeView,
  type CommandRequest,
  type GroupListRequest,
  type Page,
  PEER_COMMAND_NAMES,
  type PeerCommandName,
  type Push,
  type SessionList,
  type SourcesView,
  TRACKER_PATTERNS,
} from '#wire/tracker-api';
import type { StoredRecord } from '../../apps/tracker/src/command-log/command-log.ts';
import { LOG_SILENCE_MAX_MS } from '../../apps/tracker/src/grants/grants.ts';
import { FIRST_DIGEST, nextDigest } from '../../apps/tracker/src/replica/effect-digest.ts';
import { SignatureCheck } from '../../apps/tracker/src/replica/record-signature.ts';
import type { CommandAnswer } from '../../apps/peer/src/tracker-link/tracker-link.ts';
import { PushCheck } from './push-check.ts';
import type { SimulatedLog } from './simulated-log.ts';
import type { IncomingRequest } from './simulated-network.ts';
import type { Reply, SimulatedTracker, TrackerObserver, TrackerPlants } from './simulated-tracker.ts';
import type { SimulatedProcess, SimulatedWorld } from './simulated-world.ts';
import { type ExpectedView, Timeline } from './timeline.ts';

/** A record of the log, and what it came to here. */
interface Decided {
  readonly record: LogRecord | null;
  readonly content: string;
  readonly applied: Applied;
  readonly digest: string;
}

/** A command as a person began it. */
export interface Invocation {
  readonly commandId: string;
  readonly name: PeerCommandName;
  readonly peerId: string;
  /** The highest offset that anybody had been answered with when it began. */
  readonly begunAfterOffset: number;
}

/** What was on its way when the log went away, or when a peer was last heard of, may still count. */
const SLACK_MS = 2_000;
/** A connection tried anew, one tracker that does not answer, and a second one. */
const CALL_MS_MAX = 12_000;

export class Invariants implements TrackerObserver {
  /** The state after all that stands in the log. */
  readonly state: State = emptyState();
  readonly timeline = new Timeline();
  readonly #world: SimulatedWorld;
  readonly #signatures = new SignatureCheck();
  readonly #decided: Decided[] = [];
  readonly #effectOf = new Map<string, number>();
  /** By process of a tracker. */
  readonly #pushes = new Map<SimulatedProcess, PushCheck>();
  /** When a peer's presence last came to a process of a tracker. */
  readonly #presences = new Map<string, number>();
  readonly #digestOf: (digest: string, state: State) => string;
  /** When the log began to be away for a process, or with null for all. */
  readonly #logAwaySinceMs = new Map<SimulatedProcess | null, number>();
  #digest: Uint8Array = FIRST_DIGEST;
  #highestAnswered = -1;
  #checkCount = 0;
  #grantCount = 0;

  constructor(world: SimulatedWorld, log: SimulatedLog, digestOf: TrackerPlants['digest'] = (digest) => digest) {
    this.#world = world;
    this.#digestOf = digestOf;
    log.onStored((record) => this.#stored(record));
  }

  /** Answers, grants, views and digests that were looked at. */
  get checkCount(): number {
    return this.#checkCount;
  }

  /** Grants that were looked at. */
  get grantCount(): number {
    return this.#grantCount;
  }

  get endOffset(): number {
    return this.#decided.length;
  }

  get digest(): string {
    return this.#digestOf(Buffer.from(this.#digest).toString('hex'), this.state);
  }

  acceptedCount(): number {
    return this.#decided.filter(({ applied }) => applied.outcome.status === 'accepted').length;
  }

  /** Each command with what it came to, `accepted` or a reason, once; sorted. */
  outcomeKinds(): string[] {
    const kinds = this.#decided.map(({ record, applied: { outcome } }) => {
      return `${record?.command.name} ${outcome.status === 'accepted' ? 'accepted' : outcome.reason}`;
    });
    return [...new Set(kinds)].sort();
  }

  /** From now on the log is away for a process, with null for all. */
  logGoesAway(process: SimulatedProcess | null): void {
    this.#logAwaySinceMs.set(process, this.#world.elapsedMs);
  }

  logReturns(process: SimulatedProcess | null): void {
    this.#logAwaySinceMs.delete(process);
  }

  logIsThere(): void {
    this.#logAwaySinceMs.clear();
  }

  begin(about: Pick<Invocation, 'commandId' | 'name' | 'peerId'>): Invocation {
    return { ...about, begunAfterOffset: this.#highestAnswered };
  }

  /** However it ends, one call of a command ends soon. */
  took(what: string, tookMs: number): void {
    this.#check(tookMs <= CALL_MS_MAX, () => `${what} took ${tookMs} ms`);
  }

  /** A person has an answer: it has to be what the log says at its offset, and later than all that was known before. */
  answered(invocation: Invocation, answer: CommandAnswer): void {
    if (answer.status === 'failed' || answer.offset === null) return;
    const { commandId, peerId, begunAfterOffset } = invocation;
    const what = `${invocation.name} ${commandId} answered with ${answer.status} at ${answer.offset}`;
    this.#checkDecision(what, { commandId, peerId, answer: { ...answer, offset: answer.offset } });
    this.#check(answer.offset > begunAfterOffset, () => `${what}, but it began after ${begunAfterOffset} was answered`);
    this.#highestAnswered = Math.max(this.#highestAnswered, answer.offset);
  }

  /** A person was shown something as of an offset, having seen another one before. */
  shown(peerId: string, { asOfOffset, seenOffset }: { asOfOffset: number; seenOffset: number }): void {
    this.#check(
      asOfOffset >= seenOffset,
      () => `${peerId.slice(0, 8)} was shown the state as of ${asOfOffset} after it had seen ${seenOffset}`,
    );
  }

  applied(tracker: SimulatedTracker, offset: number): void {
    const decided = this.#decided[offset];
    const { name } = tracker.process;
    this.#check(tracker.digest === decided?.digest, () => `${name} has another digest at offset ${offset}`);
    const missed = this.#pushesOf(tracker).missed(offset, decided?.applied.events ?? []);
    this.#check(missed === null, () => `${name}: ${missed}`);
  }

  pushed(tracker: SimulatedTracker, peerId: string, push: Push): void {
    this.#world.trace(`${tracker.process.name} pushes ${push.type} ${push.offset} to ${peerId.slice(0, 8)}`);
    const problem = this.#pushesOf(tracker).pushed(peerId, push);
    this.#check(problem === null, () => `${push.type} at ${push.offset} for ${peerId.slice(0, 8)} ${problem}`);
  }

  unsubscribed(tracker: SimulatedTracker, peerId: string): void {
    this.#pushesOf(tracker).unsubscribed(peerId);
  }

  halted(tracker: SimulatedTracker, reason: Error): void {
    this.#world.fail(`${tracker.process.name} halts although the log is sound: ${reason.message}`);
  }

  asked(tracker: SimulatedTracker, { pattern, caller }: IncomingRequest): void {
    if (pattern !== TRACKER_PATTERNS.presence) return;
    this.#presences.set(`${tracker.process.name} ${caller.peerId}`, this.#world.elapsedMs);
  }

  replied(tracker: SimulatedTracker, request: IncomingRequest, reply: Reply): void {
    this.#world.trace(`${tracker.process.name} ${request.pattern} ${reply.status} ${reply.appliedOffset}`);
    if (reply.status === 'failed') return;
    if (PEER_COMMAND_NAMES.includes(request.pattern as PeerCommandName)) this.#commandReplied(request, reply);
    else this.#viewReplied(tracker, request, reply);
  }

  #pushesOf({ process }: SimulatedTracker): PushCheck {
    const known = this.#pushes.get(process) ?? new PushCheck(this.timeline);
    this.#pushes.set(process, known);
    return known;
  }

  #stored(stored: StoredRecord): void {
    const { offset } = stored;
    this.#check(offset === this.#decided.length, () => `offset ${offset} is stored a second time`);
    if (offset !== this.#decided.length) return;
    const record = decodeLogRecord(stored.value);
    const applied = apply(this.state, { offset, record, ...this.#signatures.examine(record, this.state) });
    this.#digest = nextDigest(this.#digest, offset, applied);
    this.timeline.add(offset, record?.timeMs ?? 0, applied.events);
    const content = record === null ? '' : commandContent(record.command);
    this.#decided.push({ record, content, applied, digest: this.digest });
    if (record === null || applied.events.length === 0) return;
    const key = outcomeKey(record);
    const earlier = this.#effectOf.get(key);
    this.#check(earlier === undefined, () => `${key} has an effect at ${earlier} and at ${offset}`);
    this.#effectOf.set(key, offset);
  }

  #commandReplied({ pattern, payload, caller }: IncomingRequest, reply: Reply): void {
    const { commandId } = payload as CommandRequest;
    const answer = reply as Reply & { status: 'accepted' | 'rejected'; offset: number };
    this.#checkDecision(`${pattern} ${commandId}`, { commandId, peerId: caller.peerId, answer });
    const decided = this.#decided[answer.offset];
    const { body } = payload as CommandRequest;
    const isSame = decided !== undefined && isContentOf(decided, pattern, body);
    this.#check(isSame, () => `${pattern} ${commandId} is answered with the outcome of another content`);
  }

  #checkDecision(
    what: string,
    about: {
      commandId: string;
      peerId: string;
      answer: { status: string; offset: number; result?: unknown; reason?: unknown };
    },
  ): void {
    const { answer, commandId, peerId } = about;
    const decided = this.#decided[answer.offset];
    const record = decided?.record;
    const isIts = record?.id === commandId && record.actor.kind === 'peer' && record.actor.peerId === peerId;
    this.#check(isIts, () => `${what}: no such command stands at offset ${answer.offset}`);
    if (decided === undefined || !isIts) return;
    const { outcome, outcomeOffset } = decided.applied;
    this.#check(outcomeOffset === answer.offset, () => `${what}: its first outcome is at ${outcomeOffset}`);
    const { status, result, reason } = answer;
    const told = status === 'accepted' ? { status, result } : { status, reason };
    this.#check(
      JSON.stringify(told) === JSON.stringify(outcome),
      () =>
        `${what}: the answer at ${answer.offset} is ${JSON.stringify(told)}, the log says ${JSON.stringify(outcome)}`,
    );
  }

  #viewReplied(tracker: SimulatedTracker, { pattern, payload, caller }: IncomingRequest, reply: Reply): void {
    const offset = reply.appliedOffset;
    const { seenOffset = -1 } = payload as { seenOffset?: number };
    const what = `${pattern} for ${caller.peerId.slice(0, 8)} at ${offset}`;
    const user = this.timeline.sessions.at(caller.peerId, offset)?.user;
    if (pattern === TRACKER_PATTERNS.hello || pattern === TRACKER_PATTERNS.presence) {
      const said = (reply as Reply & { view: { user: string | null } }).view.user;
      this.#check(said === (user ?? null), () => `${what} says that ${said} is logged in, and it is ${user}`);
      return;
    }
    this.#check(offset >= seenOffset, () => `${what} is older than ${seenOffset}, which was seen`);
    if (pattern === TRACKER_PATTERNS.commandOutcome) {
      this.#outcomeShown(what, { commandId: (payload as CommandRequest).commandId, peerId: caller.peerId }, reply);
      return;
    }
    this.#check(user !== undefined, () => `${what} is shown to nobody who is logged in`);
    if (user === undefined) return;
    const shown = shownOf(pattern, reply);
    const expected = this.#expectedView(pattern, payload as GroupListRequest, { user, offset });
    if (expected !== null) {
      const [told, right] = [JSON.stringify(shown), JSON.stringify(expected)];
      this.#check(told === right, () => `${what} shows ${told}, but true is ${right}`);
    }
    if (pattern === TRACKER_PATTERNS.findSources && reply.status === 'accepted') {
      this.#sourcesShown(tracker, what, (reply as Reply & { view: SourcesView }).view);
    }
  }

  #expectedView(
    pattern: string,
    request: GroupListRequest,
    { user, offset }: { user: string; offset: number },
  ): ExpectedView | null {
    const at = { offset, page: request };
    switch (pattern) {
      case TRACKER_PATTERNS.listGroups:
        return this.timeline.groups(user, offset, request);
      case TRACKER_PATTERNS.listMembers:
        return this.timeline.members(request.group, user, at);
      case TRACKER_PATTERNS.listRequests:
        return this.timeline.requests(request.group, user, at);
      case TRACKER_PATTERNS.listFiles:
        return this.timeline.files(request.group, user, at);
      case TRACKER_PATTERNS.listSessions:
        return this.timeline.ofUser(user, offset);
      default:
        return null;
    }
  }

  #outcomeShown(what: string, about: { commandId: string; peerId: string }, reply: Reply): void {
    if (reply.status !== 'accepted') return;
    const { view } = reply as Reply & { view: CommandOutcomeView };
    if (view.state !== 'unknown') this.#checkDecision(what, { ...about, answer: { status: view.state, ...view } });
  }

  #sourcesShown(tracker: SimulatedTracker, what: string, { sources, share, grant }: SourcesView): void {
    const offset = tracker.replica.appliedOffset;
    for (const { peerId, user } of sources) {
      const isIn = this.timeline.sessions.at(peerId, offset)?.user === user;
      this.#check(isIn, () => `${what} names ${peerId.slice(0, 8)}, where ${user} is not logged in`);
      const isMember = this.timeline.isMember(share.groupId, user, offset);
      this.#check(isMember, () => `${what} names ${user}, who is no member`);
      const lastMs = this.#presences.get(`${tracker.process.name} ${peerId}`) ?? -Infinity;
      const silentMs = this.#world.elapsedMs - lastMs;
      const isOnline = silentMs <= PRESENCE_EXPIRY_MS + slackOf(tracker);
      this.#check(isOnline, () => `${what} names ${peerId.slice(0, 8)}, which was silent for ${silentMs} ms`);
    }
    if (grant !== null) this.#granted(tracker, grant);
  }

  /** A grant has to be true at the offset that it names, which is how far its tracker had read. */
  #granted(tracker: SimulatedTracker, text: string): void {
    this.#grantCount += 1;
    const opened = openGrant(grantFromText(text)!, { verify: () => true });
    if (!opened.ok) return this.#world.fail(`a grant is ${opened.reason}`);
    const { groupId, shareId, user, peerId, asOfOffset, contentId, expiresAtMs } = opened.claims;
    const what = `a grant of share ${shareId} for ${user} on ${peerId.slice(0, 8)} as of ${asOfOffset}`;
    const { timeline } = this;
    this.#check(timeline.isMember(groupId, user, asOfOffset), () => `${what}: no member`);
    this.#check(timeline.sessions.at(peerId, asOfOffset)?.user === user, () => `${what}: not logged in`);
    const isAllowed = timeline.downloaders.at(`${shareId} ${peerId}`, asOfOffset) === user;
    this.#check(isAllowed, () => `${what}: no download_file stands`);
    this.#check(timeline.hasShare(groupId, { shareId, contentId }, asOfOffset), () => `${what}: no such share`);
    const lifetimeMs = expiresAtMs - (this.#world.wallMs + tracker.process.clockSkewMs);
    this.#check(lifetimeMs <= GRANT_LIFETIME_MS, () => `${what} lives for ${lifetimeMs} ms`);
    const sinceMs = [null, tracker.process].map((process) => this.#logAwaySinceMs.get(process) ?? Infinity);
    const awayMs = this.#world.elapsedMs - Math.min(...sinceMs);
    const isSuspended = awayMs > LOG_SILENCE_MAX_MS + slackOf(tracker);
    this.#check(!isSuspended, () => `${what} is given when the log was away for ${awayMs} ms`);
  }

  #check(holds: boolean, words: () => string): void {
    this.#checkCount += 1;
    if (!holds) this.#world.fail(words());
  }
}

/** By how much a tracker may take something for younger than it is: its clock was set back, or it stood still. */
function slackOf({ clockSetBackMs, process }: SimulatedTracker): number {
  return SLACK_MS + clockSetBackMs + process.pausedMs;
}

function isContentOf({ record, content }: Decided, pattern: string, body: object): boolean {
  if (record === null) return false;
  const fields = Object.keys(record.command.data).filter((field) => Object.hasOwn(body, field));
  const data = Object.fromEntries(fields.map((field) => [field, (body as Record<string, unknown>)[field]]));
  return commandContent({ name: pattern, data } as never) === content;
}

/** The part of a view that the log alone decides. */
function shownOf(pattern: string, reply: Reply): ExpectedView {
  if (reply.status === 'rejected') return (reply as Reply & { reason: string }).reason;
  const { items } = (reply as Reply & { view: Page<Record<string, unknown>> | SessionList }).view;
  if (pattern !== TRACKER_PATTERNS.listFiles) return items;
  return (items as readonly Record<string, unknown>[]).map(({ file, shareId, contentId, sharedBy }) => ({
    file,
    shareId,
    contentId,
    sharedBy,
  }));
}
