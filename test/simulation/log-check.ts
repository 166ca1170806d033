// Owns what a log says, replayed once more by the domain's own function, and whether what somebody was told agrees with it:
// outcomes and views at their offsets, grants, digests, the order of commands in real time, what a session has seen. It
// knows neither trackers nor clocks: simulations ask it as they go, histories of real trackers when they are over.
import { type Applied, outcomeKey } from '#domain/apply';
import { commandContent, COMMANDS } from '#domain/command';
import type { LogRecord } from '#domain/record';
import { type Rules, RULES } from '#domain/rules';
import { emptyState, type State } from '#domain/state';
import { type GrantClaims, grantFromText, openGrant } from '#wire/grant';
import { decodeLogRecord } from '#wire/log-record';
import {
  type CommandOutcomeView,
  type CommandRequest,
  type FileListRequest,
  type Page,
  PEER_COMMAND_NAMES,
  type PeerCommandName,
  type SessionList,
  TRACKER_PATTERNS,
} from '#wire/tracker-api';
import type { StoredRecord } from '../../apps/tracker/src/command-log/command-log.ts';
import { canonicalJson, FIRST_DIGEST, nextDigest } from '../../apps/tracker/src/replica/effect-digest.ts';
import { SignatureCheck } from '../../apps/tracker/src/replica/record-signature.ts';
import type { CommandAnswer } from '../../apps/peer/src/tracker-link/tracker-link.ts';
import { type ExpectedView, Timeline } from './timeline.ts';

/** A record of the log, and what it came to here. */
export interface Decided {
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
  /** Times that it was sent and is not answered: nobody may be there any more to hear. */
  openCount: number;
  isAcknowledged: boolean;
  /** Whether every answer so far says that nothing was done. */
  isDenied: boolean;
}

/** Codes that tell that nothing was done, nor will be: who hears them may forget the command. */
const DENIALS: ReadonlySet<string> = new Set([
  'not_logged_in',
  'wrong_credentials',
  'rate_limited',
  'tracker_unavailable',
  'tracker_behind',
  'busy',
]);
/** Codes that no fault excuses. */
const BUGS: ReadonlySet<string> = new Set(['internal_error', 'invalid_request', 'trackers_disagree', 'too_large']);

/** An outcome that somebody was told. */
export interface ToldOutcome {
  readonly status: string;
  readonly offset: number;
  readonly result?: unknown;
  readonly reason?: unknown;
}

/** What a peer asked of a tracker. */
export interface AskedOfTracker {
  readonly pattern: string;
  readonly payload: object;
  readonly peerId: string;
}

/** A tracker's reply, as far as it is looked at. */
export interface TrackerReply {
  readonly status: string;
  /** What it is as of. */
  readonly appliedOffset: number;
  readonly reason?: unknown;
  readonly view?: unknown;
}

/** What is told of each thing that does not hold. */
export type OnViolation = (words: string) => void;

export class LogCheck {
  /** The state after all that stands in the log. */
  readonly state: State = emptyState();
  readonly timeline = new Timeline();
  readonly #onViolation: OnViolation;
  readonly #digestOf: (digest: string, state: State) => string;
  readonly #rules: Rules;
  readonly #signatures = new SignatureCheck();
  readonly #decided: Decided[] = [];
  readonly #effectOf = new Map<string, number>();
  /** By peer id and command id. */
  readonly #invocations = new Map<string, Invocation>();
  #digest: Buffer = FIRST_DIGEST;
  #highestAnswered = -1;
  #checkCount = 0;

  constructor(
    onViolation: OnViolation,
    digestOf: (digest: string, state: State) => string = (digest) => digest,
    rules: Rules = RULES,
  ) {
    this.#onViolation = onViolation;
    this.#digestOf = digestOf;
    this.#rules = rules;
  }

  /** Answers, grants, views and digests that were looked at. */
  get checkCount(): number {
    return this.#checkCount;
  }

  get endOffset(): number {
    return this.#decided.length;
  }

  get digest(): string {
    return this.#digestOf(this.#digest.toString('hex'), this.state);
  }

