// Some files of a folder, between whole peers: chosen when the download begins and while it runs, kept over a kill, and given on.
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { ProblemView } from '#wire/control-answers';
import type { TransferView } from '#wire/control-api';
import type { TransferFileListView } from '#wire/control-transfer-files';
import { runCohort } from '../../infra/quick-start/node-process.ts';
import { Cluster, sha1Of, type TestPeer } from './cluster.ts';

vi.setConfig({ testTimeout: 90_000 });

const MIB = 1024 * 1024;
/** Of no whole number of pieces: each file shares a piece with the next one. */
const FILES = { 'films/beach.mp4': 5 * MIB + 17, 'films/sea.mp4': 4 * MIB + 3, 'notes.txt': 100, 'photo.jpg': 3 * MIB };
const TOTAL_BYTES = Object.values(FILES).reduce((sum, bytes) => sum + bytes, 0);
let cluster: Cluster;
let alice: TestPeer;
let bob: TestPeer;
let carol: TestPeer;

beforeAll(async () => {
  cluster = await Cluster.start();
  [alice, bob, carol] = [await cluster.user('alice'), await cluster.user('bob'), await cluster.user('carol')];
  await cluster.group('friends', alice, bob, carol);
  await mkdir(cluster.path('holidays', 'films'), { recursive: true });
  for (const [path, bytes] of Object.entries(FILES)) {
    await writeFile(cluster.path('holidays', path), randomBytes(bytes));
  }
  await alice.upload('friends', cluster.path('holidays'));
}, 120_000);
afterAll(() => cluster.stop());

const cohort = (peer: TestPeer, ...words: string[]): Promise<string> =>
  runCohort(['--data-dir', peer.dataDirectory, ...words]);
const limit = (peer: TestPeer, downloadBytesPerSecond: number | null) =>
  peer.control.request('PUT', '/limits', { body: { downloadBytesPerSecond } });

async function expectRight(folder: string, ...paths: (keyof typeof FILES)[]): Promise<void> {
  for (const path of paths)
    expect(await sha1Of(join(folder, path)), path).toBe(await sha1Of(cluster.path('holidays', path)));
  for (const path of Object.keys(FILES))
    expect(existsSync(join(folder, path)), path).toBe(paths.includes(path as never));
}

it('is fetched as chosen, changed while it runs and over a kill, given on, and in the end a copy like any other', async () => {
  const copy = cluster.path('bob-copy');
  await limit(bob, 200_000);
  const transferId = await bob.begin('friends', 'holidays', copy, { only: ['films'] });
  const coming = await bob.untilTransfer(transferId, 'coming', ({ verifiedBytes }) => verifiedBytes > 0);
  expect(coming).toMatchObject({ only: ['films'], wantedBytes: 9 * MIB + 20, totalBytes: TOTAL_BYTES });
  expect(await cohort(bob, 'prioritize', transferId, '--only', 'films/beach.mp4', '--high', '*.txt')).toBe(
    'Wanted of holidays of friends: 5.0 MiB of 12.0 MiB (only films/beach.mp4, high *.txt).\n',
  );
  const { items } = await bob.view<TransferFileListView>(`/transfers/${transferId}/files`);
  expect(items.map(({ path, priority }) => `${path} ${priority}`)).toEqual([
    'films/beach.mp4 normal',
    'films/sea.mp4 skip',
    'notes.txt high',
    'photo.jpg skip',
  ]);
  await bob.process.kill();
  await bob.restart();
  await limit(bob, null);
  const done = await bob.untilTransfer(transferId, 'complete', ({ state }) => state === 'complete');
  expect(done).toMatchObject({ wantedBytes: 5 * MIB + 117, verifiedBytes: 5 * MIB + 117, reason: null });
  await expectRight(copy, 'films/beach.mp4', 'notes.txt');
  expect(await cohort(bob, 'show_downloads')).toBe('[C] [friends] holidays\n');

  // Only bob is left, and has what he has.
  await alice.process.kill();
  const other = await carol.begin('friends', 'holidays', cluster.path('carol-copy'), { only: ['**/beach.mp4'] });
  await carol.untilTransfer(other, 'complete', ({ state }) => state === 'complete');
  await expectRight(cluster.path('carol-copy'), 'films/beach.mp4');
  const { peers } = await carol.transfer(other);
  expect(peers.filter(({ deliveredBytes }) => deliveredBytes > 0).map(({ user }) => user)).toEqual(['bob']);

  await alice.restart();
  await cohort(bob, 'prioritize', transferId, '--only', '**');
  const isWhole = ({ state, verifiedBytes }: TransferView) => state === 'complete' && verifiedBytes === TOTAL_BYTES;
  await bob.untilTransfer(transferId, 'whole', isWhole);
  await expectRight(copy, ...(Object.keys(FILES) as (keyof typeof FILES)[]));
  expect(existsSync(`${copy}.part`)).toBe(false);
});

