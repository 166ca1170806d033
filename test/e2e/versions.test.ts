// Versions of a folder over whole systems: what the next one costs, who may publish it, and which ones there are.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { FileItem, TransferView } from '#wire/control-api';
import { Cluster, type TestPeer, until } from './cluster.ts';

vi.setConfig({ testTimeout: 90_000 });

const FILES = 60;
const FILE_BYTES = 100_000;

let cluster: Cluster;
let alice: TestPeer;
let bob: TestPeer;
let carol: TestPeer;
let album: string;

beforeAll(async () => {
  cluster = await Cluster.start();
  [alice, bob, carol] = await cluster.users('alice', 'bob', 'carol');
  await cluster.group('albums', alice, bob, carol);
  await cluster.group('others', carol, bob);
  album = cluster.path('album');
  await mkdir(join(album, 'inner'), { recursive: true });
  for (let number = 0; number < FILES; number++) {
    await writeFile(join(album, number % 2 === 0 ? '' : 'inner', `${number}.bin`), randomBytes(FILE_BYTES));
  }
  for (const folder of ['of-bob', 'of-carol', 'elsewhere']) await mkdir(cluster.path(folder));
}, 120_000);
afterAll(() => cluster.stop());

async function sentBytes({ control }: TestPeer): Promise<number> {
  const metrics = await (await fetch(`${control.url}/metrics`)).text();
  const counts = metrics.matchAll(/^cohort_worker_sent_bytes_total\{[^}]*\} (\d+)$/gm);
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
}

async function download(peer: TestPeer, folder: string, more: object = {}): Promise<TransferView> {
  const body = { group: 'albums', file: 'album', destination: cluster.path(folder), wait: true, ...more };
  const { result } = await peer.accepted('download_file', body);
  return peer.transfer(result.transferId!);
}

function versions(peer: TestPeer): Promise<readonly FileItem[]> {
  return peer.list<FileItem>('/groups/albums/files?versions=all');
}

async function numbers(peer: TestPeer): Promise<string> {
  return (await versions(peer)).map(({ version }) => version).join();
}

function same(path: string): void {
  execFileSync('diff', ['-r', album, path]);
}

it('one changed byte of a folder moves at most two pieces, and the copy becomes the next version in its place', async () => {
  await alice.upload('albums', album);
  const first = await download(bob, 'of-bob');
  same(first.path);
  const path = join(album, 'inner', '31.bin');
  const bytes = await readFile(path);
  bytes[50_000]! ^= 1;
  await writeFile(path, bytes);
  expect(await alice.outcome('upload_file', { group: 'albums', path: album, wait: true })).toBe('409 file_exists');
  const published = await alice.upload('albums', album, { update: true });
  expect(published).toMatchObject({ version: 2, state: 'seeding' });
  // Of the first version only bob has a copy now.
  await until('alice seeds the second version alone', async () => (await alice.list('/transfers')).length === 1);
  const [before, beforeOfBob] = [await sentBytes(alice), await sentBytes(bob)];
  const second = await download(bob, 'of-bob', { overwrite: true });
  expect(second.path).toBe(first.path);
  same(second.path);
  expect((await sentBytes(alice)) - before).toBeLessThanOrEqual(2 * 524_288);
  expect(second.reusedBytes).toBeGreaterThanOrEqual(second.totalBytes - 2 * 524_288);
  expect(await sentBytes(bob)).toBe(beforeOfBob);
  // With bob's copy the first version is gone.
  await until('there is one version', async () => (await versions(carol)).length === 1);
  expect(await versions(carol)).toMatchObject([{ file: 'album', version: 2, seedersOnline: 2 }]);
});

it('versions that are seeded stay, each by its number, until they are taken out', async () => {
  const copy = cluster.path('next', 'album');
  execFileSync('cp', ['-r', album, cluster.path('copied')]);
  await mkdir(cluster.path('next'));
  execFileSync('mv', [cluster.path('copied'), copy]);
  await writeFile(join(copy, 'new.txt'), 'new');
  expect(await carol.outcome('upload_file', { group: 'albums', path: copy, update: true, wait: true })).toBe(
    '403 not_share_owner',
  );
  await alice.upload('albums', copy, { update: true });
  // What somebody else did is seen when the tracker that is asked has read it.
  await until('bob sees both', async () => (await numbers(bob)) === '3,2');
  expect(await bob.list<FileItem>('/groups/albums/files')).toMatchObject([{ version: 3 }]);
  const older = await download(carol, 'of-carol', { version: 2 });
  same(older.path);
  expect(await carol.outcome('download_file', { group: 'albums', file: 'album', destination: album, version: 9 })).toBe(
    '404 version_not_found',
  );
  const stop = { group: 'albums', file: 'album', version: 2, everywhere: true };
  expect(await carol.outcome('stop_share', stop)).toBe('403 not_share_owner');
  expect(await alice.outcome('stop_share', stop)).toBe('200 accepted');
  await until('bob sees the newest alone', async () => (await numbers(bob)) === '3');
});

it('the very same content of another group is not fetched again, and stays for this disk alone', async () => {
  const { path } = await download(carol, 'elsewhere');
  await carol.upload('others', path, { name: 'the same' });
  await download(bob, 'of-bob', { overwrite: true });
  const before = await sentBytes(carol);
  const body = { group: 'others', file: 'the same', destination: cluster.path('elsewhere', 'of-bob'), wait: true };
  const { result } = await bob.accepted('download_file', body);
  const transfer = await bob.transfer(result.transferId!);
  execFileSync('diff', ['-r', path, transfer.path]);
  expect(transfer).toMatchObject({ state: 'complete', private: true });
  expect((await sentBytes(carol)) - before).toBeLessThan(524_288);
});
