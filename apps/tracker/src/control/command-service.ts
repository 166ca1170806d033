// Owns the way of a peer's command: checked for shape and session, stamped, appended, and answered once this tracker has
// applied it. No guard of the domain runs here: whatever state decides is decided where the log is read.
import { type Applied, outcomeKey } from '#domain/apply';
import { type Command, commandContent, commandDataProblem, COMMANDS } from '#domain/command';
import type { Actor, LogRecord } from '#domain/record';
import type { RememberedOutcome } from '#domain/state';
import type { ChangePasswordBody, CredentialsBody, NewUserBody } from '#wire/command-bodies';
import { COMMANDS_AT_ONCE_MAX, COMMANDS_PER_PEER_MAX, COMMAND_TIMEOUT_MS, SEEN_OFFSET_TIMEOUT_MS } from '#wire/limits';
import type { ProcessLog } from '#program/process-log';
import { inSpan, NO_TRACES, type Traces } from '#program/traces';
import type { CommandRequest, PeerCommandName } from '#wire/tracker-api';
import type { FieldError } from '#wire/wire-error';
import { LogFailure } from '../command-log/command-log.ts';
import type { Replica } from '../replica/replica.ts';
import { type Answer, failed, type Failed, logFailureAnswer, outcomeAnswer } from './answers.ts';
import { BoundedPlaces } from './bounded-places.ts';
import { behind, whyNotReady } from './freshness.ts';
import type { TrackerMetrics } from './metrics.ts';
import type { PasswordGate, PasswordRefusal } from './password-gate.ts';
import type { Caller } from './rpc-server.ts';
import { tellOfCommand } from './told-commands.ts';

/** A command as it came in, its body checked. */
export interface Call {
  readonly name: PeerCommandName;
  readonly request: Omit<CommandRequest, 'body'>;
  readonly body: object;
  readonly caller: Caller;
}

/** A command with what has to be worked out before its append. */
interface Prepared {
  readonly command: Command;
  readonly sealed: string | null;
}

/** Takes commands from peers, a bounded number at once. */
export class CommandService {
  readonly #replica: Replica;
  readonly #passwords: PasswordGate;
  readonly #metrics: TrackerMetrics;
  readonly #trackerId: string;
  readonly #now: () => number;
  readonly #processLog: ProcessLog;
  readonly #traces: Traces;
  readonly #ofPeer = new BoundedPlaces(COMMANDS_PER_PEER_MAX);
  #underWayCount = 0;

  constructor(from: {
    replica: Replica;
    passwords: PasswordGate;
    metrics: TrackerMetrics;
    trackerId: string;
    now: () => number;
    processLog: ProcessLog;
    traces?: Traces | undefined;
  }) {
    this.#replica = from.replica;
    this.#passwords = from.passwords;
    this.#metrics = from.metrics;
    this.#trackerId = from.trackerId;
    this.#now = from.now;
    this.#processLog = from.processLog;
    this.#traces = from.traces ?? NO_TRACES;
  }

  /** Commands that wait for their outcome. */
  get underWayCount(): number {
    return this.#underWayCount;
  }

  /** Answers a command within five seconds. */
  async run(call: Call): Promise<Answer> {
    const beganMs = performance.now();
    const answer = await this.#withPlace(call);
    const { commandId, correlationId } = call.request;
    const durationMs = performance.now() - beganMs;
    const told = { command: call.name, commandId, correlationId, durationMs: Math.round(durationMs) };
    tellOfCommand(this.#processLog, told, answer);
    this.#metrics.countCommand(call.name, answer, durationMs / 1_000);
    return answer;
  }

  async #withPlace(call: Call): Promise<Answer> {
    const { peerId } = call.caller;
    if (this.#underWayCount >= COMMANDS_AT_ONCE_MAX || !this.#ofPeer.take(peerId)) return failed('busy');
    this.#underWayCount += 1;
    try {
      return await this.#answer(call);
    } finally {
      this.#underWayCount -= 1;
      this.#ofPeer.leave(peerId);
    }
  }

  async #answer(call: Call): Promise<Answer> {
    const deadlineMs = performance.now() + COMMAND_TIMEOUT_MS;
    const notReady = whyNotReady(this.#replica.readiness);
    if (notReady !== null) return notReady;
    const first = this.#firstOutcome(call);
    if (first !== null) return outcomeAnswer(first);
    const actor = await this.#actorOf(call);
    if ('status' in actor) return actor;
    const prepared = await this.#prepare(call, actor);
    if (typeof prepared === 'string') return failed(prepared);
    const { name, data } = prepared.command;
    const { rulesVersion } = this.#replica.state;
    // Known from its shape: what a version of the rules in force does not have would come to a malformed record.
    const problem = newerRulesProblem(prepared.command, rulesVersion) ?? commandDataProblem(name, data, rulesVersion);
    if (problem !== null) return failed('invalid_request', { errors: [problem] });
    return this.#submit(this.#stamped(call, actor, prepared.command), prepared.sealed, deadlineMs);
  }

  /** What this command came to when it was sent before, by the same peer and with the same content. */
  #firstOutcome({ name, request, body, caller }: Call): RememberedOutcome | null {
    const user = request.user ?? this.#replica.state.sessions.get(caller.peerId)?.user ?? null;
    const key = outcomeKey({ id: request.commandId, actor: actorFor(name, caller.peerId, user) });
    const first = this.#replica.state.outcomes.get(key);
    if (first === undefined || first.peerId !== caller.peerId) return null;
    return first.content === commandContent(withoutSecrets(name, body)) ? first : null;
  }

