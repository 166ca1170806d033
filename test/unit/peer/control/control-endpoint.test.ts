// The endpoint as it is, over HTTP on a free loopback port; behind it ports that answer what a test says.
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, get, request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import 'reflect-metadata';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { NO_LIMITS } from '#wire/control-limits';
import { CONTROL_BODY_BYTES_MAX, CONTROL_CONNECTIONS_MAX } from '#wire/limits';
import { ApiKeys } from '../../../../apps/peer/src/control/api-keys.ts';
import { CommandMemory } from '../../../../apps/peer/src/control/command-memory.ts';
import { CommandRunner } from '../../../../apps/peer/src/control/command-runner.ts';
import { ControlDoor } from '../../../../apps/peer/src/control/control-door.ts';
import {
  type ControlEndpoint,
  type ControlEndpointOptions,
  openControlEndpoint,
} from '../../../../apps/peer/src/control/control-endpoint.ts';
import { PEER_ID, STATUS_FACTS, TRANSFER_ENGINE } from '../../../../apps/peer/src/control/control-tokens.ts';
import { EventJournal } from '../../../../apps/peer/src/control/event-journal.ts';
import { TRACKER_LINK } from '../../../../apps/peer/src/tracker-link/tracker-link.ts';
import { TRANSFERS } from '../../../../apps/peer/src/transfers/transfers.ts';
import { IDLE_ENGINE, NO_LINKS, pageParts, RecordedLink, RecordedTransfers } from './recorded-ports.ts';

const TOKEN = 'a-token-of-a-test';
const PEER = 'cd'.repeat(32);
const directory = mkdtempSync(join(tmpdir(), 'cohort-endpoint-'));
const journal = new EventJournal(join(directory, 'events.ndjson'), { now: () => 0, writeFailed: () => undefined });
const link = new RecordedLink();
const transfers = new RecordedTransfers();
const metrics = { ...IDLE_ENGINE, verifiedPieces: 3, refusals: [['wrong_key', 2]] };
let options: ControlEndpointOptions;
let endpoint: ControlEndpoint;
let base: string;

beforeAll(async () => {
  const keys = await ApiKeys.open({
    ...{ dataDirectory: directory, controlToken: TOKEN, damaged: () => undefined, now: () => 0 },
  });
  const memory = new CommandMemory(join(directory, 'commands.ndjson'), () => undefined);
  options = {
    listen: { host: '127.0.0.1', port: 0 },
    allowedHosts: [],
    scopeOf: (token) => keys.scopeOf(token),
    ...{ opensLink: () => false, opensPage: () => false },
    providers: [
      { provide: TRACKER_LINK, useValue: link },
      { provide: TRANSFERS, useValue: transfers },
      { provide: TRANSFER_ENGINE, useValue: { metrics: () => metrics } },
      { provide: PEER_ID, useValue: PEER },
      {
        provide: STATUS_FACTS,
        useValue: { peerId: PEER, listen: '127.0.0.1:1', advertise: '127.0.0.1:1', transport: 'tls' },
      },
      { provide: CommandRunner, useValue: new CommandRunner({ link, transfers, memory }) },
      { provide: ApiKeys, useValue: keys },
      ...[{ provide: EventJournal, useValue: journal }, NO_LINKS, ...pageParts(directory)],
    ],
  };
  endpoint = await openControlEndpoint(options);
  base = `http://127.0.0.1:${endpoint.address.port}`;
});
afterAll(async () => {
  await endpoint.close();
  rmSync(directory, { recursive: true });
});
beforeEach(() => {
  link.sent.length = 0;
  link.currentUser = 'alice';
});

