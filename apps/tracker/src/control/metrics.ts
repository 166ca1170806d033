// Owns what is counted of one tracker where it happens: commands and how long their answers took, appends, refusals, pushes.
// Labels come from closed sets, so their number is bounded.
import { COMMAND_NAMES, COMMANDS } from '#domain/command';
import { Figures } from '#metrics/figures';
import type { PeerCommandName } from '#wire/tracker-api';
import { ERRORS } from '#wire/wire-error';
import type { LogFailureCode } from '../command-log/command-log.ts';
import type { Answer } from './answers.ts';

/** An append is a few milliseconds on a disk of today; from half a second on people notice. */
const APPEND_BUCKETS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];
/** The same, and a password that is hashed; after five seconds a command is answered in any case. */
const ANSWER_BUCKETS = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];

/** Everything that `/metrics` tells. */
export class TrackerMetrics {
  readonly figures = new Figures();
  readonly #commands = this.figures.counter({
    name: 'cohort_commands_total',
    help: 'Commands answered, by what they came to.',
    labels: ['command', 'status', 'reason'],
  });
  readonly #answers = this.figures.histogram({
    name: 'cohort_command_duration_seconds',
    help: 'From the arrival of a command to its answer.',
    labels: ['command'],
    buckets: ANSWER_BUCKETS,
  });
  readonly #appends = this.figures.histogram({
    name: 'cohort_log_append_duration_seconds',
    help: 'From an append until the log has it for good.',
    buckets: APPEND_BUCKETS,
  });
  readonly #failedAppends = this.figures.counter({
    name: 'cohort_log_append_failures_total',
    help: 'Appends that failed, by code.',
    labels: ['code'],
  });
  readonly #refusals = this.figures.counter({
    name: 'cohort_refused_without_record_total',
    help: 'Requests refused before the log, by code.',
    labels: ['code'],
  });
  readonly #connections = this.figures.counter({
    name: 'cohort_connections_refused_total',
    help: 'Connections refused or cut off, by code.',
    labels: ['code'],
  });
  readonly #auditQuestions = this.figures.counter({
    name: 'cohort_audit_questions_total',
    help: 'Questions of auditors that were answered, by view.',
    labels: ['view'],
  });
  readonly #pushes = this.figures.counter({
    name: 'cohort_pushes_total',
    help: 'Messages pushed to peers, by type.',
    labels: ['type'],
  });

  constructor() {
    // A rate misses what makes a series begin: what alerts ask for is there from the start.
    const ofPeers = COMMAND_NAMES.filter((name) => COMMANDS[name].sender !== 'tracker');
    for (const command of ofPeers) this.#commands.inc({ command, status: 'accepted', reason: '' }, 0);
    for (const code of Object.keys(ERRORS)) this.#refusals.inc({ code }, 0);
    for (const code of LOG_FAILURES) this.#failedAppends.inc({ code }, 0);
  }

  /** Counts a command with its answer, and how long that took. */
  countCommand(command: PeerCommandName, answer: Answer, seconds: number): void {
    this.#commands.inc({ command, status: answer.status, reason: reasonOf(answer) });
    this.#answers.observe({ command }, seconds);
  }

  /** Counts what became of an append. */
  countAppend(failure: LogFailureCode | null, seconds: number): void {
    this.#appends.observe(seconds);
    if (failure !== null) this.#failedAppends.inc({ code: failure });
  }

  /** Counts a request that was answered without a record. */
  countRefusal(code: string): void {
    this.#refusals.inc({ code });
  }

  /** Counts a connection that was refused, or cut off. */
  countConnection(code: string): void {
    this.#connections.inc({ code });
  }

  /** Counts a question of an auditor that an answer has begun to. */
  countAudit(view: string): void {
    this.#auditQuestions.inc({ view });
  }

  countPush(type: string): void {
    this.#pushes.inc({ type });
  }
}

const LOG_FAILURES: readonly LogFailureCode[] = ['log_unavailable', 'log_busy', 'record_too_large', 'log_halted'];

/** Why a command was not accepted: the log's reason, or the code of what kept it from the log; empty when it was. */
function reasonOf(answer: Answer): string {
  switch (answer.status) {
    case 'accepted':
      return '';
    case 'rejected':
      return answer.reason;
    case 'failed':
      return answer.code;
  }
}
