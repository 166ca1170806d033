// What a request is known by, in its answer and in the lines about it.
import 'reflect-metadata';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { NO_TRACES, type Span, type Traces } from '#program/traces';
import { RecordedLog } from '../../../e2e/tracker-harness.ts';
import { createControlApp } from '../../../../apps/peer/src/control/control-endpoint.ts';
import { CONTROL_NEEDS } from '../../../../apps/peer/src/control/control.module.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const KEY = '0f8fad5b-d9cb-469f-a165-70867728950e';
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;
const log = new RecordedLog();
let app: NestFastifyApplication;
let run: () => Promise<unknown>;
/** How each span ended. */
const ends: unknown[] = [];
const span: Span = { run: (work) => work(), end: (about) => void ends.push(about) };
const traces: Traces = { ...NO_TRACES, begin: () => span };

beforeAll(async () => {
  const failing = {
    run: () => run(),
    stateOf: () => Promise.resolve({ state: 'x' }),
  };
  app = await createControlApp(
    CONTROL_NEEDS.map((provide) => ({ provide, useValue: failing })),
    { log, traces },
  );
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
});
afterAll(() => app.close());
beforeEach(() => {
  run = () => Promise.reject(new Error('this cannot be'));
  log.lines.splice(0);
  ends.splice(0);
});

const ask = (headers: Record<string, string>, url = '/health/live') => app.inject({ method: 'GET', url, headers });

test.each([
  ['its own id', { 'x-correlation-id': 'order-66/a', traceparent: `00-${TRACE}-00f067aa0ba902b7-01` }, 'order-66/a'],
  ['the trace that it is part of', { traceparent: `00-${TRACE}-00f067aa0ba902b7-01`, 'idempotency-key': KEY }, TRACE],
  ['its Idempotency-Key', { 'idempotency-key': KEY.toUpperCase() }, KEY],
  ['an id made here', { traceparent: 'nonsense', 'idempotency-key': 'mine' }, expect.stringMatching(UUID)],
])('a request goes by %s', async (_what, headers, id) => {
  expect((await ask(headers)).headers['x-correlation-id']).toEqual(id);
});

test.each(['', 'a b', 'x'.repeat(65), '"quoted"', 'ä'])(
  'an id like %j is refused by the name of its header',
  async (said) => {
    const { statusCode, headers, body } = await ask({ 'x-correlation-id': said });
    const problem = JSON.parse(body) as object;
    expect({ statusCode, problem }).toMatchObject({
      statusCode: 400,
      problem: {
        code: 'invalid_request',
        correlationId: headers['x-correlation-id'],
        errors: [{ field: 'X-Correlation-Id' }],
      },
    });
    expect(headers['x-correlation-id']).toMatch(UUID);
  },
);

test('each answer is told with its id, and with the route as it is declared', async () => {
  await ask({ 'x-correlation-id': 'c-1' }, '/api/v1/commands/films?signature=secret');
  expect(log.lines).toEqual([expect.stringMatching(/^answered .*"status":200,"correlationId":"c-1".*commands\/:id"/)]);
});

test('the span of an answer ends once, with its status', async () => {
  await ask({});
  expect(ends).toEqual([{ attributes: { 'http.response.status_code': 200 }, isFailed: false }]);
});

test('a request that is broken off is told, and its span ends', async () => {
  const asked = Promise.withResolvers<void>();
  run = () => {
    asked.resolve();
    return new Promise(() => undefined);
  };
  const base = await app.listen(0, '127.0.0.1').then(() => app.getUrl());
  const client = new AbortController();
  const headers = { 'x-correlation-id': 'c-4', 'content-type': 'application/json' };
  const about = { method: 'POST', headers, body: '{}', signal: client.signal };
  const answer = fetch(`${base}/api/v1/commands/logout`, about).catch(() => 'none');
  await asked.promise;
  client.abort();
  expect(await answer).toBe('none');
  await vi.waitFor(() => expect(log.lines).toEqual([expect.stringMatching(/^broken off .*"correlationId":"c-4"/)]));
  expect(ends).toEqual([{ attributes: {}, isFailed: false }]);
});

test('an address that cannot be read is refused by the id of its request, and told', async () => {
  const { headers, body } = await ask({ 'x-correlation-id': 'c-5' }, '/api/v1/commands/%zz');
  expect(headers['x-correlation-id']).toBe('c-5');
  expect(JSON.parse(body)).toMatchObject({ code: 'invalid_request', correlationId: 'c-5' });
  expect(log.lines).toEqual([
    expect.stringMatching(/^refused .*"status":400,"code":"invalid_request","correlationId":"c-5"/),
  ]);
});

test('a refusal is told with its code and no word of the request', async () => {
  await ask({ 'x-correlation-id': 'c-2' }, '/nowhere?password=staple');
  expect(log.lines[0]).toMatch(/^refused .*"status":404,"code":"not_found","correlationId":"c-2"/);
  expect(log.lines.join()).not.toContain('staple');
});

test('a bug is told with where it is, and its answer names the line', async () => {
  const headers = { 'x-correlation-id': 'c-3', 'content-type': 'application/json' };
  const { body } = await app.inject({ method: 'POST', url: '/api/v1/commands/logout', headers, payload: '{}' });
  expect(JSON.parse(body)).toMatchObject({ code: 'internal_error', correlationId: 'c-3' });
  expect(log.problems.at(-1)).toMatch(/^a bug .*"correlationId":"c-3"/);
});
