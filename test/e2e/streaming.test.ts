// Facts about the content of files over HTTP, between whole peers: what comes is what was shared, to whoever may have it.
import { execFile, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { TransferView } from '#wire/control-api';
import { residentBytes } from '../../infra/quick-start/measured.ts';
import { Cluster, expectOk, type TestPeer, until } from './cluster.ts';

vi.setConfig({ testTimeout: 90_000 });

const MIB = 1024 * 1024;
const run = promisify(execFile);
const hasCurl = spawnSync('curl', ['--version']).status === 0;

let cluster: Cluster;
let alice: TestPeer;
let bob: TestPeer;
let carol: TestPeer;

beforeAll(async () => {
  cluster = await Cluster.start();
  [alice, bob, carol] = await cluster.users('alice', 'bob', 'carol');
  await cluster.group('films', alice, bob, carol);
}, 120_000);
afterAll(() => cluster.stop());

const addressOf = (file: string, query = ''): string =>
  `/groups/films/files/${encodeURIComponent(file)}/content${query}`;
const urlOf = (peer: TestPeer, file: string, query = ''): string =>
  `${peer.control.url}/api/v1${addressOf(file, query)}`;

function content(
  peer: TestPeer,
  file: string,
  {
    query = '',
    method = 'GET',
    token = peer.control.token as string | null,
    ...headers
  }: Record<string, string | null> = {},
): Promise<Response> {
  const authorization = token === null ? {} : { authorization: `Bearer ${token}` };
  return fetch(urlOf(peer, file, query ?? ''), {
    method: method ?? 'GET',
    headers: { ...authorization, ...(headers as Record<string, string>) },
  });
}

/** A comparison byte by byte in words takes a second for each megabyte. */
function expectSame(bytes: Uint8Array, expected: Uint8Array): void {
  expect([bytes.length, Buffer.compare(bytes, expected)]).toEqual([expected.length, 0]);
}

const bytesOf = async (answer: Response): Promise<Buffer> => Buffer.from(await answer.arrayBuffer());

async function limitUpload(peer: TestPeer, uploadBytesPerSecond: number | null): Promise<void> {
  const body = { uploadBytesPerSecond, downloadBytesPerSecond: null, activeTransfers: null, groups: [] };
  await expectOk('PUT /limits', peer.control.request('PUT', '/limits', { body }));
}

async function shared(name: string, totalBytes: number): Promise<Buffer> {
  const path = await cluster.file(name, totalBytes);
  await alice.upload('films', path);
  return readFile(path);
}

const transfersOf = (peer: TestPeer, file: string): Promise<TransferView[]> =>
  peer.list<TransferView>('/transfers').then((all) => all.filter((transfer) => transfer.file === file));

describe('a file that is here', () => {
  let film: Buffer;
  beforeAll(async () => {
    film = await shared('here film.mp4', 5 * MIB + 3);
  });

  it('comes whole, in part, or not at all, as is asked', async () => {
    const whole = await content(alice, 'here film.mp4');
    expect(whole.status).toBe(200);
    expect(Object.fromEntries(whole.headers)).toMatchObject({
      'content-type': 'video/mp4',
      'content-length': String(film.length),
      'accept-ranges': 'bytes',
      'content-disposition': `inline; filename="here film.mp4"; filename*=UTF-8''here%20film.mp4`,
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'same-origin',
    });
    expectSame(await bytesOf(whole), film);
    const etag = whole.headers.get('etag')!;
    const part = await content(alice, 'here film.mp4', { range: 'bytes=1048570-1048580', 'if-range': etag });
    expect([part.status, part.headers.get('content-range')]).toEqual([206, `bytes 1048570-1048580/${film.length}`]);
    expect(await bytesOf(part)).toEqual(film.subarray(1_048_570, 1_048_581));
    const end = await content(alice, 'here film.mp4', { range: 'bytes=-7' });
    expect(await bytesOf(end)).toEqual(film.subarray(-7));
    const same = await content(alice, 'here film.mp4', { 'if-none-match': etag });
    expect([same.status, same.headers.get('etag'), await same.text()]).toEqual([304, etag, '']);
    const beyond = await content(alice, 'here film.mp4', { range: `bytes=${film.length}-` });
    expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, `bytes */${film.length}`]);
    expect(await beyond.json()).toMatchObject({ code: 'range_not_satisfiable', status: 416 });
  });

  it('is told of by HEAD without its bytes', async () => {
    const [head, whole] = [
      await content(alice, 'here film.mp4', { method: 'HEAD' }),
      await content(alice, 'here film.mp4'),
    ];
    expect([head.status, await head.text()]).toEqual([200, '']);
    const told = (answer: Response): object => {
      const own = new Set(['date', 'connection', 'keep-alive', 'x-correlation-id']);
      return Object.fromEntries([...answer.headers].filter(([name]) => !own.has(name)));
    };
    expect(told(head)).toEqual(told(whole));
    await whole.body?.cancel();
  });

  it('comes over one connection, one part after the other', async () => {
    for (let begin = 0; begin < film.length; begin += 700_001) {
      const part = await content(alice, 'here film.mp4', { range: `bytes=${begin}-${begin + 700_000}` });
      expectSame(await bytesOf(part), film.subarray(begin, begin + 700_001));
    }
  });

  it('waits for who reads slowly, in little memory', async () => {
    const big = await shared('slow.bin', 96 * MIB);
    const usedBytes = (): number => residentBytes(alice.process.pid) ?? 0;
    const beforeBytes = usedBytes();
    const readers = await Promise.all(
      [...Array(8).keys()].map(() => heldAnswer(urlOf(alice, 'slow.bin'), alice.control.token)),
    );
    // Whatever can be sent to who does not read is with the system by the time that other requests were answered.
    for (let count = 0; count < 20; count++) await content(alice, 'here film.mp4').then(bytesOf);
    expect(usedBytes() - beforeBytes).toBeLessThan(96 * MIB);
    readers.slice(1).forEach(({ leave }) => leave());
    expectSame(await readers[0]!.rest(), big);
  });
});

