// Owns the headers that name a command: how a handler gets them, and how the OpenAPI document tells of them.
import { applyDecorators, createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { CORRELATION_ID } from '#wire/correlation-id';
import { CORRELATION_HEADER } from './correlation.ts';

/** What a request says of the command that it is for. */
export interface CommandNames {
  readonly idempotencyKey?: string | undefined;
  readonly correlationId?: string;
}

export const CommandHeaders = createParamDecorator((_data: unknown, context: ExecutionContext): CommandNames => {
  const { headers, correlationId } = context.switchToHttp().getRequest<FastifyRequest>();
  return { idempotencyKey: headers['idempotency-key'] as string | undefined, correlationId };
});

/** Says in the document that an address takes the headers. */
export function TakesCommandHeaders(): MethodDecorator {
  return applyDecorators(
    ApiHeader({
      name: 'Idempotency-Key',
      required: false,
      description: 'Becomes the command id: a repeat answers what the first use did.',
      schema: { type: 'string', format: 'uuid' },
    }),
    ApiHeader({
      name: CORRELATION_HEADER,
      required: false,
      description:
        'Stands in the answer, in the record of the command and in every line that this peer and the trackers log about it. ' +
        'Without it that is the trace of traceparent, the Idempotency-Key, or an id made here.',
      schema: { type: 'string', pattern: CORRELATION_ID.source },
    }),
  );
}