  /** The record at an offset and what it came to; undefined behind the end. */
  decidedAt(offset: number): Decided | undefined {
    return this.#decided[offset];
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

  /** Takes in the next record of the log. */
  stored(stored: StoredRecord): void {
    const { offset } = stored;
    this.check(offset === this.#decided.length, () => `offset ${offset} is stored a second time`);
    if (offset !== this.#decided.length) return;
    const record = decodeLogRecord(stored.value);
    const applied = this.#rules.apply(this.state, { offset, record, ...this.#signatures.examine(record, this.state) });
    this.#digest = nextDigest(this.#digest, offset, applied);
    if (record !== null) this.#actedInSession(offset, record, applied);
    this.timeline.add(offset, record?.timeMs ?? 0, applied.events);
    const content = record === null ? '' : commandContent(record.command);
    this.#decided.push({ record, content, applied, digest: this.digest });
    if (record === null || !hasOwnEffect(applied)) return;
    const key = outcomeKey(record);
    const earlier = this.#effectOf.get(key);
    this.check(earlier === undefined, () => `${key} has an effect at ${earlier} and at ${offset}`);
    this.#effectOf.set(key, offset);
  }

  /** A person begins a command, or takes one up again. */
  begin(about: Pick<Invocation, 'commandId' | 'name' | 'peerId'>): Invocation {
    const key = keyOf(about);
    const begunAfterOffset = this.#highestAnswered;
    const known = this.#invocations.get(key) ?? {
      ...about,
      begunAfterOffset,
      openCount: 0,
      isAcknowledged: false,
      isDenied: true,
    };
    this.#invocations.set(key, known);
    return known;
  }

  /** A command goes out, the first time or again. */
  sent(invocation: Invocation): void {
    invocation.openCount += 1;
  }

  /** A person has an answer: it has to be what the log says at its offset, and later than all that was known before. */
  answered(invocation: Invocation, answer: CommandAnswer): void {
    const { name, commandId, peerId, begunAfterOffset } = invocation;
    invocation.openCount -= 1;
    if (answer.status === 'failed') {
      this.check(!BUGS.has(answer.code), () => `${name} ${commandId} is answered with ${answer.code}`);
      if (!DENIALS.has(answer.code)) invocation.isDenied = false;
      return;
    }
    invocation.isDenied = false;
    invocation.isAcknowledged = true;
    const offset = answer.offset ?? -1;
    const what = `${name} ${commandId} answered with ${answer.status} at ${offset}`;
    this.decisionTold(what, { commandId, peerId, answer: { ...answer, offset } });
    this.check(offset > begunAfterOffset, () => `${what}, but it began after ${begunAfterOffset} was answered`);
    this.#highestAnswered = Math.max(this.#highestAnswered, offset);
  }

  /** Commands that were begun. */
  invocations(): Iterable<Invocation> {
    return this.#invocations.values();
  }

  /**
   * When all is over: only what was sent has an effect, and of that nothing that was refused whenever it was sent, unless
   * requests can come twice: then one may be refused and the other not.
   */
  ended({ comeTwice }: { readonly comeTwice: boolean }): void {
    for (const [offset, { record, applied }] of this.#decided.entries()) {
      if (record === null || record.actor.kind !== 'peer' || !hasOwnEffect(applied)) continue;
      // Peers send it unasked.
      if (record.command.name === 'renew_session') continue;
      const what = `${record.command.name} ${record.id}`;
      const invocation = this.#invocations.get(keyOf({ peerId: record.actor.peerId, commandId: record.id }));
      this.check(invocation !== undefined, () => `nobody sent ${what}, which has an effect at ${offset}`);
      const isDenied = invocation !== undefined && invocation.openCount === 0 && invocation.isDenied;
      this.check(!isDenied || comeTwice, () => `${what} was refused without a record, and has an effect at ${offset}`);
    }
  }

  /** A person was shown something as of an offset, having seen another one before. */
  shown(peerId: string, { asOfOffset, seenOffset }: { asOfOffset: number; seenOffset: number }): void {
    this.check(
      asOfOffset >= seenOffset,
      () => `${peerId.slice(0, 8)} was shown the state as of ${asOfOffset} after it had seen ${seenOffset}`,
    );
  }

  /** Somebody says that a command came to something at an offset. */
  decisionTold(what: string, about: { commandId: string; peerId: string; answer: ToldOutcome }): void {
    const { answer, commandId, peerId } = about;
    const decided = this.#decided[answer.offset];
    const record = decided?.record;
    const isIts = record?.id === commandId && record.actor.kind === 'peer' && record.actor.peerId === peerId;
    this.check(isIts, () => `${what}: no such command stands at offset ${answer.offset}`);
    if (decided === undefined || !isIts) return;
    const { outcome, outcomeOffset } = decided.applied;
    this.check(outcomeOffset === answer.offset, () => `${what}: its first outcome is at ${outcomeOffset}`);
    const { status, result, reason } = answer;
    const told = status === 'accepted' ? { status, result } : { status, reason };
    const [said, right] = [canonicalJson(told), canonicalJson(outcome)];
    this.check(said === right, () => `${what}: the answer at ${answer.offset} is ${said}, the log says ${right}`);
  }

  /** A tracker has replied to a peer, with an answer or a view. */
  replyTold(request: AskedOfTracker, reply: TrackerReply): void {
    if (reply.status === 'failed') return;
    if (PEER_COMMAND_NAMES.includes(request.pattern as PeerCommandName)) this.#commandReplied(request, reply);
    else this.#viewReplied(request, reply);
  }

  /** A grant has to be true at the offset that it names. Returns what it says, and how to call it; null for none. */
  grantTold(text: string): { readonly what: string; readonly claims: GrantClaims } | null {
    const opened = openGrant(grantFromText(text)!, { verify: () => true });
    this.check(opened.ok, () => `a grant is ${opened.ok ? 'sound' : opened.reason}`);
    if (!opened.ok) return null;
    const { groupId, shareId, user, peerId, asOfOffset, contentId } = opened.claims;
    const what = `a grant of share ${shareId} for ${user} on ${peerId.slice(0, 8)} as of ${asOfOffset}`;
    const { timeline } = this;
    this.check(timeline.isMember(groupId, user, asOfOffset), () => `${what}: no member`);
    this.check(timeline.sessions.at(peerId, asOfOffset)?.user === user, () => `${what}: not logged in`);
    const isAllowed = timeline.downloaders.at(`${shareId} ${peerId}`, asOfOffset) === user;
    this.check(isAllowed, () => `${what}: no download_file stands`);
    this.check(timeline.hasShare(groupId, { shareId, contentId }, asOfOffset), () => `${what}: no such share`);
    return { what, claims: opened.claims };
  }

  /** Counts one check, and tells when it does not hold. */
  check(holds: boolean, words: () => string): void {
    this.#checkCount += 1;
    if (!holds) this.#onViolation(words());
  }

  /** Whoever did something that needs a session had one, and it had not expired by the time of the log. */
  #actedInSession(offset: number, { actor, command }: LogRecord, { outcome, outcomeOffset }: Applied): void {
    if (actor.kind !== 'peer' || COMMANDS[command.name].sender !== 'session') return;
    if (outcome.status !== 'accepted' || outcomeOffset !== offset) return;
    const session = this.timeline.sessions.at(actor.peerId, offset - 1);
    const isAlive = session?.user === actor.user && this.state.logTimeMs < session.expiresAtMs;
    this.check(isAlive, () => `${command.name} at ${offset} is accepted, and the session of ${actor.user} has expired`);
  }

  #commandReplied({ pattern, payload, peerId }: AskedOfTracker, reply: TrackerReply): void {
    const { commandId, body } = payload as CommandRequest;
    const what = `${pattern} ${commandId}`;
    const answer = reply as TrackerReply & ToldOutcome;
    this.decisionTold(what, { commandId, peerId, answer });
    const decided = this.#decided[answer.offset];
    const isSame = decided !== undefined && isContentOf(decided, pattern, body);
    this.check(isSame, () => `${what} is answered with the outcome of another content`);
  }