/** An answer whose body is held back until `rest` is asked for. */
function heldAnswer(url: string, token: string): Promise<{ rest: () => Promise<Buffer>; leave: () => void }> {
  return new Promise((resolve, reject) => {
    get(url, { headers: { authorization: `Bearer ${token}` }, agent: false }, (answer) => {
      answer.pause();
      const rest = (): Promise<Buffer> => buffer(answer);
      resolve({ rest, leave: () => void answer.destroy() });
    }).on('error', reject);
  });
}

describe('a download that runs', () => {
  it('gives a thousand random ranges as they were shared', { timeout: 180_000 }, async () => {
    const film = await shared('running.mkv', 256 * MIB);
    await limitUpload(alice, 24 * MIB);
    const id = await bob.begin('films', 'running.mkv', await folder('running'));
    let left = 1_000;
    let whileRunning = 0;
    const reader = async (): Promise<void> => {
      while (left-- > 0) {
        const begin = Math.floor(Math.random() * film.length);
        const end = Math.min(film.length, begin + 1 + Math.floor(Math.random() * 100_000));
        const answer = await content(bob, 'running.mkv', { range: `bytes=${begin}-${end - 1}` });
        expect(answer.status).toBe(206);
        const bytes = await bytesOf(answer);
        expect(bytes.equals(film.subarray(begin, end)), `bytes ${begin} to ${end}`).toBe(true);
        if (left % 100 === 0 && (await bob.transfer(id)).state === 'downloading') whileRunning++;
      }
    };
    await Promise.all([...Array(8).keys()].map(reader));
    expect(whileRunning).toBeGreaterThan(3);
    await limitUpload(alice, null);
    await bob.untilTransfer(id, 'complete', ({ state }) => state === 'complete');
  });

  it.skipIf(!hasCurl)('gives curl -r what it asks for', async () => {
    const film = await shared('curled.mkv', 32 * MIB);
    await limitUpload(alice, 4 * MIB);
    const id = await bob.begin('films', 'curled.mkv', await folder('curled'));
    const header = cluster.path('header');
    await writeFile(header, `authorization: Bearer ${bob.control.token}\n`);
    for (const begin of [30 * MIB, 1, 17 * MIB + 5, 8 * MIB]) {
      const words = ['-sS', '-r', `${begin}-${begin + 999}`, '-H', `@${header}`, urlOf(bob, 'curled.mkv')];
      const { stdout } = await run('curl', words, { encoding: 'buffer' });
      expect(stdout.equals(film.subarray(begin, begin + 1_000)), String(begin)).toBe(true);
    }
    expect((await bob.transfer(id)).state).toBe('downloading');
    await limitUpload(alice, null);
    await bob.untilTransfer(id, 'complete', ({ state }) => state === 'complete');
  });
});

/** When a reader leaves: before there is an answer, with its head, or in the middle of its bytes. */
const MOMENTS = ['socket', 'response', 'bytes'] as const;