test('a recheck takes a body or none, and is 202 while it runs', async () => {
  const post = (body?: object) =>
    fetch(`${base}/api/v1/transfers/x/recheck`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  const asked = vi.spyOn(transfers, 'recheck');
  for (const status of ['running', 'over'] as const) {
    asked.mockImplementation((async () => ({ status, transfer: { transferId: 'x' } })) as never);
    const answer = await post(status === 'over' ? { wait: true, repair: false } : undefined);
    expect({ status: answer.status, body: await answer.json() }).toEqual({
      status: status === 'over' ? 200 : 202,
      body: { transferId: 'x' },
    });
  }
  expect(asked.mock.calls).toEqual([
    ['x', {}],
    ['x', { wait: true, repair: false }],
  ]);
  expect((await post({ repair: 'no' })).status).toBe(400);
  asked.mockRestore();
});

test('an address that is taken is told by the error alone', async () => {
  const printed = [process.stdout, process.stderr].map((stream) => vi.spyOn(stream, 'write'));
  await expect(openControlEndpoint({ ...options, listen: endpoint.address })).rejects.toMatchObject({
    code: 'EADDRINUSE',
  });
  expect(printed.flatMap(({ mock }) => mock.calls)).toEqual([]);
  for (const spy of printed) spy.mockRestore();
});

const JSON_HEADERS = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };

async function call(
  method: string,
  path: string,
  body?: string | object,
  headers: Record<string, string> = JSON_HEADERS,
) {
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(base + path, { method, headers, ...(text !== undefined && { body: text }) });
  const type = response.headers.get('content-type');
  return { status: response.status, type, body: (await response.json().catch(() => null)) as Record<string, unknown> };
}

const command = (name: string, body: string | object, headers?: Record<string, string>) =>
  call('POST', `/api/v1/commands/${name}`, body, headers);

describe('a body', () => {
  test.each([
    ['{', 400, 'invalid_request'],
    ['', 400, 'invalid_request'],
    ['[]', 400, 'invalid_request'],
    ['null', 400, 'invalid_request'],
    ['"text"', 400, 'invalid_request'],
    ['{"group":"a","__proto__":{"x":1}}', 400, 'invalid_request'],
    [`{"group":"${'a'.repeat(CONTROL_BODY_BYTES_MAX)}"}`, 413, 'too_large'],
    [`{"group":${'['.repeat(20_000)}${']'.repeat(20_000)}}`, 400, 'invalid_request'],
  ])('%.40s is answered with %i %s, and nothing is sent', async (body, status, code) => {
    const answer = await command('create_group', body);
    expect(answer).toMatchObject({ status, type: 'application/problem+json; charset=utf-8', body: { code, status } });
    expect(link.sent).toEqual([]);
  });

  test.each([
    [{ group: 'a', other: 1 }, 'other'],
    [{}, 'group'],
    [{ group: 7 }, 'group'],
    [{ group: '' }, 'group'],
    [{ group: '../a' }, 'group'],
    [{ group: 'a\u0000' }, 'group'],
    [{ group: 'a'.repeat(65) }, 'group'],
  ])('%j is refused by the name of its field', async (body, field) => {
    const { status, body: problem } = await command('create_group', body);
    expect(status).toBe(400);
    expect(problem['errors']).toEqual([{ field, message: expect.stringMatching(/^(?:must|is not) /) as string }]);
  });

  test('that is not JSON by its type is 415', async () => {
    const headers = { ...JSON_HEADERS, 'content-type': 'text/plain' };
    expect(await command('create_group', '{"group":"a"}', headers)).toMatchObject({
      status: 415,
      body: { code: 'json_required' },
    });
  });

  test('of a download with a relative destination says what to do', async () => {
    const { body } = await command('download_file', { group: 'a', file: 'b', destination: 'here' });
    expect(body['errors']).toEqual([
      { field: 'destination', message: expect.stringContaining('must be an absolute path') as string },
    ]);
  });

  test('has its names normalised before they are sent', async () => {
    await command('create_group', { group: 'Cafe\u0301' });
    expect(link.sent[0]?.body).toMatchObject({ group: 'Caf\u00e9' });
  });
});

