// Owns what a peer reads when a handler did not come to an answer: which fields were wrong, or that there is a bug here.
import { type ArgumentsHost, Catch, type ExceptionFilter, Inject } from '@nestjs/common';
import type { TcpContext } from '@nestjs/microservices';
import { type Observable, of } from 'rxjs';
import { type About, PROCESS_LOG, type ProcessLog } from '#program/process-log';
import { CORRELATION_ID } from '#wire/correlation-id';
import type { Refused, ReplyHead } from '#wire/tracker-api';
import { failed, type Failed } from './answers.ts';
import { InvalidPayload } from './payload-check.ts';
import { Replies } from './replies.ts';

@Catch()
export class RpcFailureFilter implements ExceptionFilter {
  readonly #replies: Replies;
  readonly #processLog: ProcessLog;

  constructor(replies: Replies, @Inject(PROCESS_LOG) processLog: ProcessLog) {
    this.#replies = replies;
    this.#processLog = processLog;
  }

  catch(error: unknown, host: ArgumentsHost): Observable<ReplyHead & Refused> {
    const failure = this.#failureOf(error);
    const about = { ...askedIn(host.switchToRpc()), code: failure.code };
    if (failure.code === 'internal_error') this.#processLog.error('a bug', { ...about, error });
    else this.#processLog.info('refused', about);
    return of(this.#replies.withHead(failure));
  }

  #failureOf(error: unknown): Failed {
    if (error instanceof InvalidPayload) return failed('invalid_request', { errors: error.errors });
    // A payload nested so deeply that checking it overflows the stack is the sender's doing.
    if (error instanceof RangeError) return failed('invalid_request');
    return failed('internal_error');
  }
}

/** What was asked for; nothing of the payload is checked yet. */
function askedIn(host: ReturnType<ArgumentsHost['switchToRpc']>): About {
  const command = host.getContext<TcpContext>().getPattern();
  const { correlationId } = host.getData<{ correlationId?: unknown } | null>() ?? {};
  if (typeof correlationId !== 'string' || !CORRELATION_ID.test(correlationId)) return { command };
  return { command, correlationId };
}
