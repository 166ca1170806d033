// Owns what has to hold whatever fails, checked while the simulation runs: what the log says, against what trackers and people
// say (log-check.ts), and beside it what hangs on time and on who is up: presence, pushes, grants in an outage.
import { RULES } from '#domain/rules';
import { GRANT_LIFETIME_MS, PRESENCE_EXPIRY_MS } from '#wire/limits';
import { type Push, type SourcesView, TRACKER_PATTERNS } from '#wire/tracker-api';
import { LOG_SILENCE_MAX_MS } from '../../apps/tracker/src/grants/grants.ts';
import { NEWER_RULES } from './builds.ts';
import { LogCheck } from './log-check.ts';
import { PushCheck } from './push-check.ts';
import type { SimulatedLog } from './simulated-log.ts';
import type { IncomingRequest } from './simulated-network.ts';
import type { Reply, SimulatedTracker, TrackerObserver, TrackerPlants } from './simulated-tracker.ts';
import { SimulatedProcess, type SimulatedWorld } from './simulated-world.ts';

/** What was on its way when the log went away, or when a peer was last heard of, may still count. */
const SLACK_MS = 2_000;
/** A connection tried anew, one tracker that does not answer, and a second one. */
const CALL_MS_MAX = 12_000;

export class Invariants extends LogCheck implements TrackerObserver {
  readonly #world: SimulatedWorld;
  /** By process of a tracker. */
  readonly #pushes = new Map<SimulatedProcess, PushCheck>();
  /** When a peer's presence last came to a process of a tracker. */
  readonly #presences = new Map<string, number>();
  /** When the log began to be away for a process, or with null for all. */
  readonly #logAwaySinceMs = new Map<SimulatedProcess | null, number>();
  #grantCount = 0;
  #activatedAt: number | null = null;
  #isDoubtRight: (tracker: SimulatedTracker) => boolean = () => false;
  #isHaltRight: (tracker: SimulatedTracker, reason: Error) => boolean = () => false;

  constructor(world: SimulatedWorld, log: SimulatedLog, digestOf?: TrackerPlants['digest']) {
    super((words) => world.fail(words), digestOf, NEWER_RULES);
    this.#world = world;
    // Signatures are what they are in a simulated process alone.
    const judge = new SimulatedProcess(world, 'judge');
    log.onStored((record) => {
      judge.run(() => this.stored(record));
      if (this.state.rulesVersion > RULES.newestVersion) this.#activatedAt ??= record.offset;
    });
  }

  /** Grants that were looked at. */
  get grantCount(): number {
    return this.#grantCount;
  }

  /** Offset of the record since which the newer rules are in force, or null. */
  get activatedAt(): number | null {
    return this.#activatedAt;
  }

  /** Asks whether a tracker halts with right; without that none does. */
  onHalted(isHaltRight: (tracker: SimulatedTracker, reason: Error) => boolean): void {
    this.#isHaltRight = isHaltRight;
  }

