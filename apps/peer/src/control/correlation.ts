// Owns the id that a request is known by in every line about it, here and at the trackers, in its answer and in the record of its
// command: the client's own, when it sends one.
import { randomUUID } from 'node:crypto';
import { isUUID } from 'class-validator';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ProcessLog } from '#program/process-log';
import type { Span, Traces } from '#program/traces';
import { CORRELATION_ID } from '#wire/correlation-id';
import { parseTraceparent } from '#wire/traceparent';
import { invalidField } from './problem-error.ts';

export const CORRELATION_HEADER = 'X-Correlation-Id';

declare module 'fastify' {
  interface FastifyRequest {
    /** Empty when not even the address could be read. */
    correlationId: string;
    span: Span;
  }
}

type Headers = FastifyRequest['headers'];

/** Gives every request its id, every answer the same, and tells of each who asks for everything. */
export function correlate(fastify: FastifyInstance, { log, traces }: { log: ProcessLog; traces: Traces }): void {
  fastify.decorateRequest('correlationId', '').decorateRequest('span');
  fastify.addHook('onRequest', (request, reply, done) => {
    request.correlationId = correlationIdOf(request.headers);
    void reply.header(CORRELATION_HEADER, request.correlationId);
    request.span = spanOf(request, traces);
    tellOnce(request, { reply, log });
    done();
  });
  // Only here: what reads a body begins anew outside of all.
  fastify.addHook('preHandler', ({ span }, _reply, done) => span.run(done));
  fastify.addHook('preValidation', ({ headers }, _reply, done) => {
    const isMalformed = saidIn(headers) !== undefined && wellSaidIn(headers) === undefined;
    done(isMalformed ? invalidField(CORRELATION_HEADER, `must match ${CORRELATION_ID.source}`) : undefined);
  });
}

/** Tells how a request ended: answered, or broken off by who asked, as every stream of events is one day. */
function tellOnce(request: FastifyRequest, { reply, log }: { reply: FastifyReply; log: ProcessLog }): void {
  const { raw } = reply;
  const beganMs = performance.now();
  const tell = (words: string): void => {
    raw.off('finish', answered).off('close', brokenOff);
    const { method, correlationId, span, routeOptions } = request;
    const { url: route } = routeOptions;
    const status = raw.headersSent ? raw.statusCode : undefined;
    log.debug(words, {
      method,
      ...(status !== undefined && { status }),
      ...{ correlationId, durationMs: Math.round(performance.now() - beganMs) },
      ...(route !== undefined && { route }),
    });
    const attributes = status === undefined ? {} : { 'http.response.status_code': status };
    span.end({ attributes, isFailed: status !== undefined && status >= 500 });
  };
  const answered = (): void => tell('answered');
  const brokenOff = (): void => tell('broken off');
  raw.on('finish', answered).on('close', brokenOff);
}

function spanOf({ method, routeOptions, headers, correlationId }: FastifyRequest, traces: Traces): Span {
  const { url: route = 'nowhere' } = routeOptions;
  const { traceparent } = headers;
  const parent = typeof traceparent === 'string' ? traceparent : undefined;
  const attributes = { 'http.request.method': method, 'http.route': route, 'cohort.correlation_id': correlationId };
  return traces.begin(`${method} ${route}`, { kind: 'server', parent, attributes });
}

/** What it says; else the trace that it is part of, what makes it the same when it is repeated, or an id made here. */
export function correlationIdOf(headers: Headers): string {
  const { traceparent, 'idempotency-key': key } = headers;
  const trace = parseTraceparent(traceparent)?.traceId;
  return wellSaidIn(headers) ?? trace ?? (isUUID(key) ? (key as string).toLowerCase() : randomUUID());
}

function wellSaidIn(headers: Headers): string | undefined {
  const said = saidIn(headers);
  return typeof said === 'string' && CORRELATION_ID.test(said) ? said : undefined;
}

function saidIn(headers: Headers): string | string[] | undefined {
  return headers[CORRELATION_HEADER.toLowerCase()];
}
