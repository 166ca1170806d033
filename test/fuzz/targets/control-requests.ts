// Owns fuzzing requests to the control endpoint without sockets, one a line: `{"method", "url", "headers", "body"}`. Everything is
// answered, never as a bug of ours, and what is refused is a problem document; the guard before it lets in nobody by another
// name of the host, from another page or without the token.
import 'reflect-metadata';
import assert from 'node:assert/strict';
import type { InjectOptions } from 'fastify';
import { ERRORS } from '#wire/wire-error';
import { type AccessPolicy, accessRefusal } from '../../../apps/peer/src/control/access-policy.ts';
import { ApiKeys } from '../../../apps/peer/src/control/api-keys.ts';
import { CommandMemory } from '../../../apps/peer/src/control/command-memory.ts';
import { CommandRunner } from '../../../apps/peer/src/control/command-runner.ts';
import { createControlApp } from '../../../apps/peer/src/control/control-endpoint.ts';
import { PEER_ID, STATUS_FACTS, TRANSFER_ENGINE } from '../../../apps/peer/src/control/control-tokens.ts';
import { EventJournal } from '../../../apps/peer/src/control/event-journal.ts';
import { TRACKER_LINK } from '../../../apps/peer/src/tracker-link/tracker-link.ts';
import { TRANSFERS } from '../../../apps/peer/src/transfers/transfers.ts';
import {
  IDLE_ENGINE,
  NO_LINKS,
  pageParts,
  RecordedLink,
  RecordedTransfers,
  TRANSFER_ID,
} from '../../unit/peer/control/recorded-ports.ts';
import type { FuzzTarget } from '../fuzz-target.ts';
import { scratchFolder } from '../scratch-folder.ts';

const COMMANDS = '/api/v1/commands';
const LET_IN = 'cohort-x=good';
const SAMPLES: readonly Sample[] = [
  ...['/status', '/limits', '/api-keys', '/transfers', `/transfers/${TRANSFER_ID}`, '/sessions', '/groups?limit=3'].map(
    got,
  ),
  ...['/groups/films/files/a/content?path=b%2Fc.mkv&keep=true&expires=1&signature=x'].map(got),
  posted('/api/v1/groups/films/files/a/content-link', { path: 'b', keep: true, lifetimeSeconds: 1 }),
  ...['/groups/films/files?after=a&limit=2', '/groups/films/requests', `/commands/${TRANSFER_ID}`].map(got),
  posted(`${COMMANDS}/create_user`, { user: 'alice', password: 'correct horse' }),
  posted(`${COMMANDS}/logout`, {}),
  posted(`${COMMANDS}/upload_file`, { group: 'films', path: '/tmp/a', name: 'a', hash: 'sha256', wait: true }),
  posted(`${COMMANDS}/download_file`, { group: 'films', file: 'a', destination: '/tmp', strategy: 'random' }),
  posted(`${COMMANDS}/stop_share`, { group: 'films', file: 'a', everywhere: true }),
  posted('/api/v1/transfers/x/recheck', { repair: false, timeoutSeconds: 1 }),
  posted('/api/v1/api-keys', { name: 'web', scope: 'read' }),
  ...[posted('/api/v1/page-tickets', {}), posted('/api/v1/page-sessions', { ticket: 'a' })],
  { ...got('/status'), headers: { host: 'localhost:7070', cookie: LET_IN, 'sec-fetch-site': 'same-origin' } },
  { method: 'POST', url: '/api/v1/dropped-files?name=a&path=b', headers: { cookie: LET_IN } },
  { ...posted('/api/v1/limits', { uploadBytesPerSecond: 4096, groups: [{ group: 'films' }] }), method: 'PUT' },
  { method: 'DELETE', url: `/api/v1/transfers/${TRANSFER_ID}?data=keep`, headers: {} },
  {
    ...posted(`/api/v1/transfers/${TRANSFER_ID}`, {
      only: ['*.jpg'],
      priorities: [{ path: 'b/**', priority: 'high' }],
    }),
    method: 'PATCH',
  },
];
const POLICY: AccessPolicy = {
  port: 7070,
  ownHosts: new Set(['127.0.0.1', 'localhost']),
  allowedHosts: new Set(['peer.example']),
  scopeOf: (token) => (token === 'right' ? 'admin' : null),
  opensLink: () => false,
  opensPage: (cookies) => cookies === LET_IN,
};
const OWN_NAMES: ReadonlySet<string> = new Set(['127.0.0.1:7070', 'localhost:7070']);
const PAGES: ReadonlySet<string> = new Set([
  'http://127.0.0.1:7070',
  'https://127.0.0.1:7070',
  'http://localhost:7070',
  'https://localhost:7070',
]);

const app = await openedApp();

interface Sample {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body?: unknown;
}

export const controlRequests: FuzzTarget = {
  name: 'control-requests',
  sources: ['apps/peer/src/control/', 'libs/wire/src/control-requests.ts', 'libs/wire/src/name-validation.ts'],
  shape: 'json',
  seeds: () => [...SAMPLES.map((sample) => Buffer.from(JSON.stringify(sample)))],
  run: async (input) => {
    for (const line of Buffer.from(input).toString().split('\n').slice(0, 4)) {
      const sample = sampleIn(line);
      if (sample === null) continue;
      checkGuard(sample);
      await checkAnswer(sample);
    }
  },
};

