// What the page needs of the endpoint, over HTTP on a free loopback port: its files, how a browser is let in, and files that are dropped.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { CONTROL_BODY_BYTES_MAX } from '#wire/limits';
import { ApiKeys } from '../../../../apps/peer/src/control/api-keys.ts';
import { CommandRunner } from '../../../../apps/peer/src/control/command-runner.ts';
import { ControlDoor } from '../../../../apps/peer/src/control/control-door.ts';
import {
  type ControlEndpoint,
  type ControlEndpointOptions,
  openControlEndpoint,
} from '../../../../apps/peer/src/control/control-endpoint.ts';
import { CONTROL_NEEDS } from '../../../../apps/peer/src/control/control.module.ts';
import { PAGE_FILES, STATUS_FACTS } from '../../../../apps/peer/src/control/control-tokens.ts';
import { CommandMemory } from '../../../../apps/peer/src/control/command-memory.ts';
import type { PageFile } from '../../../../apps/peer/src/control/page-files.ts';
import { PageSessions } from '../../../../apps/peer/src/control/page-sessions.ts';
import { DROPPED_FILES, DroppedFiles } from '../../../../apps/peer/src/dropping/dropped-files.ts';
import { TRACKER_LINK } from '../../../../apps/peer/src/tracker-link/tracker-link.ts';
import { TRANSFERS } from '../../../../apps/peer/src/transfers/transfers.ts';
import { RecordedLink, RecordedTransfers } from './recorded-ports.ts';

const TOKEN = 'a-token-of-a-test';
const AUTHORIZED = { authorization: `Bearer ${TOKEN}` };
const PEER = 'cd'.repeat(32);
const directory = mkdtempSync(join(tmpdir(), 'cohort-page-'));
const PAGE_FILE: PageFile = {
  ...{ type: 'text/html; charset=utf-8', cacheControl: 'no-cache', etag: '"a"' },
  ...{ plain: Buffer.from('<p>page</p>'), gzipped: gzipSync('<p>page</p>') },
};
let options: ControlEndpointOptions;
let endpoint: ControlEndpoint;
let base: string;
let keys: ApiKeys;

beforeAll(async () => {
  keys = await ApiKeys.open({
    dataDirectory: directory,
    controlToken: TOKEN,
    damaged: () => undefined,
    now: () => 0,
  });
  const memory = new CommandMemory(join(directory, 'commands.ndjson'), () => undefined);
  const pages = new PageSessions({ peerId: PEER, controlToken: TOKEN, now: Date.now });
  const dropped = new DroppedFiles({
    ...{ dataDirectory: directory, now: Date.now, usedPaths: () => [] },
    areSomeUnknown: () => Promise.resolve(false),
  });
  const [link, transfers] = [new RecordedLink(), new RecordedTransfers()];
  const given = new Map<unknown, unknown>([
    [TRACKER_LINK, link],
    [TRANSFERS, transfers],
    [STATUS_FACTS, { peerId: PEER }],
    [CommandRunner, new CommandRunner({ link, transfers, memory })],
    [ApiKeys, keys],
    [PageSessions, pages],
    [PAGE_FILES, new Map([['', PAGE_FILE]])],
    [DROPPED_FILES, dropped],
  ]);
  options = {
    ...{ listen: { host: '127.0.0.1', port: 0 }, allowedHosts: [], opensLink: () => false },
    scopeOf: (token) => keys.scopeOf(token),
    opensPage: (cookies) => pages.opens(cookies),
    providers: CONTROL_NEEDS.map((provide) => ({ provide, useValue: given.get(provide) ?? {} })),
  };
  endpoint = await openControlEndpoint(options);
  base = `http://127.0.0.1:${endpoint.address.port}`;
});
afterAll(async () => {
  await endpoint.close();
  rmSync(directory, { recursive: true });
});

async function call(method: string, path: string, headers: Record<string, string>, body?: object) {
  const response = await fetch(base + path, {
    method,
    headers,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json().catch(() => null)) as Record<string, unknown> };
}

