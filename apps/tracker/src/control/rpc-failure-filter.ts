// Owns what a peer reads when a handler did not come to an answer: which fields were wrong, or that there is a bug here.
import { type ArgumentsHost, Catch, type ExceptionFilter, Logger } from '@nestjs/common';
import { type Observable, of } from 'rxjs';
import type { Refused, ReplyHead } from '#wire/tracker-api';
import { failed } from './answers.ts';
import { InvalidPayload } from './payload-check.ts';
import { Replies } from './replies.ts';

@Catch()
export class RpcFailureFilter implements ExceptionFilter {
  readonly #replies: Replies;
  readonly #logger = new Logger('rpc');

  constructor(replies: Replies) {
    this.#replies = replies;
  }

  catch(error: unknown, _host: ArgumentsHost): Observable<ReplyHead & Refused> {
    return of(this.#replies.withHead(this.#failureOf(error)));
  }

  #failureOf(error: unknown): Refused {
    if (error instanceof InvalidPayload) return failed('invalid_request', { errors: error.errors });
    // A payload nested so deeply that checking it overflows the stack is the sender's doing.
    if (error instanceof RangeError) return failed('invalid_request');
    this.#logger.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
    return failed('internal_error');
  }
}