/** Resolves when a reader that left at a moment is gone. */
function readAndLeave(peer: TestPeer, file: string, moment: (typeof MOMENTS)[number]): Promise<void> {
  return new Promise((resolve) => {
    const headers = { authorization: `Bearer ${peer.control.token}` };
    const request = get(urlOf(peer, file), { headers, agent: false });
    request.on('error', () => undefined);
    request.once('close', () => resolve());
    if (moment === 'socket') request.once('finish', () => request.destroy());
    request.once('response', (answer) => {
      if (moment === 'bytes') answer.once('data', () => request.destroy());
      else request.destroy();
    });
  });
}

/** What a peer fetches for readers alone. */
const streamFolders = ({ dataDirectory }: TestPeer): Promise<string[]> => readdir(join(dataDirectory, 'streams'));

/** Files and sockets that a peer's process has open. */
function openCountOf(peer: TestPeer): number {
  return readdirSync(`/proc/${peer.process.pid}/fd`).length;
}

async function folder(name: string): Promise<string> {
  const path = cluster.path(name);
  await mkdir(path, { recursive: true });
  return path;
}

describe('a film that is not here', () => {
  it('is played in order while it comes, as a browser does it', async () => {
    const film = await shared('played.mp4', 24 * MIB);
    await limitUpload(alice, 12 * MIB);
    const { url, expiresAt } = await linkTo(carol, 'played.mp4');
    expect(Date.parse(expiresAt)).toBeGreaterThan(Date.now());
    expect(url).not.toContain(carol.control.token);
    const player = { range: 'bytes=0-', 'sec-fetch-site': 'same-origin', 'sec-fetch-dest': 'video' };
    const answer = await fetch(url, { headers: player });
    expect([answer.status, answer.headers.get('content-range')]).toEqual([
      206,
      `bytes 0-${film.length - 1}/${film.length}`,
    ]);
    const body = answer.body!.getReader();
    const first = await body.read();
    const [transfer] = await transfersOf(carol, 'played.mp4');
    expect(transfer).toMatchObject({ temporary: true, state: 'downloading' });
    // It looks at the end for the index of the film, and goes on from the middle.
    const index = await fetch(url, { headers: { ...player, range: 'bytes=-65536' } });
    expectSame(await bytesOf(index), film.subarray(-65_536));
    const parts = [first.value!];
    for (let next = await body.read(); !next.done; next = await body.read()) parts.push(next.value);
    expectSame(Buffer.concat(parts), film);
    await limitUpload(alice, null);
  });

  it.skipIf(process.platform !== 'linux')('leaves nothing behind of readers that leave, however many', async () => {
    await shared('left.mkv', 8 * MIB);
    const [openBefore, foldersBefore] = [openCountOf(carol), await streamFolders(carol)];
    for (let round = 0; round < 15; round++) {
      const leaving = MOMENTS.flatMap((moment) =>
        Array.from({ length: 7 }, () => readAndLeave(carol, 'left.mkv', moment)),
      );
      await Promise.all(leaving);
    }
    const transfers = await transfersOf(carol, 'left.mkv');
    expect(transfers.length).toBeLessThanOrEqual(1);
    for (const { transferId } of transfers) {
      await expectOk('DELETE', carol.control.delete(`/transfers/${transferId}?data=delete`));
    }
    await expect.poll(() => openCountOf(carol), { timeout: 30_000 }).toBeLessThan(openBefore + 10);
    await expect.poll(() => streamFolders(carol), { timeout: 30_000 }).toEqual(foldersBefore);
    expect(await transfersOf(carol, 'left.mkv')).toEqual([]);
    expectSame(await bytesOf(await content(carol, 'left.mkv')), await readFile(cluster.path('left.mkv')));
  });

  it('stops when its reader is no member any more', async () => {
    await shared('secret.mkv', 64 * MIB);
    await limitUpload(alice, 8 * MIB);
    const answer = await content(carol, 'secret.mkv');
    expect(answer.status).toBe(200);
    const body = answer.body!.getReader();
    await body.read();
    await alice.accepted('remove_member', { group: 'films', user: 'carol' });
    const rest = (async () => {
      while (!(await body.read()).done);
    })();
    await expect(rest).rejects.toThrow('terminated');
    expect((await content(carol, 'secret.mkv')).status).toBe(403);
    await limitUpload(alice, null);
    await carol.accepted('join_group', { group: 'films' });
    await alice.accepted('accept_request', { group: 'films', user: 'carol' });
  });
});

async function linkTo(peer: TestPeer, file: string, body: object = {}): Promise<{ url: string; expiresAt: string }> {
  return expectOk(
    'content-link',
    peer.control.post(`/groups/films/files/${encodeURIComponent(file)}/content-link`, body),
  );
}

