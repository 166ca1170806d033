// Owns the id that a request is known by in every line about it, here and at the trackers, in its answer and in the record of its
// command: the client's own, when it sends one.
import { randomUUID } from 'node:crypto';
import { isUUID } from 'class-validator';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ProcessLog } from '#program/process-log';
import { CORRELATION_ID } from '#wire/correlation-id';
import { invalidField } from './problem-error.ts';

export const CORRELATION_HEADER = 'X-Correlation-Id';

/** https://www.w3.org/TR/trace-context/: version, trace, span, flags. */
const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/;

declare module 'fastify' {
  interface FastifyRequest {
    /** Empty when not even the address could be read. */
    correlationId: string;
  }
}

type Headers = FastifyRequest['headers'];

/** Gives every request its id, every answer the same, and tells of each who asks for everything. */
export function correlate(fastify: FastifyInstance, log: ProcessLog): void {
  fastify.decorateRequest('correlationId', '');
  fastify.addHook('onRequest', (request, reply, done) => {
    request.correlationId = correlationIdOf(request.headers);
    void reply.header(CORRELATION_HEADER, request.correlationId);
    done();
  });
  fastify.addHook('preValidation', ({ headers }, _reply, done) => {
    const isMalformed = saidIn(headers) !== undefined && wellSaidIn(headers) === undefined;
    done(isMalformed ? invalidField(CORRELATION_HEADER, `must match ${CORRELATION_ID.source}`) : undefined);
  });
  fastify.addHook(
    'onResponse',
    ({ method, routeOptions, correlationId }, { statusCode: status, elapsedTime }, done) => {
      const { url: route } = routeOptions;
      const about = { method, status, correlationId, durationMs: Math.round(elapsedTime) };
      log.debug('answered', route === undefined ? about : { ...about, route });
      done();
    },
  );
}

/** What it says; else the trace that it is part of, what makes it the same when it is repeated, or an id made here. */
function correlationIdOf(headers: Headers): string {
  const { traceparent, 'idempotency-key': key } = headers;
  const trace = typeof traceparent === 'string' ? TRACEPARENT.exec(traceparent)?.[1] : undefined;
  return wellSaidIn(headers) ?? trace ?? (isUUID(key) ? (key as string).toLowerCase() : randomUUID());
}

function wellSaidIn(headers: Headers): string | undefined {
  const said = saidIn(headers);
  return typeof said === 'string' && CORRELATION_ID.test(said) ? said : undefined;
}

function saidIn(headers: Headers): string | string[] | undefined {
  return headers[CORRELATION_HEADER.toLowerCase()];
}
