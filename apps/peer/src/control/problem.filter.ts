// Owns how anything thrown becomes an answer: application/problem+json with a code of the closed set. Whatever is not
// foreseen is a bug: the answer says so without details, and those go to the process's own log.
import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import { isUUID } from 'class-validator';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ProcessLog } from '#program/process-log';
import { type ErrorCode, type Problem, problemOf } from '#wire/wire-error';
import { ProblemError } from './problem-error.ts';

/** What Fastify and Nest refuse before a handler of ours runs. */
const CODE_OF_STATUS: Readonly<Record<number, ErrorCode>> = {
  400: 'invalid_request',
  404: 'not_found',
  413: 'too_large',
  414: 'invalid_request',
  415: 'json_required',
  431: 'too_large',
};

@Catch()
export class ProblemFilter implements ExceptionFilter {
  readonly #log: ProcessLog;
  readonly #onRefused: (code: ErrorCode) => void;

  /** Is told of every problem that is answered. */
  constructor(log: ProcessLog, onRefused: (code: ErrorCode) => void) {
    this.#log = log;
    this.#onRefused = onRefused;
  }

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const problem = withIds(problemDocumentOf(error), request);
    this.#onRefused(problem.code);
    this.#tell(error, problem, request);
    sendProblem(http.getResponse<FastifyReply>(), problem);
  }

  #tell(
    error: unknown,
    { code, status, commandId, correlationId }: Problem,
    { method, routeOptions }: FastifyRequest,
  ): void {
    const { url: route } = routeOptions;
    const names = {
      ...(correlationId !== undefined && { correlationId }),
      ...(commandId !== undefined && { commandId }),
    };
    const about = { method, ...(route !== undefined && { route }), status, code, ...names };
    if (code === 'internal_error') this.#log.error('a bug', { ...about, error });
    else if (status >= FAILURE_STATUS_MIN) this.#log.warn('failed', about);
    else this.#log.info('refused', about);
  }
}

/** From here on it is not the sender who has to change something. */
const FAILURE_STATUS_MIN = 500;

function problemDocumentOf(error: unknown): Problem {
  if (error instanceof ProblemError) return error.problem;
  // A body nested so deeply that checking it overflows the stack is the sender's doing.
  if (error instanceof RangeError) return problemOf('invalid_request');
  const code = CODE_OF_STATUS[statusOf(error) ?? 500];
  if (code === undefined) return problemOf('internal_error');
  return problemOf(code, code === 'invalid_request' ? { detail: messageOf(error) } : {});
}

/** Answers with a problem document. */
export function sendProblem(reply: FastifyReply, problem: Problem): void {
  void reply
    .status(problem.status)
    .header('content-type', 'application/problem+json; charset=utf-8')
    .send(JSON.stringify(problem));
}

function statusOf(error: unknown): number | undefined {
  if (error instanceof HttpException) return error.getStatus();
  const status = (error as { statusCode?: unknown } | null)?.statusCode;
  return typeof status === 'number' ? status : undefined;
}

function messageOf(error: unknown): string {
  return `The request is not well-formed: ${error instanceof Error ? error.message : 'it could not be read'}`;
}

function withIds(problem: Problem, { headers, correlationId }: FastifyRequest): Problem {
  const known = correlationId === '' ? problem : { ...problem, correlationId };
  const key = headers['idempotency-key'];
  if (problem.commandId !== undefined || !isUUID(key)) return known;
  return { ...known, commandId: (key as string).toLowerCase() };
}