describe('who may have it', () => {
  beforeAll(async () => {
    await shared('small.bin', 1_000);
  });

  it.each([
    ['nobody without a token', { token: null }, 401],
    ['nobody with another one', { token: 'x'.repeat(43) }, 401],
    ['no page of another origin', { origin: 'http://evil.example' }, 403],
    ['no page that shows it within itself', { 'sec-fetch-site': 'cross-site' }, 403],
  ])('is %s', async (_, asked, status) => expect((await content(alice, 'small.bin', asked)).status).toBe(status));

  it('is whoever has a link, for that file, in a browser of its own', async () => {
    const { url } = await linkTo(alice, 'small.bin');
    expect((await fetch(url)).status).toBe(200);
    expect((await fetch(url, { method: 'HEAD' })).status).toBe(200);
    expect((await fetch(url, { headers: { 'sec-fetch-site': 'cross-site' } })).status).toBe(403);
    await shared('other.bin', 1_000);
    expect((await fetch(url.replace('small.bin', 'other.bin'))).status).toBe(401);
    expect((await fetch(url.replace('/content?', '/content-link?'), { method: 'POST' })).status).toBe(401);
    expect((await fetch(url.replace('/files/small.bin/content?', '/files?'))).status).toBe(401);
    const { url: short } = await linkTo(alice, 'small.bin', { lifetimeSeconds: 1 });
    await until('the link has ended', async () => (await fetch(short)).status === 401);
  });

  it('gets links to files that there are', async () => {
    const answer = await alice.control.post('/groups/films/files/nothing/content-link', {});
    expect([answer.status, answer.body]).toMatchObject([404, { code: 'file_not_found' }]);
  });
});

it('a page among the files is a page of no origin', async () => {
  const path = cluster.path('page.html');
  await writeFile(path, '<script>fetch("/api/v1/status")</script>');
  await alice.upload('films', path);
  const answer = await content(alice, 'page.html');
  expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(answer.headers.get('content-security-policy')).toMatch(/^sandbox; default-src 'none'/);
  expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
});

it('a name of 255 bytes has an address', async () => {
  const name = `${'ü'.repeat(125)}.mkv.`.slice(0, -1);
  const film = await shared(name, 1_000);
  expect(await bytesOf(await content(alice, name))).toEqual(film);
});

it('a file of a folder is named by its path', async () => {
  const path = await folder('season');
  await mkdir(join(path, 'one'));
  await writeFile(join(path, 'one/first part.txt'), 'one');
  await writeFile(join(path, 'two.txt'), 'two');
  await alice.upload('films', path);
  const at = (query: string) => content(bob, 'season', { query });
  const answer = await at(`?path=${encodeURIComponent('one/first part.txt')}&keep=true`);
  expect([answer.status, await answer.text()]).toEqual([200, 'one']);
  const without = await at('');
  expect([without.status, await without.json()]).toMatchObject([
    400,
    { code: 'invalid_request', errors: [{ field: 'path' }] },
  ]);
  expect((await at('?path=three.txt')).status).toBe(404);
  const wrong = await at('?path=two.txt&keep=maybe');
  expect([wrong.status, await wrong.json()]).toMatchObject([400, { errors: [{ field: 'keep' }] }]);
  await until('the copy is kept', async () =>
    (await transfersOf(bob, 'season')).some(({ state }) => state === 'complete'),
  );
  expect((await transfersOf(bob, 'season'))[0]).toMatchObject({ temporary: false });
});

it('every version of a file is there as long as somebody has it', async () => {
  const [first, second] = await Promise.all([cluster.file('changing-1', 700_000), cluster.file('changing-2', 900_000)]);
  await alice.upload('films', first, { name: 'changing' });
  await alice.upload('films', second, { name: 'changing', update: true });
  const newest = await content(bob, 'changing');
  expectSame(await bytesOf(newest), await readFile(second));
  const before = await content(bob, 'changing', { query: '?version=1' });
  expectSame(await bytesOf(before), await readFile(first));
  expect(before.headers.get('etag')).not.toBe(newest.headers.get('etag'));
  expectSame(await bytesOf(await content(alice, 'changing', { query: '?version=1' })), await readFile(first));
  const { url } = await linkTo(bob, 'changing', { version: 1 });
  expectSame(await bytesOf(await fetch(url)), await readFile(first));
  expect((await fetch(url.replace('version=1', 'version=2'))).status).toBe(401);
  expect((await content(bob, 'changing', { query: '?version=3' })).status).toBe(404);
  expect((await content(bob, 'changing', { query: '?version=0' })).status).toBe(400);
});