describe('the page', () => {
  test('is had without a token, compressed for who takes that, and not again while it is the same', async () => {
    const page = await fetch(base);
    expect({ status: page.status, text: await page.text() }).toEqual({ status: 200, text: '<p>page</p>' });
    expect(page.headers.get('content-encoding')).toBe('gzip');
    const again = await fetch(base, { headers: { 'accept-encoding': 'identity', 'if-none-match': '"b", "a"' } });
    expect({ status: again.status, text: await again.text() }).toEqual({ status: 304, text: '' });
    const plain = await fetch(base, { headers: { 'accept-encoding': 'identity' } });
    expect(plain.headers.get('content-encoding')).toBeNull();
    expect(await plain.text()).toBe('<p>page</p>');
    expect((await call('GET', '/assets/nothing.js', {})).body).toMatchObject({ code: 'not_found' });
  });

  test('lets in who has a ticket, once, and then by its cookie', async () => {
    const { status, body } = await call('POST', '/api/v1/page-tickets', AUTHORIZED);
    expect(status).toBe(201);
    const ticket = body['ticket'] as string;
    const entered = await enter({ ticket });
    expect(entered.status).toBe(204);
    const [cookie] = entered.headers.getSetCookie()[0]!.split(';');
    expect((await call('GET', '/api/v1/status', { cookie: cookie! })).status).toBe(200);
    const command = { cookie: cookie!, 'content-type': 'application/json' };
    expect((await call('POST', '/api/v1/commands/logout', command, {})).body).toMatchObject({ code: 'foreign_origin' });
    const fromPage = { ...command, 'sec-fetch-site': 'same-origin' };
    expect((await call('POST', '/api/v1/commands/logout', fromPage, {})).status).toBe(200);
    const again = await enter({ ticket });
    expect({ status: again.status, body: await again.json() }).toMatchObject({
      status: 401,
      body: { code: 'control_token_required', detail: expect.stringContaining('cohort open') as string },
    });
  });

  test('lets in who has the control token, and nobody with another one, or with nothing', async () => {
    expect((await enter({ token: TOKEN })).status).toBe(204);
    expect(await (await enter({ token: 'other' })).json()).toMatchObject({ errors: [{ field: 'token' }] });
    for (const body of [{}, { ticket: 'a', token: TOKEN }]) {
      expect(await (await enter(body)).json()).toMatchObject({
        code: 'invalid_request',
        errors: [{ field: 'ticket' }],
      });
    }
  });

  test('lets nobody in for a key, which can be deleted, when a cookie would stay', async () => {
    const { key } = await keys.add({ name: 'backup', scope: 'admin' });
    const authorization = `Bearer ${key}`;
    expect((await call('GET', '/api/v1/status', { authorization })).status).toBe(200);
    expect((await enter({ token: key })).status).toBe(401);
    expect(await call('POST', '/api/v1/page-tickets', { authorization })).toMatchObject({
      status: 401,
      body: { code: 'control_token_required', detail: expect.stringContaining('a key does not do') as string },
    });
    const [cookie] = (await enter({ token: TOKEN })).headers.getSetCookie()[0]!.split(';');
    const fromPage = { cookie: cookie!, 'sec-fetch-site': 'same-origin' };
    expect((await call('POST', '/api/v1/page-tickets', fromPage)).status).toBe(201);
  });

  test('forgets a browser', async () => {
    const left = await fetch(`${base}/api/v1/page-sessions`, { method: 'DELETE' });
    expect(left.status).toBe(204);
    expect(left.headers.getSetCookie()[0]).toContain('Max-Age=0');
  });

  const enter = (body: object) =>
    fetch(`${base}/api/v1/page-sessions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
});

describe('a dropped file', () => {
  const drop = (query: string, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
    fetch(`${base}/api/v1/dropped-files?${query}`, {
      method: 'POST',
      headers: { ...AUTHORIZED, 'content-type': 'application/octet-stream', ...headers },
      body,
    });

  test('is taken whatever its length, under names that are checked', async () => {
    const bytes = new Uint8Array(3 * CONTROL_BODY_BYTES_MAX).fill(7);
    const answer = await drop('name=a%20film.mkv', bytes);
    const { folder, path } = (await answer.json()) as { folder: string; path: string };
    expect(answer.status).toBe(201);
    expect(path).toBe(join(directory, 'dropped', folder, 'a film.mkv'));
    expect(readFileSync(path).equals(bytes)).toBe(true);
    expect((await drop('name=empty', '')).status).toBe(201);
    const wrong = { 'name=': 'name', 'name=..': 'name', 'name=a&path=../b': 'path', 'name=a&folder=b': 'folder' };
    for (const [query, field] of Object.entries(wrong)) {
      expect(await (await drop(query, bytes)).json()).toMatchObject({ code: 'invalid_request', errors: [{ field }] });
    }
    expect(await (await drop('name=a', '{}', { 'content-type': 'application/json' })).json()).toMatchObject({
      code: 'json_required',
    });
    const gone = await fetch(`${base}/api/v1/dropped-files/${folder}`, { method: 'DELETE', headers: AUTHORIZED });
    expect([gone.status, existsSync(path)]).toEqual([204, false]);
  });

  test('may take longer than other requests while it comes, and is cut off when it stops', async () => {
    const cut = vi.spyOn(ControlDoor.prototype, 'refuse');
    const impatient = await openControlEndpoint({ ...options, requestTimeoutMs: 700 });
    const before = readdirSync(join(directory, 'dropped')).length;
    const sent = request(`http://127.0.0.1:${impatient.address.port}/api/v1/dropped-files?name=slow`, {
      method: 'POST',
      headers: { ...AUTHORIZED, 'content-type': 'application/octet-stream' },
    });
    const ended = new Promise((resolve) => sent.on('error', () => undefined).once('close', resolve));
    const begun = Date.now();
    const coming = setInterval(() => sent.write('x'), 50);
    await vi.waitFor(() => expect(Date.now() - begun).toBeGreaterThan(1_500));
    expect(sent.destroyed).toBe(false);
    clearInterval(coming);
    await ended;
    expect(cut).toHaveBeenCalledWith('request_timeout');
    await vi.waitFor(() => expect(readdirSync(join(directory, 'dropped'))).toHaveLength(before));
    cut.mockRestore();
    await impatient.close();
  });
});
