// Owns how a command's end is told: for every kind of failure one sentence on what happened and what to do, and the exit
// code that a script reads. What is not expected here is a bug and says so.
import { CommanderError } from 'commander';
import { printable, printableLines } from '#wire/printable-text';
import type { ErrorCode, Problem } from '#wire/wire-error';
import { AnswerLost, CommandRefused, NoRunningPeer } from './control-client.ts';
import { ProblemsFound } from './doctor/doctor.ts';
import { EXIT, type ExitCode, exitCodeOf } from './exit-codes.ts';
import { NotWanted } from './last-copies.ts';
import { InputEnded } from './line-question.ts';
import { BadPageUrl } from './open-command.ts';
import { PasswordsDiffer } from './passwords.ts';
import { BadVerdict, RecheckCalledOff } from './recheck-command.ts';
import { StoppedWatching, TransferFailed } from './transfer-follower.ts';

/** What a failed command says. `document` is the machine's form of it, null where commander has spoken already. */
export interface Failure {
  readonly exitCode: ExitCode;
  readonly text: string;
  readonly document: object | null;
}

/** Refusals after which the same command with the same id may still take effect, or has. */
const REPEATABLE: ReadonlySet<string> = new Set(['outcome_unknown', 'log_unavailable'] satisfies ErrorCode[]);

/** Tells any error that a command threw. */
export function failureOf(error: unknown): Failure {
  if (error instanceof CommandRefused) return refusal(error.problem);
  if (error instanceof CommanderError) {
    return { exitCode: error.exitCode === 0 ? EXIT.ok : EXIT.badInput, text: '', document: null };
  }
  if (error instanceof NoRunningPeer) return failure(EXIT.unavailable, 'no_running_peer', error.message);
  if (error instanceof AnswerLost) return lost(error);
  if (error instanceof TransferFailed) {
    const { transferId, reason } = error.transfer;
    return { ...failure(EXIT.conflict, 'transfer_failed', printable(error.message)), document: { transferId, reason } };
  }
  // The answer has been shown already.
  if (error instanceof BadVerdict) return { exitCode: error.exitCode, text: '', document: null };
  if (error instanceof ProblemsFound) return { exitCode: EXIT.unavailable, text: '', document: null };
  if (error instanceof RecheckCalledOff) return failure(EXIT.conflict, 'transfer_failed', error.message);
  if (error instanceof StoppedWatching) return failure(EXIT.interrupted, 'interrupted', error.message);
  if (error instanceof InputEnded) {
    return failure(error.isInterrupt ? EXIT.interrupted : EXIT.badInput, 'input_ended', error.message);
  }
  if (error instanceof NotWanted) return failure(EXIT.refused, 'not_wanted', error.message);
  if (error instanceof PasswordsDiffer) return failure(EXIT.badInput, 'passwords_differ', error.message);
  if (error instanceof BadPageUrl) return failure(EXIT.badInput, 'bad_page_url', error.message);
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return failure(EXIT.bug, 'internal_error', `This is a bug of the command line:\n${detail}`);
}

function refusal(problem: Problem): Failure {
  const { code, detail, errors, commandId } = problem;
  // Which words are wrong says more than that some are.
  const lines = errors.length === 0 ? [detail] : errors.map(({ field, message }) => `${field}: ${message}`);
  // A name in it may hold the end of a line, or what moves on a terminal.
  const about = lines.map(printable).join('\n');
  return {
    exitCode: exitCodeOf(code),
    text: `${about.replaceAll('Idempotency-Key', '--command-id')}${again(code, commandId)} (${code})`,
    document: problem,
  };
}

function lost({ commandId, isInterrupt, message }: AnswerLost): Failure {
  const text = message + again('outcome_unknown', commandId ?? undefined);
  if (isInterrupt) return failure(EXIT.interrupted, 'interrupted', text);
  if (commandId === null) return failure(EXIT.unavailable, 'peer_gone', text);
  return failure(EXIT.outcomeUnknown, 'outcome_unknown', text);
}

function again(code: string, commandId: string | undefined): string {
  if (!REPEATABLE.has(code) || commandId === undefined) return '';
  return `\nRepeat the same command with --command-id ${commandId}: it takes effect once at most, and tells what came of it.`;
}

function failure(exitCode: ExitCode, code: string, detail: string): Failure {
  return { exitCode, text: printableLines(detail), document: { code, detail } };
}
