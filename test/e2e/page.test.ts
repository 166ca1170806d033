// Facts about the page of a peer that runs: how a browser comes in, that this holds over a restart, and that what is dropped is shared.
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCohort } from '../../infra/quick-start/node-process.ts';
import { Cluster, type TestPeer } from './cluster.ts';

let cluster: Cluster;
let alice: TestPeer;

beforeAll(async () => {
  cluster = await Cluster.start({ trackerCount: 1 });
  [alice] = await cluster.users('alice');
  await cluster.group('films', alice);
}, 120_000);
afterAll(() => cluster.stop());

/** The address that `cohort open` prints, and what a browser makes of it: the cookie that it sends from then on. */
async function letIn(): Promise<string> {
  const printed = await runCohort(['--data-dir', alice.dataDirectory, 'open', '--no-browser']);
  const [, url, ticket] = /^(http:\/\/127\.0\.0\.1:\d+)\/#ticket=([\w-]+)\n$/.exec(printed) ?? [];
  expect(url).toBe(alice.control.url);
  const entered = await fetch(`${url}/api/v1/page-sessions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ticket }),
  });
  expect(entered.status).toBe(204);
  return entered.headers.getSetCookie()[0]!.split(';')[0]!;
}

const ask = (path: string, cookie: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`${alice.control.url}/api/v1${path}`, {
    ...init,
    headers: { cookie, 'sec-fetch-site': 'same-origin', ...(init.headers as Record<string, string>) },
  });

test('the page is served with what it names, and nothing in it comes from elsewhere', async () => {
  const page = await fetch(alice.control.url);
  const text = await page.text();
  const named = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => address!);
  expect(named.length).toBeGreaterThan(2);
  for (const address of named) {
    expect(address).toMatch(/^\.\/assets\//);
    const answer = await fetch(new URL(address, `${alice.control.url}/`));
    expect({ address, status: answer.status }).toEqual({ address, status: 200 });
    expect(answer.headers.get('cache-control')).toContain('immutable');
    await answer.body?.cancel();
  }
  expect(page.headers.get('cache-control')).toBe('no-cache');
  expect(text).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\bstyle=/);
});

test('a browser that was let in stays so over a kill of the peer, and what was dropped and shared stays too', async () => {
  const cookie = await letIn();
  const bytes = new Uint8Array(1_000_000).fill(3);
  const drop = async (query: string) => {
    const headers = { 'content-type': 'application/octet-stream' };
    const answer = await ask(`/dropped-files?${query}`, cookie, { method: 'POST', headers, body: bytes });
    expect(answer.status).toBe(201);
    return (await answer.json()) as { folder: string; path: string };
  };
  const folder = await drop('name=season&path=one%2Ffirst.mkv');
  await drop(`name=season&path=second.mkv&folder=${folder.folder}`);
  const shared = await ask('/commands/upload_file', cookie, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ group: 'films', path: folder.path, wait: true }),
  });
  expect(shared.status).toBe(200);
  await alice.process.kill();
  await alice.restart();
  const files = (await (await ask('/groups/films/files', cookie)).json()) as { items: { file: string }[] };
  expect(files.items).toMatchObject([{ file: 'season', totalBytes: 2_000_000, seedersOnline: 1 }]);
  expect(Buffer.compare(await readFile(join(folder.path, 'one', 'first.mkv')), bytes)).toBe(0);
  expect(readdirSync(join(alice.dataDirectory, 'dropped'))).toEqual([folder.folder]);
});
