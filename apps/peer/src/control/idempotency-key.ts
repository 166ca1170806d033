// Owns the Idempotency-Key header: how a handler gets it, and how the OpenAPI document tells of it.
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';

/** The header as it came, or undefined. */
export const IdempotencyKey = createParamDecorator(
  (_data: unknown, context: ExecutionContext): string | undefined =>
    context.switchToHttp().getRequest<FastifyRequest>().headers['idempotency-key'] as string | undefined,
);

/** Says in the document that an address takes the header. */
export function TakesIdempotencyKey(): MethodDecorator {
  return ApiHeader({
    name: 'Idempotency-Key',
    required: false,
    description: 'Becomes the command id: a repeat answers what the first use did.',
    schema: { type: 'string', format: 'uuid' },
  });
}
