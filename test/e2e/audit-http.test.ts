// What an auditor asks a running tracker over HTTP: the same as `cohort audit` says of its log, with a key, and nothing is appended.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type AuditRun,
  showAccess,
  showDifference,
  showHistory,
  showLog,
  showState,
  showVerification,
} from '../../apps/tracker/src/audit/audit-verbs.ts';
import { AuditKeys } from '../../apps/tracker/src/audit/audit-keys.ts';
import { logFilterOf } from '../../apps/tracker/src/audit/log-filter.ts';
import { openLogSource } from '../../apps/tracker/src/audit/log-source.ts';
import type { Moment } from '../../apps/tracker/src/audit/moment.ts';
import { LogFailure } from '../../apps/tracker/src/command-log/command-log.ts';
import { openCommandLog } from '../../apps/tracker/src/command-log/open-command-log.ts';
import { derivedOf, randomRecords } from '../unit/tracker/random-log.ts';
import { MemoryLog } from '../unit/tracker/memory-log.ts';
import { Cleanup } from './tracker-harness.ts';
import { cohort, TrackerFolder, type TrackerProcess } from './tracker-processes.ts';

const COUNT = 400;
const records = randomRecords(7, COUNT, { isTruthful: true });
const cleanup = new Cleanup();
afterAll(() => cleanup.run());

let folder: TrackerFolder;
let tracker: TrackerProcess;
let url: string;
let http: string;
let key: string;

beforeAll(async () => {
  const directory = await cleanup.directory();
  url = `sqlite:${join(directory, 'log.sqlite')}`;
  const log = await openCommandLog({ url, trackerInfoPath: null });
  await log.append(records);
  await log.close();
  folder = await TrackerFolder.create(cleanup, 1, url);
  // The one that is stopped signs what is there, so that nothing is left to be signed while these tests run.
  await (await folder.start(1)).stop('SIGTERM');
  tracker = await folder.start(1);
  http = tracker.http;
  key = (await keys('create', 'Ada')).trim();
}, 60_000);

async function keys(...words: readonly string[]): Promise<string> {
  const { code, out, errors } = await cohort(['audit-keys', ...words, '--data-dir', folder.dataDirectory(1)]);
  expect({ code, errors: code === 0 ? '' : errors }).toEqual({ code: 0, errors: '' });
  return out;
}

/** What a verb of `cohort audit --json` says of the same log. */
async function said(verb: (run: AuditRun) => Promise<unknown>): Promise<Record<string, unknown>[]> {
  const values: object[] = [];
  const out = {
    json: (value: object) => void values.push(value),
    line: () => {},
    flush: async () => {},
    bytes: async () => {},
  };
  const source = await openLogSource(url, null);
  try {
    await verb({ source, out, json: true, onProgress: undefined });
  } finally {
    await source.close();
  }
  return JSON.parse(JSON.stringify(values)) as Record<string, unknown>[];
}

const at = (offset: number): Moment => ({ kind: 'offset', offset });

function ask(path: string, authorization: string | null = `Bearer ${key}`): Promise<Response> {
  return fetch(`${http}/audit/${path}`, authorization === null ? {} : { headers: { authorization } });
}

type Answer = Record<string, unknown> & { readonly next?: string | null };

async function answer(path: string): Promise<Answer> {
  const response = await ask(path);
  const body = await response.text();
  expect([path, response.status, response.status === 200 ? '' : body]).toEqual([path, 200, '']);
  return JSON.parse(body) as Answer;
}

/** All pages of an answer, one after the other. */
async function pages(path: string, limit: number): Promise<Answer[]> {
  const found: Answer[] = [];
  for (let after = ''; ;) {
    found.push(await answer(`${path}${path.includes('?') ? '&' : '?'}limit=${limit}${after}`));
    const { next } = found.at(-1)!;
    if (next === null || next === undefined) return found;
    after = `&after=${next}`;
  }
}

const listIn = (all: readonly Answer[], name: string): unknown[] => all.flatMap((page) => page[name] as unknown[]);

async function problemOf(response: Response): Promise<Record<string, unknown>> {
  expect(response.headers.get('content-type')).toContain('application/problem+json');
  return (await response.json()) as Record<string, unknown>;
}