function got(path: string): Sample {
  const headers = { host: '127.0.0.1:7070', authorization: 'Bearer right', origin: 'http://127.0.0.1:7070' };
  return { method: 'GET', url: `/api/v1${path}`, headers };
}

function posted(url: string, body: object): Sample {
  const headers = { 'content-type': 'application/json', 'idempotency-key': TRANSFER_ID, 'sec-fetch-site': 'none' };
  return { method: 'POST', url, headers, body };
}

async function openedApp() {
  const directory = scratchFolder();
  const link = new RecordedLink();
  const transfers = new RecordedTransfers();
  const memory = new CommandMemory('/dev/null', () => undefined);
  const keys = await ApiKeys.open({
    ...{ dataDirectory: directory, controlToken: 'right', damaged: () => undefined, now: () => 0 },
  });
  const facts = { peerId: 'cd'.repeat(32), listen: '127.0.0.1:1', advertise: '127.0.0.1:1', transport: 'tls' };
  const opened = await createControlApp([
    { provide: TRACKER_LINK, useValue: link },
    { provide: TRANSFERS, useValue: transfers },
    { provide: TRANSFER_ENGINE, useValue: { metrics: () => IDLE_ENGINE } },
    { provide: PEER_ID, useValue: facts.peerId },
    { provide: STATUS_FACTS, useValue: facts },
    { provide: CommandRunner, useValue: new CommandRunner({ link, transfers, memory }) },
    { provide: ApiKeys, useValue: keys },
    ...[NO_LINKS, ...pageParts(directory)],
    { provide: EventJournal, useValue: new EventJournal('/dev/null', { now: () => 0, writeFailed: () => undefined }) },
  ]);
  await opened.init();
  return opened;
}

/** What a line asks for, if a client of HTTP could send it. Streams, and what waits for events, have no end. */
function sampleIn(line: string): Sample | null {
  try {
    const { method, url, headers, body } = JSON.parse(line) as Record<string, unknown>;
    if (typeof method !== 'string' || !/^(?:GET|POST|PUT|DELETE|PATCH|HEAD|OPTIONS)$/.test(method)) return null;
    if (typeof url !== 'string' || !/^\/[\x21-\x7e]*$/.test(url) || url.startsWith('/api/v1/events')) return null;
    const sent = Object.entries((headers ?? {}) as object).filter(
      ([name, value]) => /^[a-z-]+$/.test(name) && typeof value === 'string' && /^[\x20-\x7e]*$/.test(value),
    );
    return { method, url, headers: Object.fromEntries(sent) as Record<string, string>, body };
  } catch {
    return null;
  }
}

function checkGuard({ method, url, headers, body }: Sample): void {
  const refusal = accessRefusal(
    {
      ...{ method, route: url.split('?')[0], host: headers['host'], origin: headers['origin'] },
      ...{ fetchSite: headers['sec-fetch-site'], authorization: headers['authorization'], cookie: headers['cookie'] },
      fetchMode: headers['sec-fetch-mode'],
      ...{ contentType: headers['content-type'], hasBody: body !== undefined },
    },
    POLICY,
  );
  if (refusal !== null) return;
  const host = (headers['host'] ?? '').toLowerCase();
  assert.ok(OWN_NAMES.has(host) || /^peer\.example(?::[0-9]+)?$/.test(host), `lets in by the name ${host}`);
  const origin = headers['origin'];
  const isOwn = origin === undefined || PAGES.has(origin) || origin.endsWith(`//${host}`);
  assert.ok(isOwn, `lets in from the page ${origin}`);
  const isReading = method === 'GET' || method === 'HEAD';
  const isOpen = method === 'GET' && /^\/(?:health\/live|metrics|api\/docs.*)(?:\?|$)/.test(url);
  const isPage = (isReading && /^\/(?:\?|$)/.test(url)) || /^\/api\/v1\/page-sessions(?:\?|$)/.test(url);
  if (isOpen || isPage || /^bearer right$/i.test(headers['authorization'] ?? '')) return;
  assert.ok(headers['cookie'] === LET_IN, 'lets in without the token');
  const isFromPage = isReading || origin !== undefined || headers['sec-fetch-site'] === 'same-origin';
  assert.ok(isFromPage, 'changes something for who sent the cookie, and is not the page');
}

async function checkAnswer({ method, url, headers, body }: Sample): Promise<void> {
  const request = {
    method,
    url,
    headers,
    ...(body !== undefined && { payload: JSON.stringify(body) }),
  } as InjectOptions;
  const { statusCode, headers: answered, body: text } = await app.inject(request);
  assert.ok(statusCode < 500, `${statusCode} ${text}`);
  if (statusCode < 400 || method === 'HEAD') return;
  assert.match(String(answered['content-type']), /^application\/problem\+json/, `${statusCode} is no problem document`);
  const problem = JSON.parse(text) as { status: number; code: string };
  assert.equal(problem.status, statusCode);
  assert.ok(Object.hasOwn(ERRORS, problem.code), problem.code);
}