describe('a refusal', () => {
  test('names the command, its offset and what to do', async () => {
    link.answer = () => ({ status: 'rejected', reason: 'group_exists', offset: 12 });
    const key = '22222222-2222-4222-8222-222222222222';
    const { status, body } = await command('create_group', { group: 'a' }, { ...JSON_HEADERS, 'idempotency-key': key });
    expect(status).toBe(409);
    expect(body).toEqual({
      type: 'about:blank',
      title: 'group exists',
      status: 409,
      detail: 'That group name is taken.',
      code: 'group_exists',
      retryable: false,
      commandId: key,
      correlationId: key,
      offset: 12,
      errors: [],
    });
  });

  test.each([
    ['POST', '/api/v1/commands/no_such', 404, 'command_not_found'],
    ['GET', '/api/v1/no_such', 404, 'not_found'],
    ['GET', '/api/v1/%', 400, 'invalid_request'],
    ['GET', '/api/v1/transfers?after=x', 400, 'invalid_request'],
    ['GET', '/api/v1/transfers/x', 404, 'transfer_not_found'],
    ['POST', '/api/v1/transfers/x/pause', 404, 'transfer_not_found'],
    ['POST', '/api/v1/transfers/x/recheck', 404, 'transfer_not_found'],
    ['GET', '/api/v1/groups?limit=0', 400, 'invalid_request'],
    ['GET', '/api/v1/groups?limit=x', 400, 'invalid_request'],
    ['GET', '/api/v1/groups?other=1', 400, 'invalid_request'],
    ['GET', '/api/v1/groups/a/requests', 403, 'not_group_owner'],
    ['DELETE', '/api/v1/sessions/x', 400, 'invalid_request'],
    ['DELETE', '/api/v1/transfers/x?data=burn', 400, 'invalid_request'],
  ])('of %s %s is %i %s', async (method, path, status, code) => {
    const body = method === 'POST' ? {} : undefined;
    const headers = body === undefined ? { authorization: JSON_HEADERS.authorization } : JSON_HEADERS;
    expect(await call(method, path, body, headers)).toMatchObject({
      status,
      type: 'application/problem+json; charset=utf-8',
      body: { code },
    });
  });

  test('of what nobody foresaw tells nothing of the inside', async () => {
    link.answer = () => Promise.reject(new Error('the inside'));
    const answer = await command('create_group', { group: 'b' });
    expect(answer).toMatchObject({ status: 500, body: { code: 'internal_error' } });
    expect(JSON.stringify(answer)).not.toContain('the inside');
    link.answer = () => ({ status: 'accepted', offset: 1, result: {} });
  });
});

describe('access', () => {
  test('needs the token before anything is read', async () => {
    const answer = await command('create_group', '{', { 'content-type': 'application/json' });
    expect(answer).toMatchObject({ status: 401, body: { code: 'control_token_required' } });
  });

  test('by a foreign name of the host, or from a foreign page, is 403', async () => {
    const status = (headers: Record<string, string>) =>
      new Promise((resolve) => {
        get(`${base}/api/v1/status`, { headers: { ...JSON_HEADERS, ...headers } }, (response) => {
          response.resume();
          resolve(response.statusCode);
        });
      });
    expect(await status({ host: 'evil.example' })).toBe(403);
    expect(await status({ origin: 'http://evil.example' })).toBe(403);
    expect(await status({})).toBe(200);
  });

  test('with a named key lasts until the key is deleted, and never shows the key again', async () => {
    const { status, body } = await call('POST', '/api/v1/api-keys', { name: 'reader', scope: 'read' });
    expect(status).toBe(201);
    const reader = { authorization: `Bearer ${String(body['key'])}` };
    expect(await call('GET', '/api/v1/status', undefined, reader)).toMatchObject({ status: 200 });
    expect(await command('logout', {}, { ...JSON_HEADERS, ...reader })).toMatchObject({ status: 401 });
    const list = await call('GET', '/api/v1/api-keys');
    expect(JSON.stringify(list.body)).not.toContain(String(body['key']));
    expect((await call('DELETE', `/api/v1/api-keys/${String(body['keyId'])}`, undefined, BARE)).status).toBe(204);
    expect(await call('GET', '/api/v1/status', undefined, reader)).toMatchObject({ status: 401 });
    expect(await call('DELETE', `/api/v1/api-keys/${String(body['keyId'])}`, undefined, BARE)).toMatchObject({
      status: 404,
    });
  });

  const BARE = { authorization: JSON_HEADERS.authorization };
});