describe('a tracker answers whoever has a key', () => {
  it('what its records are, page by page, refused ones with their reasons', async () => {
    const found = await pages('log?to=399', 90);
    expect(found.map(({ items }) => (items as unknown[]).length)).toEqual([90, 90, 90, 90, 40]);
    expect(listIn(found, 'items')).toEqual(await said((run) => showLog(run, logFilterOf({ to: '399' }), null)));
    const filter = logFilterOf({ outcome: 'rejected', type: 'join_group', to: '399' });
    const expected = await said((run) => showLog(run, filter, null));
    const refused = await pages('log?outcome=rejected&type=join_group&to=399', Math.ceil(expected.length / 2));
    expect([listIn(refused, 'items'), refused.length]).toEqual([expected, 2]);
  });

  it('how everything was at an offset, or at a time', async () => {
    const [expected] = await said((run) => showState(run, at(299), null));
    const found = await pages('state?at=299', Math.ceil((expected!['facts'] as unknown[]).length / 3));
    expect(found).toHaveLength(3);
    expect({ ...found[0], facts: listIn(found, 'facts') }).toMatchObject({ ...expected });
    const { time } = expected!['at'] as { time: string };
    expect(await answer(`state?at=${time}`)).toMatchObject({ at: expected!['at'], digest: expected!['digest'] });
  });

  it('who could read a file and fetched it, what changed, and why', async () => {
    const groups = [...derivedOf(records.slice(0, 300)).state.groups.values()];
    const group = groups.find(({ shares }) => shares.size > 0)!;
    const share = `${group.name}/${[...group.shares.keys()][0]!}`;
    const [access] = await said((run) => showAccess(run, share, { between: [at(0), at(299)] }));
    const count = ['shares', 'readers', 'fetches'].reduce((sum, list) => sum + (access![list] as unknown[]).length, 0);
    const found = await pages(`access?share=${encodeURIComponent(share)}&between=0,299`, Math.ceil(count / 3));
    expect(found.length).toBeGreaterThan(1);
    for (const list of ['shares', 'readers', 'fetches']) expect(listIn(found, list)).toEqual(access![list]);
    const [difference] = await said((run) => showDifference(run, at(100), at(299)));
    expect(listIn(await pages('diff?from=100&to=299', 20), 'changes')).toEqual(difference!['changes']);
    const [why] = await said((run) => showHistory(run, { kind: 'group', group: group.name }));
    expect(listIn(await pages(`why?kind=group&name=${encodeURIComponent(group.name)}`, 50), 'history')).toEqual(
      why!['history'],
    );
  });

  it('whether the log is sound, with a proof of a record, a page about a period, and an export', async () => {
    const [verified] = await said((run) => showVerification(run, {}));
    expect(await answer('verify')).toEqual({ ...verified, asOfOffset: (verified!['records'] as number) - 1 });
    const path = join(await cleanup.directory(), 'answer');
    await writeFile(path, JSON.stringify(await answer('prove?offset=7')));
    expect(await cohort(['audit', 'verify', '--proof', path])).toMatchObject({ code: 0 });
    const report = await ask('report?from=10&to=200');
    expect(report.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(await report.text()).toMatch(/Offset 10 .* to 200 .*: 191 records/);
    const exported = await (await ask('export?tail=true')).text();
    expect(exported).not.toContain('argon2id');
    await writeFile(path, exported);
    const again = await cohort(['audit', 'verify', '--file', path, '--json']);
    expect(JSON.parse(again.out)).toMatchObject({ verdict: 'sound', root: verified!['root'] });
  });

  it('and appends nothing for it', async () => {
    const before = await tracker.status();
    for (const view of ['verify', 'log?limit=1', 'state', 'nonsense', 'log?colour=red']) await ask(view);
    expect((await tracker.status()).appliedOffset).toBe(before.appliedOffset);
  });
});

it('commands go on while a tracker answers an auditor', async () => {
  const log = new MemoryLog();
  const auditKeysFolder = await cleanup.directory();
  const running = await cleanup.tracker(log, { auditKeysFolder });
  const alice = await cleanup.peer(running);
  await alice.signUp('alice');
  const [asked, opened] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const read = log.read.bind(log);
  log.read = async function* (fromOffset, signal) {
    asked.resolve();
    await opened.promise;
    yield* read(fromOffset, signal);
  };
  const { key: own } = await new AuditKeys(auditKeysFolder).create('Ada');
  const { host, port } = running.http;
  const answered = fetch(`http://${host}:${port}/audit/verify`, { headers: { authorization: `Bearer ${own}` } });
  await asked.promise;
  const before = log.records.length;
  await alice.accepted('create_group', { group: 'films' });
  expect(log.records).toHaveLength(before + 1);
  opened.resolve();
  expect(await (await answered).json()).toMatchObject({ verdict: 'sound', records: before, asOfOffset: before - 1 });
});

it('a key that is deleted counts no more for what is under way, whether its answer has begun or not', async () => {
  const log = new MemoryLog();
  const auditKeysFolder = await cleanup.directory();
  const running = await cleanup.tracker(log, { auditKeysFolder });
  const read = log.read.bind(log);
  const readings: AbortSignal[] = [];
  log.read = async function* (fromOffset, signal) {
    readings.push(signal);
    if (readings.length === 1) return yield* read(fromOffset, signal);
    // The first part of the export, and nothing more.
    if (readings.length === 2) yield log.records.slice(0, 1);
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
  };
  const keysOfTracker = new AuditKeys(auditKeysFolder);
  const { key: own, keyId } = await keysOfTracker.create('Eve');
  const address = `http://${running.http.host}:${running.http.port}`;
  const headers = { authorization: `Bearer ${own}` };
  const begun = await fetch(`${address}/audit/export?tail=true`, { headers });
  const waiting = fetch(`${address}/audit/verify`, { headers });
  expect(await keysOfTracker.delete(keyId)).toBe(true);
  expect((await waiting).status).toBe(401);
  await expect(begun.text()).rejects.toThrow('terminated');
  expect(readings.every(({ aborted }) => aborted)).toBe(true);
});

it('an answer that ends too soon is cut off, and counted', async () => {
  const log = new MemoryLog();
  const auditKeysFolder = await cleanup.directory();
  const running = await cleanup.tracker(log, { auditKeysFolder });
  await (await cleanup.peer(running)).signUp('alice');
  const read = log.read.bind(log);
  let readings = 0;
  log.read = async function* (fromOffset, signal) {
    readings += 1;
    if (readings === 1) return yield* read(fromOffset, signal);
    // What it comes to was found in the first reading; this one is what is sent.
    yield log.records.slice(0, 1);
    throw new LogFailure('log_unavailable', 'the log went away');
  };
  const { key: own } = await new AuditKeys(auditKeysFolder).create('Ada');
  const address = `http://${running.http.host}:${running.http.port}`;
  const answered = await fetch(`${address}/audit/export?tail=true`, { headers: { authorization: `Bearer ${own}` } });
  expect(answered.status).toBe(200);
  await expect(answered.text()).rejects.toThrow('terminated');
  const metrics = await (await fetch(`${address}/metrics`)).text();
  expect(metrics).toMatch(/^cohort_refused_without_record_total\{code="log_unavailable"\} 1$/m);
});

describe('a tracker refuses', () => {
  it.each([
    ['no key', null],
    ['a key that is none', 'Bearer 0123456789abcdef.x'],
    ['a key of another kind', 'Basic YTpi'],
  ])('%s, whatever is asked', async (_what, authorization) => {
    for (const path of ['log', 'verify', 'export', 'nonsense', 'log?colour=red']) {
      const response = await ask(path, authorization);
      expect([path, response.status, response.headers.get('www-authenticate')]).toEqual([path, 401, 'Bearer']);
      expect(await problemOf(response)).toMatchObject({ code: 'audit_key_required' });
    }
  });

  it('a key that was deleted, from that moment on, and counts it', async () => {
    const short = (await keys('create', 'Bob')).trim();
    expect((await ask('log?limit=1', `Bearer ${short}`)).status).toBe(200);
    expect(await keys('list')).toMatch(/Ada[^]*Bob/);
    await keys('delete', short.split('.')[0]!);
    expect(await keys('list')).not.toContain('Bob');
    expect((await ask('log?limit=1', `Bearer ${short}`)).status).toBe(401);
    const metrics = await (await fetch(`${http}/metrics`)).text();
    expect(metrics).toMatch(/^cohort_refused_without_record_total\{code="audit_key_required"\} [1-9]/m);
    expect(metrics).toMatch(/^cohort_audit_questions_total\{view="log"\} [1-9]/m);
  });

  it.each([
    ['log?colour=red', 'colour', 'log takes actor'],
    ['verify?at=1', 'at', 'verify takes none'],
    ['log?type=nonsense', 'type', 'is no command'],
    ['log?type=login&type=logout', 'type', 'more than once'],
    ['log?limit=0', 'limit', 'from 1 to 1000'],
    ['log?after=1', 'after', 'next of the page before'],
    ['log?after=99999.1', 'after', 'not so many records'],
    ['state?at=yesterday', 'at', 'neither an offset nor a time'],
    ['diff?from=1', 'to', 'is missing'],
    ['log?from=99999', 'from', 'is behind the last record'],
    ['access?share=g/a&between=1', null, 'or --between with two'],
    ['state?at=99999', null, 'is not there yet'],
  ])('%s, and names %s', async (path, field, words) => {
    const response = await ask(path);
    const { code, detail, errors } = await problemOf(response);
    expect([response.status, code]).toEqual([400, 'invalid_request']);
    if (field === null) expect(detail).toContain(words);
    else expect(errors).toEqual([{ field, message: expect.stringContaining(words) as unknown }]);
  });

  it.each([
    ['nonsense', 'no audit view'],
    ['state?user=nobody', 'there is no user nobody'],
    ['access?share=g/never', 'was ever shared'],
  ])('%s, which is nowhere', async (path, words) => {
    const response = await ask(path);
    expect(response.status).toBe(404);
    expect(await problemOf(response)).toMatchObject({
      code: 'not_found',
      detail: expect.stringContaining(words) as unknown,
    });
  });

  it.each([
    ['GET', '/audit'],
    ['GET', '/audit/'],
    ['GET', '/audit/log/'],
    ['GET', '/audit/log/more?limit=1'],
    ['GET', `/audit/${'a'.repeat(200)}`],
    ['GET', '/audit/%zz'],
    ['POST', '/audit/log'],
    ['DELETE', '/audit/export?tail=true'],
  ])('%s %s, which is no view, as a problem that is counted', async (method, path) => {
    const refused = async (code: string): Promise<number> => {
      const metrics = await (await fetch(`${http}/metrics`)).text();
      return Number(
        new RegExp(`^cohort_refused_without_record_total\\{code="${code}"\\} (\\d+)$`, 'm').exec(metrics)?.[1] ?? 0,
      );
    };
    const before = [await refused('not_found'), await refused('audit_key_required')];
    const body =
      method === 'POST' ? { body: 'neither JSON nor anything else', headers: { 'content-type': 'text/x' } } : {};
    const stranger = await fetch(`${http}${path}`, { method, ...body });
    expect([stranger.status, (await problemOf(stranger))['code']]).toEqual([401, 'audit_key_required']);
    const headers = { ...body.headers, authorization: `Bearer ${key}` };
    const auditor = await fetch(`${http}${path}`, { method, ...body, headers });
    expect([auditor.status, await problemOf(auditor)]).toEqual([
      404,
      expect.objectContaining({
        code: 'not_found',
        detail: expect.stringContaining('GET /audit/<view> answers log') as unknown,
      }),
    ]);
    expect([await refused('not_found'), await refused('audit_key_required')]).toEqual(before.map((count) => count + 1));
  });

  it('a name that is not its own, and a key in a folder of no tracker', async () => {
    const missing = await cohort(['audit-keys', 'create', 'Ada', '--data-dir', join(folder.directory, 'none')]);
    expect(missing).toMatchObject({ code: 64, errors: expect.stringContaining("holds no tracker's key") as unknown });
    const unknown = await cohort(['audit-keys', 'delete', '0123456789abcdef', '--data-dir', folder.dataDirectory(1)]);
    expect(unknown).toMatchObject({ code: 66, errors: expect.stringContaining('there is no key') as unknown });
  });
});