  #viewReplied({ pattern, payload, peerId }: AskedOfTracker, reply: TrackerReply): void {
    const offset = reply.appliedOffset;
    const { seenOffset = -1 } = payload as { seenOffset?: number };
    const what = `${pattern} for ${peerId.slice(0, 8)} at ${offset}`;
    const user = this.timeline.sessions.at(peerId, offset)?.user;
    if (pattern === TRACKER_PATTERNS.hello || pattern === TRACKER_PATTERNS.presence) {
      const { user: said } = reply.view as { user: string | null };
      this.check(said === (user ?? null), () => `${what} says that ${said} is logged in, and it is ${user}`);
      return;
    }
    this.check(offset >= seenOffset, () => `${what} is older than ${seenOffset}, which was seen`);
    if (pattern === TRACKER_PATTERNS.commandOutcome) {
      this.#outcomeShown(what, { commandId: (payload as CommandRequest).commandId, peerId }, reply);
      return;
    }
    this.check(user !== undefined, () => `${what} is shown to nobody who is logged in`);
    if (user === undefined) return;
    const expected = this.#expectedView(pattern, payload as FileListRequest, { user, offset });
    if (expected === null) return;
    const [told, right] = [JSON.stringify(shownOf(pattern, reply)), JSON.stringify(expected)];
    this.check(told === right, () => `${what} shows ${told}, but true is ${right}`);
  }

  #expectedView(
    pattern: string,
    request: FileListRequest,
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
        return this.timeline.files(request, user, offset);
      case TRACKER_PATTERNS.listSessions:
        return this.timeline.ofUser(user, offset);
      default:
        return null;
    }
  }

  #outcomeShown(what: string, about: { commandId: string; peerId: string }, reply: TrackerReply): void {
    if (reply.status !== 'accepted') return;
    const view = reply.view as CommandOutcomeView;
    if (view.state !== 'unknown') this.decisionTold(what, { ...about, answer: { status: view.state, ...view } });
  }
}

/** Any record may end sessions that have expired: that is not an effect of its command. */
function hasOwnEffect({ events }: Applied): boolean {
  return events.some(({ type }) => type !== 'session_expired');
}

function keyOf({ peerId, commandId }: { peerId: string; commandId: string }): string {
  return `${peerId} ${commandId}`;
}

function isContentOf({ record, content }: Decided, pattern: string, body: object): boolean {
  if (record === null) return false;
  const fields = Object.keys(record.command.data).filter((field) => Object.hasOwn(body, field));
  const data = Object.fromEntries(fields.map((field) => [field, (body as Record<string, unknown>)[field]]));
  return commandContent({ name: pattern, data } as never) === content;
}

/** The part of a view that the log alone decides. */
function shownOf(pattern: string, reply: TrackerReply): ExpectedView {
  if (reply.status === 'rejected') return reply.reason as string;
  const { items } = reply.view as Page<Record<string, unknown>> | SessionList;
  if (pattern !== TRACKER_PATTERNS.listFiles) return items;
  return (items as readonly Record<string, unknown>[]).map(({ file, version = 1, shareId, contentId, sharedBy }) => ({
    file,
    version,
    shareId,
    contentId,
    sharedBy,
  }));
}