describe('a request that does not come to its end', () => {
  test.each([
    ['nothing at all', ''],
    ['half a header', 'GET /health/live HTTP/1.1\r\nHost: 127'],
    [
      'half a body',
      `POST /api/v1/commands/logout HTTP/1.1\r\nHost: HOST\r\nAuthorization: Bearer ${TOKEN}\r\n` +
        'Content-Type: application/json\r\nContent-Length: 10\r\n\r\n{',
    ],
    ['the body of somebody without the token', 'POST / HTTP/1.1\r\nHost: HOST\r\nContent-Length: 10\r\n\r\n{'],
  ])('is cut off, and counted, when it is %s', async (what, text) => {
    const counted = vi.spyOn(ControlDoor.prototype, 'refuse');
    const impatient = await openControlEndpoint({ ...options, requestTimeoutMs: 200 });
    const { host, port } = impatient.address;
    const socket = connect({ host, port });
    socket.on('error', () => undefined);
    socket.resume();
    socket.write(text.replace('HOST', `${host}:${port}`));
    await expect(new Promise((resolve) => socket.once('close', () => resolve('closed')))).resolves.toBe('closed');
    const refusal = what.includes('without the token') ? 'control_token_required' : 'request_timeout';
    expect(counted).toHaveBeenCalledWith(refusal);
    counted.mockRestore();
    await impatient.close();
  });
});

describe('the door', () => {
  test('takes who comes in place of who has shown no token, when all connections are taken', async () => {
    const crowded = await openControlEndpoint(options);
    const { host, port } = crowded.address;
    const kept = new Agent({ keepAlive: true, maxSockets: 1 });
    const ask = (agent: Agent) =>
      new Promise<number | undefined>((resolve, reject) => {
        get(`http://${host}:${port}/api/v1/status`, { agent, headers: JSON_HEADERS }, (response) => {
          response.resume().once('end', () => resolve(response.statusCode));
        }).once('error', reject);
      });
    expect(await ask(kept)).toBe(200);
    const closed: number[] = [];
    const silent = Array.from({ length: CONTROL_CONNECTIONS_MAX }, (_, number) =>
      connect({ host, port })
        .on('error', () => undefined)
        .once('close', () => closed.push(number)),
    );
    await vi.waitFor(() => expect(closed).toEqual([0]));
    expect(await ask(new Agent())).toBe(200);
    expect(await ask(kept)).toBe(200);
    await vi.waitFor(() => expect(closed).toEqual([0, 1]));
    const text = await (await fetch(`http://${host}:${port}/metrics`)).text();
    expect(text).toContain('cohort_refusals_total{door="control",code="too_many_connections"} 2\n');
    for (const each of [kept, ...silent]) each.destroy();
    await crowded.close();
  });

  test('is not taken for somebody with a token who asks for what needs none', async () => {
    const known = vi.spyOn(ControlDoor.prototype, 'know');
    await fetch(`${base}/metrics`, { headers: { authorization: 'Bearer nonsense' } });
    expect(known).not.toHaveBeenCalled();
    await fetch(`${base}/api/v1/status`, { headers: JSON_HEADERS });
    expect(known).toHaveBeenCalledOnce();
    known.mockRestore();
  });

  test('counts what it refuses, by code', async () => {
    const counting = await openControlEndpoint(options);
    const { host, port } = counting.address;
    const address = `http://${host}:${port}`;
    const send = (path: string, more: RequestInit = {}) =>
      fetch(address + path, { method: 'POST', headers: JSON_HEADERS, body: '{}', ...more });
    await send('/api/v1/commands/logout', { headers: { ...JSON_HEADERS, authorization: 'Bearer wrong' } });
    await send('/api/v1/commands/logout', { headers: { ...JSON_HEADERS, origin: 'http://evil.example' } });
    await send('/api/v1/commands/logout', { headers: { ...JSON_HEADERS, 'content-type': 'text/plain' } });
    await send('/api/v1/commands/logout', { body: JSON.stringify({ x: 'x'.repeat(CONTROL_BODY_BYTES_MAX) }) });
    await send('/api/v1/commands/logout', { body: '{' });
    await fetch(`${address}/api/v1/groups/g/requests`, { headers: JSON_HEADERS });
    await untilClosed(port, `GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n`);
    await untilClosed(port, 'nonsense\r\n\r\n');
    await untilClosed(port, `GET / HTTP/1.1\r\nHost: x\r\nx-long: ${'x'.repeat(100_000)}\r\n\r\n`);
    const text = await (await fetch(`${address}/metrics`)).text();
    const counted = [...text.matchAll(/^cohort_refusals_total\{door="(\w+)",code="(\w+)"\} (\d+)$/gm)];
    expect(Object.fromEntries(counted.map(([, door, code, count]) => [`${door} ${code}`, Number(count)]))).toEqual({
      'peers wrong_key': 2,
      'control control_token_required': 1,
      'control foreign_origin': 1,
      'control json_required': 1,
      'control too_large': 2,
      'control invalid_request': 1,
      'control not_group_owner': 1,
      'control foreign_host': 1,
      'control malformed_request': 1,
    });
    await counting.close();
  });

  function untilClosed(port: number, text: string): Promise<unknown> {
    const socket = connect({ host: '127.0.0.1', port });
    socket.on('error', () => undefined).resume();
    socket.write(text);
    return new Promise((resolve) => socket.once('close', resolve));
  }
});