  /** Whom the record will speak for; a refusal without a record when a session is needed and there is none. */
  async #actorOf({ name, request, caller }: Call): Promise<Actor | Failed> {
    const sessionUser = (): string | null => this.#replica.state.sessions.get(caller.peerId)?.user ?? null;
    const isCallersSession = (user: string | null): boolean => user !== null && user === (request.user ?? user);
    const needsSession = COMMANDS[name].sender === 'session';
    if (!needsSession || !isCallersSession(sessionUser())) {
      // A login just made, or a user just created, may stand in the log beyond what this tracker has read.
      const hasCaughtUp = await this.#replica.waitUntilApplied(request.seenOffset, SEEN_OFFSET_TIMEOUT_MS);
      if (!hasCaughtUp) return behind(this.#replica, request.seenOffset);
    }
    const user = sessionUser();
    if (needsSession && !isCallersSession(user)) return failed('not_logged_in');
    return actorFor(name, caller.peerId, user);
  }

  async #prepare({ name, body, caller }: Call, actor: Actor): Promise<Prepared | PasswordRefusal> {
    const { address } = caller;
    switch (name) {
      case 'create_user': {
        const { user, password } = body as NewUserBody;
        const seal = await this.#passwords.sealForNewUser({ password, address });
        if (typeof seal === 'string') return seal;
        return { command: { name, data: { user, commitment: seal.commitment } }, sealed: seal.sealed };
      }
      case 'login': {
        const { user, password } = body as CredentialsBody;
        const credentialOffset = await this.#passwords.check({ user, password, address });
        if (typeof credentialOffset === 'string') return credentialOffset;
        return { command: { name, data: { user, credentialOffset } }, sealed: null };
      }
      case 'change_password':
        return this.#prepareChange(body as ChangePasswordBody, { address, user: userOf(actor) });
      default:
        return { command: withoutSecrets(name, body), sealed: null };
    }
  }

  async #prepareChange(
    { password, newPassword }: ChangePasswordBody,
    { user, address }: { user: string; address: string },
  ): Promise<Prepared | PasswordRefusal> {
    const credentialOffset = await this.#passwords.check({ user, password, address });
    if (typeof credentialOffset === 'string') return credentialOffset;
    const seal = await this.#passwords.seal(newPassword);
    if (typeof seal === 'string') return seal;
    const data = { credentialOffset, commitment: seal.commitment };
    return { command: { name: 'change_password', data }, sealed: seal.sealed };
  }

  #stamped({ request }: Call, actor: Actor, command: Command): LogRecord {
    return {
      id: request.commandId,
      trackerId: this.#trackerId,
      timeMs: this.#now(),
      actor,
      correlationId: request.correlationId,
      seenOffset: request.seenOffset,
      schemaVersion: 1,
      command,
    };
  }

  async #submit(record: LogRecord, sealed: string | null, deadlineMs: number): Promise<Answer> {
    try {
      const timeoutMs = deadlineMs - performance.now();
      const submit = (): Promise<Applied | null> =>
        this.#replica.submit({ ...record, signature: null }, { sealed, timeoutMs });
      const attributes = { 'cohort.correlation_id': record.correlationId };
      const applied = await inSpan(this.#traces.begin('apply', { kind: 'internal', attributes }), submit);
      if (applied === null) return failed('outcome_unknown');
      return outcomeAnswer({ outcome: applied.outcome, offset: applied.outcomeOffset });
    } catch (error) {
      if (!(error instanceof LogFailure)) throw error;
      return logFailureAnswer(error);
    }
  }
}

/** Whom a command speaks for. Those that need no session stay in the scope of the peer, whoever is logged in on it. */
function actorFor(name: PeerCommandName, peerId: string, user: string | null): Actor {
  return { kind: 'peer', peerId, user: COMMANDS[name].sender === 'session' ? user : null };
}

function userOf(actor: Actor): string {
  if (actor.kind !== 'peer' || actor.user === null) throw new Error('the command needs a session');
  return actor.user;
}

/** What about a command is of newer rules than those in force, or null. */
function newerRulesProblem({ name, data }: Command, rulesVersion: number): FieldError | null {
  const { optional, sinceRules } = COMMANDS[name];
  const needs = (version: number): string =>
    `needs version ${version} of the rules, and ${rulesVersion} is in force: an operator runs cohort operator activate_rules ${version}`;
  // Peers send it by themselves, and only when they are told to.
  if (sinceRules > rulesVersion && name !== 'renew_session') return { field: 'command', message: needs(sinceRules) };
  const newer = Object.keys(data).find((field) => (optional[field] ?? 0) > rulesVersion);
  return newer === undefined ? null : { field: newer, message: needs(optional[newer]!) };
}

/** A command with the fields of its body that stand in the log. */
function withoutSecrets(name: PeerCommandName, body: object): Command {
  const isOfLog = ([field, value]: [string, unknown]): boolean =>
    value !== undefined && Object.hasOwn(COMMANDS[name].fields, field);
  const fields = Object.entries(body).filter(isOfLog);
  return { name, data: Object.fromEntries(fields) } as unknown as Command;
}
