// Owns how a command's reply becomes an HTTP answer: its own status, 200 or 202, and its body.
import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { map, type Observable } from 'rxjs';
import type { CommandStateView, CommandView } from '#wire/control-answers';
import type { CommandReply } from './command-runner.ts';

@Injectable()
export class CommandReplyInterceptor implements NestInterceptor<CommandReply | CommandStateView> {
  intercept(
    context: ExecutionContext,
    next: CallHandler<CommandReply | CommandStateView>,
  ): Observable<CommandView | CommandStateView> {
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    return next.handle().pipe(
      map((answer) => {
        if (!('status' in answer)) return answer;
        reply.status(answer.status);
        return answer.body;
      }),
    );
  }
}