test('browsers are told to run no script but those of this endpoint, on its page, with answers and with refusals', async () => {
  for (const path of ['/', '/api/docs', '/health/live', '/api/v1/status', '/api/v1/nothing', '/api/v1/%']) {
    const { headers } = await fetch(base + path);
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'; script-src 'self';");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy.includes('unsafe')).toBe(path === '/api/docs');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  }
  const scripts = (await (await fetch(`${base}/api/docs`)).text()).match(/<script\b[^>]*>[^<]*/g) ?? [];
  expect(scripts.length).toBeGreaterThan(0);
  expect(scripts.filter((script) => !/^<script src="[^"]+"[^>]*>\s*$/.test(script))).toEqual([]);
});

describe('events', () => {
  test('are a stream that goes on after the last id, and says reset when that is unknown', async () => {
    journal.append('group_changed', { group: 'one' });
    const from = journal.lastId;
    journal.append('group_changed', { group: 'two' });
    const text = await streamUntil(String(from), 'three', () => journal.append('group_changed', { group: 'three' }));
    expect(text).not.toContain('"one"');
    expect(text).toMatch(new RegExp(`id: ${from + 1}\nevent: group_changed\ndata: {"id":${from + 1},.*"two"`));
    expect(await streamUntil('99999', 'reset', () => undefined)).toContain('event: reset');
  });

  test('are waited for by a long poll', async () => {
    const since = journal.lastId;
    const poll = call('GET', `/api/v1/events?since=${since}&timeout=20`);
    // The poll is there once it has been let in, which the endpoint tells nobody: news come until it answers.
    const news = setInterval(() => journal.append('group_changed', { group: 'news' }), 20);
    const { body } = await poll.finally(() => clearInterval(news));
    expect(body).toMatchObject({
      last: expect.any(Number) as number,
      items: [{ id: since + 1, type: 'group_changed' }],
    });
  });

  /** What a stream said until a word of it. */
  function streamUntil(lastEventId: string, word: string, whenOpen: () => void): Promise<string> {
    return new Promise((resolve, reject) => {
      const headers = { authorization: JSON_HEADERS.authorization, 'last-event-id': lastEventId };
      const streaming = request(`${base}/api/v1/events`, { headers }, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
          if (!text.includes(word)) return;
          resolve(text);
          streaming.destroy();
        });
        response.once('data', whenOpen);
      });
      streaming.on('error', reject);
      streaming.end();
    });
  }
});

test('health, metrics and the interface are described without a token', async () => {
  const textOf = async (path: string): Promise<string> => (await fetch(base + path)).text();
  expect(await textOf('/health/live')).toBe('{"status":"live"}');
  expect(await textOf('/metrics')).toContain('\ncohort_pieces_verified_total 3\n');
  expect(await textOf('/api/docs-json')).toContain('"/api/v1/commands/upload_file"');
  expect(await textOf('/api/docs')).toContain('swagger-ui');
});