  /** Asks whether a tracker has reason to compute anew what its snapshots hold; without that none has: equal states have equal ones. */
  onDoubted(isDoubtRight: (tracker: SimulatedTracker) => boolean): void {
    this.#isDoubtRight = isDoubtRight;
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

  /** However it ends, one call of a command ends soon. */
  took(what: string, tookMs: number): void {
    this.check(tookMs <= CALL_MS_MAX, () => `${what} took ${tookMs} ms`);
  }

  applied(tracker: SimulatedTracker, offset: number): void {
    const decided = this.decidedAt(offset);
    const { name } = tracker.process;
    const isRight = tracker.digest === decided?.digest || tracker.hasErred;
    this.check(isRight, () => `${name} has another digest at offset ${offset}`);
    const isKnown =
      offset <= (this.#activatedAt ?? Infinity) || tracker.build.rules.newestVersion > RULES.newestVersion;
    this.check(isKnown, () => `${name} applies ${offset}, which comes under rules that it does not know`);
    const missed = this.#pushesOf(tracker).missed(offset, decided?.applied.events ?? []);
    this.check(missed === null, () => `${name}: ${missed}`);
  }

  pushed(tracker: SimulatedTracker, peerId: string, push: Push): void {
    this.#world.trace(`${tracker.process.name} pushes ${push.type} ${push.offset} to ${peerId.slice(0, 8)}`);
    const problem = this.#pushesOf(tracker).pushed(peerId, push);
    this.check(problem === null, () => `${push.type} at ${push.offset} for ${peerId.slice(0, 8)} ${problem}`);
  }

  unsubscribed(tracker: SimulatedTracker, peerId: string): void {
    this.#pushesOf(tracker).unsubscribed(peerId);
  }

  halted(tracker: SimulatedTracker, reason: Error): void {
    if (this.#isHaltRight(tracker, reason)) return;
    this.#world.fail(`${tracker.process.name} halts although the log is sound: ${reason.message}`);
  }

  doubted(tracker: SimulatedTracker, reason: string): void {
    const { name } = tracker.process;
    this.#world.trace(`${name} computes everything anew: ${reason}`);
    this.check(this.#isDoubtRight(tracker), () => `${name} doubts its snapshots, and nobody is wrong: ${reason}`);
  }

  asked(tracker: SimulatedTracker, { pattern, caller }: IncomingRequest): void {
    if (pattern !== TRACKER_PATTERNS.presence) return;
    this.#presences.set(`${tracker.process.name} ${caller.peerId}`, this.#world.elapsedMs);
  }

  replied(tracker: SimulatedTracker, request: IncomingRequest, reply: Reply): void {
    this.#world.trace(`${tracker.process.name} ${request.pattern} ${reply.status} ${reply.appliedOffset}`);
    this.replyTold({ pattern: request.pattern, payload: request.payload, peerId: request.caller.peerId }, reply);
    if (request.pattern !== TRACKER_PATTERNS.findSources || reply.status !== 'accepted') return;
    const what = `${request.pattern} for ${request.caller.peerId.slice(0, 8)} at ${reply.appliedOffset}`;
    this.#sourcesShown(tracker, what, (reply as Reply & { view: SourcesView }).view);
  }

  #pushesOf({ process }: SimulatedTracker): PushCheck {
    const known = this.#pushes.get(process) ?? new PushCheck(this.timeline);
    this.#pushes.set(process, known);
    return known;
  }

  #sourcesShown(tracker: SimulatedTracker, what: string, { sources, share, grant }: SourcesView): void {
    const offset = tracker.replica.appliedOffset;
    for (const { peerId, user } of sources) {
      const isIn = this.timeline.sessions.at(peerId, offset)?.user === user;
      this.check(isIn, () => `${what} names ${peerId.slice(0, 8)}, where ${user} is not logged in`);
      const isMember = this.timeline.isMember(share.groupId, user, offset);
      this.check(isMember, () => `${what} names ${user}, who is no member`);
      const lastMs = this.#presences.get(`${tracker.process.name} ${peerId}`) ?? -Infinity;
      const silentMs = this.#world.elapsedMs - lastMs;
      const isOnline = silentMs <= PRESENCE_EXPIRY_MS + slackOf(tracker);
      this.check(isOnline, () => `${what} names ${peerId.slice(0, 8)}, which was silent for ${silentMs} ms`);
    }
    if (grant !== null) this.#granted(tracker, grant);
  }

  /** A grant is true as of how far its tracker had read, lives for two minutes, and is not given when the log is away for long. */
  #granted(tracker: SimulatedTracker, text: string): void {
    this.#grantCount += 1;
    const told = this.grantTold(text);
    if (told === null) return;
    const { what, claims } = told;
    this.check(!tracker.replica.isDisputed, () => `${what} is given while a checkpoint disputes what its tracker has`);
    const lifetimeMs = claims.expiresAtMs - (this.#world.wallMs + tracker.process.clockSkewMs);
    this.check(lifetimeMs <= GRANT_LIFETIME_MS, () => `${what} lives for ${lifetimeMs} ms`);
    const sinceMs = [null, tracker.process].map((process) => this.#logAwaySinceMs.get(process) ?? Infinity);
    const awayMs = this.#world.elapsedMs - Math.min(...sinceMs);
    const isSuspended = awayMs > LOG_SILENCE_MAX_MS + slackOf(tracker);
    this.check(!isSuspended, () => `${what} is given when the log was away for ${awayMs} ms`);
  }
}

/** By how much a tracker may take something for younger than it is: its clock was set back, or it stood still. */
function slackOf({ clockSetBackMs, process }: SimulatedTracker): number {
  return SLACK_MS + clockSetBackMs + process.pausedMs;
}
