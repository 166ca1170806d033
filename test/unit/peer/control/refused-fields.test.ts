// What the endpoint says of a field that is wrong: which one, or which item of it, and what it must be.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import 'reflect-metadata';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ApiKeys } from '../../../../apps/peer/src/control/api-keys.ts';
import { CommandMemory } from '../../../../apps/peer/src/control/command-memory.ts';
import { CommandRunner } from '../../../../apps/peer/src/control/command-runner.ts';
import { type ControlEndpoint, openControlEndpoint } from '../../../../apps/peer/src/control/control-endpoint.ts';
import { PEER_ID, STATUS_FACTS, TRANSFER_ENGINE } from '../../../../apps/peer/src/control/control-tokens.ts';
import { EventJournal } from '../../../../apps/peer/src/control/event-journal.ts';
import { TRACKER_LINK } from '../../../../apps/peer/src/tracker-link/tracker-link.ts';
import { TRANSFERS } from '../../../../apps/peer/src/transfers/transfers.ts';
import { IDLE_ENGINE, NO_LINKS, pageParts, RecordedLink, RecordedTransfers } from './recorded-ports.ts';

const TOKEN = 'a-token-of-a-test';
const directory = mkdtempSync(join(tmpdir(), 'cohort-fields-'));
let endpoint: ControlEndpoint;

beforeAll(async () => {
  const [link, transfers] = [new RecordedLink(), new RecordedTransfers()];
  const memory = new CommandMemory(join(directory, 'commands.ndjson'), () => undefined);
  const journal = new EventJournal(join(directory, 'events.ndjson'), { now: () => 0, writeFailed: () => undefined });
  const keys = await ApiKeys.open({
    ...{ dataDirectory: directory, controlToken: TOKEN, damaged: () => undefined, now: () => 0 },
  });
  endpoint = await openControlEndpoint({
    ...{ listen: { host: '127.0.0.1', port: 0 }, allowedHosts: [], opensLink: () => false, opensPage: () => false },
    scopeOf: (token) => keys.scopeOf(token),
    providers: [
      { provide: TRACKER_LINK, useValue: link },
      { provide: TRANSFERS, useValue: transfers },
      { provide: TRANSFER_ENGINE, useValue: { metrics: () => IDLE_ENGINE } },
      { provide: PEER_ID, useValue: 'cd'.repeat(32) },
      { provide: STATUS_FACTS, useValue: {} },
      { provide: CommandRunner, useValue: new CommandRunner({ link, transfers, memory }) },
      { provide: ApiKeys, useValue: keys },
      ...[{ provide: EventJournal, useValue: journal }, NO_LINKS, ...pageParts(directory)],
    ],
  });
});
afterAll(async () => {
  await endpoint.close();
  rmSync(directory, { recursive: true });
});

const CONTENT = '/api/v1/groups/a/files/f/content';
const PATH = 'must be one path of a file in the folder, like inner/film.mkv, of at most 4096 characters';
const VERSION = 'must be a version: one whole number, from 1 on';
const GLOB = 'must be a glob of 1 to 1024 characters, like *.tmp or build/**';
const download = { group: 'a', file: 'f', destination: '/d' };
const upload = { group: 'a', path: '/f' };
test.each<[string, string, object | undefined, string, string]>([
  ['GET', `${CONTENT}?version=abc`, undefined, 'version', VERSION],
  ['GET', `${CONTENT}?version=1&version=2`, undefined, 'version', VERSION],
  ['GET', `${CONTENT}?path=a&path=b`, undefined, 'path', PATH],
  ['GET', `${CONTENT}?path=`, undefined, 'path', PATH],
  ['POST', '/api/v1/commands/download_file', { ...download, version: 0 }, 'version', VERSION],
  ['POST', '/api/v1/commands/download_file', { ...download, only: ['a', ''] }, 'only[1]', GLOB],
  ['POST', '/api/v1/commands/download_file', { ...download, only: ['x'.repeat(1025)] }, 'only[0]', GLOB],
  ['POST', '/api/v1/commands/download_file', { ...download, only: [] }, 'only', 'must hold 1 to 256 globs'],
  ['POST', '/api/v1/commands/download_file', { ...download, only: 'a' }, 'only', 'must be a list of globs'],
  ['POST', '/api/v1/commands/upload_file', { ...upload, exclude: ['a', 'b', ''] }, 'exclude[2]', GLOB],
  ['PATCH', '/api/v1/transfers/x', { priorities: [{ path: '', priority: 'low' }] }, 'priorities[0].path', GLOB],
])('of %s %s %j %s is named, and what it must be', async (method, path, body, field, message) => {
  const answer = await fetch(`http://127.0.0.1:${endpoint.address.port}${path}`, {
    method,
    headers: { authorization: `Bearer ${TOKEN}`, ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ code: 'invalid_request', errors: [{ field, message }] });
});