it('is refused by the name of the field, with what there is', async () => {
  const destination = cluster.path('nowhere-copy');
  const body = { group: 'friends', file: 'holidays', destination, only: ['films', '*.png'] };
  const answer = await bob.control.command<ProblemView>('download_file', body);
  expect(answer).toMatchObject({
    status: 400,
    body: { code: 'invalid_request', errors: [{ field: 'only[1]', message: expect.stringContaining('photo.jpg') }] },
  });
  expect(existsSync(`${destination}.part`)).toBe(false);
  const patch = (changed: object) => bob.control.request<ProblemView>('PATCH', '/transfers/x', { body: changed });
  expect(await patch({ only: ['a'] })).toMatchObject({ status: 404, body: { code: 'transfer_not_found' } });
  for (const [changed, field] of [
    [{}, 'only'],
    [{ only: [] }, 'only'],
    [{ only: [''] }, 'only[0]'],
    [{ priorities: [{ path: 'a', priority: 'most' }] }, 'priorities[0].priority'],
  ] as const) {
    expect(await patch(changed), field).toMatchObject({ status: 400, body: { errors: [{ field }] } });
  }
});

it('what a person changes in a file that is in place stays as it is', async () => {
  const copy = cluster.path('bob-copy-2');
  await limit(bob, null);
  const transferId = await bob.begin('friends', 'holidays', copy, { only: ['notes.txt'] });
  await bob.untilTransfer(transferId, 'complete', ({ state }) => state === 'complete');
  await writeFile(join(copy, 'notes.txt'), 'mine');
  await limit(bob, 400_000);
  await cohort(bob, 'prioritize', transferId, '--only', '**');
  await bob.untilTransfer(transferId, 'coming', ({ verifiedBytes }) => verifiedBytes > MIB);
  await bob.process.kill();
  await bob.restart();
  await limit(bob, null);
  const others = { state: 'complete', reason: null, verifiedBytes: TOTAL_BYTES - 100 };
  const areThere = ({ state, verifiedBytes }: TransferView) => state === 'complete' && verifiedBytes > 5 * MIB;
  expect(await bob.untilTransfer(transferId, 'all others', areThere)).toMatchObject(others);
  expect(await readFile(join(copy, 'notes.txt'), 'utf8')).toBe('mine');
  const neighbours = ['films/beach.mp4', 'films/sea.mp4', 'photo.jpg'];
  for (const path of neighbours)
    expect(await sha1Of(join(copy, path))).toBe(await sha1Of(cluster.path('holidays', path)));
  // Nor is that forgotten.
  await bob.process.kill();
  await bob.restart();
  expect(await bob.untilTransfer(transferId, 'all others', areThere)).toMatchObject(others);
  await rename(join(copy, 'notes.txt'), cluster.path('mine.txt'));
  await cohort(bob, 'prioritize', transferId, '--only', '**');
  const isWhole = ({ state, verifiedBytes }: TransferView) => state === 'complete' && verifiedBytes === TOTAL_BYTES;
  await bob.untilTransfer(transferId, 'whole', isWhole);
  await expectRight(copy, ...(Object.keys(FILES) as (keyof typeof FILES)[]));
  expect(await readFile(cluster.path('mine.txt'), 'utf8')).toBe('mine');
});