describe('limits', () => {
  const put = (body: string | object, headers?: Record<string, string>) => call('PUT', '/api/v1/limits', body, headers);
  const films = { group: 'films', uploadBytesPerSecond: 1024, downloadBytesPerSecond: null };

  test('are what was put in their place, and what is left out is none', async () => {
    expect(await call('GET', '/api/v1/limits')).toMatchObject({ status: 200, body: NO_LIMITS });
    const limits = { ...NO_LIMITS, uploadBytesPerSecond: 50_000_000, activeTransfers: 3, groups: [films] };
    expect(await put(limits)).toMatchObject({ status: 200, body: limits });
    expect((await call('GET', '/api/v1/limits')).body).toEqual(limits);
    expect((await put({ downloadBytesPerSecond: 4096 })).body).toEqual({ ...NO_LIMITS, downloadBytesPerSecond: 4096 });
  });

  test.each(['', '{}'])('stay as they are when a body of %j names none', async (body) => {
    await put({ ...NO_LIMITS, activeTransfers: 3 });
    const detail = expect.stringContaining('names no limit') as string;
    expect(await put(body)).toMatchObject({ status: 400, body: { code: 'invalid_request', detail } });
    expect((await call('GET', '/api/v1/limits')).body).toEqual({ ...NO_LIMITS, activeTransfers: 3 });
  });

  test('of a group that has none are left out, and its name is normalised', async () => {
    const groups = [{ group: 'e\u0301', uploadBytesPerSecond: 2048 }, { group: 'none' }];
    expect((await put({ groups })).body['groups']).toEqual([
      { group: '\u00e9', uploadBytesPerSecond: 2048, downloadBytesPerSecond: null },
    ]);
  });

  test('are shown among the metrics, without the names of groups', async () => {
    await put({ ...NO_LIMITS, uploadBytesPerSecond: 5000, activeTransfers: 2, groups: [films] });
    const text = await (await fetch(`${base}/metrics`)).text();
    expect(text).toContain('cohort_limit_bytes_per_second{direction="upload"} 5000\n');
    expect(text).toContain('cohort_limited_groups 1\n');
    expect(text).toContain('cohort_limit_active_transfers 2\n');
    expect(text).toContain('cohort_transfers{state="queued"} 0\n');
    expect(text).not.toContain('direction="download"');
    expect(text).not.toContain('films');
  });

  test.each([
    [{ uploadBytesPerSecond: 0 }, 'uploadBytesPerSecond', 'must be a whole number from 1024 to'],
    [{ downloadBytesPerSecond: 1500.5 }, 'downloadBytesPerSecond', 'must be a whole number'],
    [{ downloadBytesPerSecond: '50MB' }, 'downloadBytesPerSecond', 'or null for no limit'],
    [{ activeTransfers: 0 }, 'activeTransfers', 'from 1 to 10000 transfers'],
    [{ groups: null }, 'groups', 'must be an array'],
    [{ groups: {} }, 'groups', 'must be an array'],
    [{ groups: [null] }, 'groups[0]', 'object'],
    [{ groups: [films, films] }, 'groups', 'must name each group once'],
    [{ groups: [{ ...films, uploadBytesPerSecond: 3 }] }, 'groups[0].uploadBytesPerSecond', 'from 1024'],
    [{ groups: [{ ...films, group: '' }] }, 'groups[0].group', ''],
    [{ groups: [{ ...films, burst: 1 }] }, 'groups[0].burst', 'is not a field'],
    [{ uploadLimit: 1024 }, 'uploadLimit', 'is not a field of this request'],
  ])('%j are refused by the name of the field', async (limits, field, message) => {
    const { held } = transfers;
    const { status, body } = await put(limits);
    expect({ status, code: body['code'] }).toEqual({ status: 400, code: 'invalid_request' });
    expect(body['errors']).toContainEqual({ field, message: expect.stringContaining(message) });
    expect(transfers.held).toBe(held);
  });

  test('need JSON and a key that may do everything', async () => {
    const { authorization } = JSON_HEADERS;
    expect((await put('x=1', { authorization, 'content-type': 'text/plain' })).status).toBe(415);
    expect((await call('PUT', '/api/v1/limits', undefined, { authorization })).status).toBe(415);
    const made = await call('POST', '/api/v1/api-keys', { name: 'web', scope: 'transfer' });
    const headers = { ...JSON_HEADERS, authorization: `Bearer ${String(made.body['key'])}` };
    expect((await put({}, headers)).status).toBe(401);
    expect((await call('GET', '/api/v1/limits', undefined, headers)).status).toBe(200);
  });
});
