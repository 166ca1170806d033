// Owns how a command of the control endpoint runs: under its id exactly once, whoever repeats it while it runs or after it
// ran, and with the answer that the first use got. Commands that move bytes go to the transfers, the others to the trackers.
import { randomUUID } from 'node:crypto';
import { isUUID } from 'class-validator';
import { type CommandResultBody, type CommandStateView, type CommandView } from '#wire/control-answers';
import {
  type ControlCommandBody,
  type ControlCommandName,
  type DownloadFileBody,
  type SeedFileBody,
  type StopShareBody,
  type UploadFileBody,
  WAIT_SECONDS_DEFAULT,
  type WaitBody,
} from '#wire/control-requests';
import type { Refused } from '#wire/tracker-api';
import type { AcceptedCommand, CommandStamp, TrackerLink } from '../tracker-link/tracker-link.ts';
import type { StartedTransfer, Transfers } from '../transfers/transfers.ts';
import type { CommandNames } from './command-headers.ts';
import type { CommandMemory, CommandOutcome, RememberedCommand } from './command-memory.ts';
import { acceptedOrThrow, invalidField, ProblemError, problemOfRefusal } from './problem-error.ts';

/** What a handler answers: 202 while work that the command began goes on. */
export interface CommandReply {
  readonly status: 200 | 202;
  readonly body: CommandView;
}

type Accepted = Extract<CommandOutcome, { readonly status: 'accepted' }>;

export class CommandRunner {
  readonly #link: TrackerLink;
  readonly #transfers: Transfers;
  readonly #memory: CommandMemory;
  /** Commands under way, so that a repeat joins the first instead of running beside it. */
  readonly #running = new Map<RememberedCommand, Promise<CommandOutcome>>();

  constructor(parts: { link: TrackerLink; transfers: Transfers; memory: CommandMemory }) {
    this.#link = parts.link;
    this.#transfers = parts.transfers;
    this.#memory = parts.memory;
  }

  /** Runs a command whose body has been checked. Throws ProblemError. */
  async run<Name extends ControlCommandName>(
    command: Name,
    body: ControlCommandBody<Name>,
    { idempotencyKey, correlationId }: CommandNames = {},
  ): Promise<CommandReply> {
    const commandId = commandIdOf(idempotencyKey);
    const entry = this.#memory.begin({ commandId, command, body, user: this.#link.user() });
    if (entry === null) throw new ProblemError('idempotency_key_reused', { commandId });
    const { wait = false, timeoutSeconds = WAIT_SECONDS_DEFAULT } = body as Partial<WaitBody>;
    const deadlineMs = performance.now() + timeoutSeconds * 1000;
    const outcome = await this.#outcomeOf(entry, body, correlationId);
    if (outcome.status === 'rejected') throw problemError(outcome, commandId);
    if (outcome.transferId === undefined || command === 'seed_file') return reply(200, { commandId, outcome });
    if (!wait) return reply(202, { commandId, outcome });
    return this.#endOf({ commandId, outcome, transferId: outcome.transferId }, deadlineMs);
  }

