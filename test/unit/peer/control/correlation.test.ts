// What a request is known by, in its answer and in the lines about it.
import 'reflect-metadata';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { RecordedLog } from '../../../e2e/tracker-harness.ts';
import { createControlApp } from '../../../../apps/peer/src/control/control-endpoint.ts';
import { CONTROL_NEEDS } from '../../../../apps/peer/src/control/control.module.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const KEY = '0f8fad5b-d9cb-469f-a165-70867728950e';
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;
const log = new RecordedLog();
let app: NestFastifyApplication;

beforeAll(async () => {
  const failing = {
    run: () => Promise.reject(new Error('this cannot be')),
    stateOf: () => Promise.resolve({ state: 'x' }),
  };
  app = await createControlApp(
    CONTROL_NEEDS.map((provide) => ({ provide, useValue: failing })),
    { log },
  );
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
});
afterAll(() => app.close());
beforeEach(() => void log.lines.splice(0));

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