  /** What is known of a command id here or at the trackers. Throws ProblemError. */
  async stateOf(id: string): Promise<CommandStateView> {
    if (!isUUID(id)) throw new ProblemError('command_not_found');
    const commandId = id.toLowerCase();
    const entry = this.#memory.find(commandId, this.#link.user());
    if (entry !== null && (this.#running.has(entry) || this.#transfers.isUndecided(commandId))) {
      return { state: 'pending', offset: null, result: null, problem: null };
    }
    if (entry?.outcome) return stateView(commandId, entry.outcome);
    const answer = await this.#link.commandOutcome({
      commandId,
      user: entry === null ? this.#link.user() : entry.user,
    });
    const { view } = acceptedOrThrow(answer, commandId);
    if (view.state === 'unknown') return { state: 'unknown', offset: null, result: null, problem: null };
    return stateView(commandId, { status: view.state, ...view } as CommandOutcome);
  }

  #outcomeOf(entry: RememberedCommand, body: object, correlationId: string | undefined): Promise<CommandOutcome> {
    if (entry.outcome !== null) return Promise.resolve(entry.outcome);
    let running = this.#running.get(entry);
    if (running === undefined) {
      running = this.#execute(entry, body, correlationId).finally(() => this.#running.delete(entry));
      this.#running.set(entry, running);
    }
    return running;
  }

  /** A failure and an upload without its record are not final: a repeat under the same id finds out. */
  async #execute(entry: RememberedCommand, body: object, correlationId: string | undefined): Promise<CommandOutcome> {
    const { command, commandId, user } = entry;
    const answer = await this.#ask(command, body, { commandId, user, correlationId });
    const outcome = outcomeOf(answer, commandId);
    if (outcome.offset !== null) this.#memory.settle(entry, outcome);
    return outcome;
  }

  #ask(
    command: ControlCommandName,
    body: object,
    stamp: CommandStamp,
  ): Promise<StartedTransfer | AcceptedCommand | Refused> {
    switch (command) {
      case 'upload_file':
        return this.#transfers.upload(body as UploadFileBody, stamp);
      case 'download_file':
        return this.#transfers.download(body as DownloadFileBody, stamp);
      case 'seed_file':
        return this.#transfers.seed(body as SeedFileBody, stamp);
      case 'stop_share':
        return this.#transfers.stopShare(body as StopShareBody, stamp);
      default:
        return this.#link.command(command, body as never, stamp);
    }
  }

  async #endOf(
    { commandId, outcome, transferId }: { commandId: string; outcome: Accepted; transferId: string },
    deadlineMs: number,
  ): Promise<CommandReply> {
    const end = await this.#transfers.end(transferId, Math.max(0, deadlineMs - performance.now()));
    if (end.state === 'failed') {
      const offset = outcome.offset === null ? {} : { offset: outcome.offset };
      throw new ProblemError('transfer_failed', { commandId, detail: end.detail, ...offset });
    }
    return reply(end.state === 'complete' ? 200 : 202, { commandId, outcome: { ...outcome, offset: end.offset } });
  }
}

function commandIdOf(idempotencyKey: string | undefined): string {
  if (idempotencyKey === undefined) return randomUUID();
  if (!isUUID(idempotencyKey)) throw invalidField('Idempotency-Key', 'must be a UUID');
  return idempotencyKey.toLowerCase();
}

function outcomeOf(answer: StartedTransfer | AcceptedCommand | Refused, commandId: string): CommandOutcome {
  if (answer.status === 'rejected' && answer.offset !== null) return { ...answer, offset: answer.offset };
  if (answer.status === 'rejected' || answer.status === 'failed') throw problemError(answer, commandId);
  const { offset, result } = answer;
  return { status: 'accepted', offset, result, ...('transferId' in answer && { transferId: answer.transferId }) };
}

function problemError(refused: Refused, commandId: string): ProblemError {
  const problem = problemOfRefusal(refused, commandId);
  return new ProblemError(problem.code, problem);
}

function reply(
  status: 200 | 202,
  { commandId, outcome }: { readonly commandId: string; readonly outcome: Accepted },
): CommandReply {
  return { status, body: { commandId, offset: outcome.offset, result: resultView(outcome) } };
}

function resultView({ result, transferId }: Accepted): CommandResultBody {
  const { share, ...others } = result;
  return {
    ...others,
    ...(share !== undefined && { share: { ...share, version: share.version ?? 1 } }),
    ...(transferId !== undefined && { transferId }),
  };
}

function stateView(commandId: string, outcome: CommandOutcome): CommandStateView {
  const { offset } = outcome;
  if (outcome.status === 'accepted') {
    return { state: 'accepted', offset, result: resultView(outcome), problem: null };
  }
  return { state: 'rejected', offset, result: null, problem: problemOfRefusal(outcome, commandId) as never };
}
