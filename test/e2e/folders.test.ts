// Folders from peer to peer, through the programs: as they were, and nothing of them half in its place.
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { TransferView } from '#wire/control-api';
import type { TransferFileItem, TransferFileListView } from '#wire/control-transfer-files';
import { Cluster, type TestPeer } from './cluster.ts';

vi.setConfig({ testTimeout: 90_000 });

const MIB = 2 ** 20;
let cluster: Cluster;
let alice: TestPeer;
let bob: TestPeer;

beforeAll(async () => {
  cluster = await Cluster.start();
  [alice, bob] = await Promise.all([cluster.user('alice'), cluster.user('bob')]);
  await cluster.group('work', alice, bob);
}, 120_000);
afterAll(() => cluster.stop());

/** A folder of alice's, with files by path; a path that ends with a slash is a folder. */
async function tree(name: string, files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  const root = cluster.path(name);
  for (const [path, content] of Object.entries(files)) {
    const place = join(root, path);
    await mkdir(path.endsWith('/') ? place : join(place, '..'), { recursive: true });
    if (!path.endsWith('/')) await writeFile(place, content);
  }
  return root;
}

/** Everything under a folder: kind, mode and digest by path. */
async function listing(root: string): Promise<Record<string, string>> {
  const listed: Record<string, string> = {};
  for (const path of (await readdir(root, { recursive: true })).sort()) {
    const found = await stat(join(root, path));
    const mode = (found.mode & 0o777).toString(8);
    const digest = found.isDirectory() ? 'folder' : sha1(await readFile(join(root, path)));
    listed[path] = `${mode} ${digest}`;
  }
  return listed;
}

function sha1(bytes: Uint8Array): string {
  return createHash('sha1').update(bytes).digest('hex');
}

async function destination(name: string): Promise<string> {
  const path = cluster.path(name);
  await mkdir(path, { recursive: true });
  return path;
}

const isOver = ({ state }: TransferView): boolean => state === 'complete' || state === 'seeding';

it('a tree arrives as it is: modes, empty files, empty folders, and pieces that span files', async () => {
  const root = await tree('project', {
    'bin/run': '#!/bin/sh\n',
    'bin/data': randomBytes(MIB + 1),
    '.hidden/.file': 'hidden',
    'empty.txt': '',
    'deep/er/and/deep/er/': '',
    'src/a b/\u00e9.txt': 'text',
    z: randomBytes(700_000),
  });
  await chmod(join(root, 'bin/run'), 0o755);
  await alice.upload('work', root);
  const transfer = await bob.download('work', 'project', await destination('in'));
  expect(await listing(transfer.path)).toEqual(await listing(root));
  execFileSync('diff', ['-r', root, transfer.path]);
});

it('a single file keeps that it can be run', async () => {
  const path = await cluster.file('tool', 1000);
  await chmod(path, 0o755);
  await alice.upload('work', path);
  const transfer = await bob.download('work', 'tool', await destination('in'));
  expect((await stat(transfer.path)).mode & 0o777).toBe(0o755);
});

it('what is excluded is not shared, and a wrong glob is refused by its field', async () => {
  const root = await tree('app', { 'node_modules/x/y.js': 'y', 'src/a.ts': 'a', 'src/a.log': 'log', 'b.log': 'b' });
  await symlink('/etc', join(root, 'node_modules', 'link'));
  expect(await alice.outcome('upload_file', { group: 'work', path: root, exclude: ['src', ''] })).toBe(
    '400 invalid_request',
  );
  await alice.upload('work', root, { exclude: ['node_modules/**', '**/*.log'] });
  const transfer = await bob.download('work', 'app', await destination('in'));
  expect(Object.keys(await listing(transfer.path))).toEqual(['src', 'src/a.ts']);
  // It is served again after a restart, without what was left out.
  await alice.process.stop();
  await alice.restart();
  const again = await bob.download('work', 'app', await destination('again'));
  expect(Object.keys(await listing(again.path))).toEqual(['src', 'src/a.ts']);
});

it('a folder that cannot be shared is refused with the path of what is in the way', async () => {
  const root = await tree('hostile', { 'a/CON.txt': 'device' });
  const answer = await alice.control.command('upload_file', { group: 'work', path: root });
  expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request', errors: [{ field: 'path' }] } });
  expect(JSON.stringify(answer.body)).toContain(join(root, 'a', 'CON.txt'));
  expect((await alice.list<TransferView>('/transfers')).map(({ file }) => file)).not.toContain('hostile');
});

it('paths that are one on other disks are refused', async () => {
  const root = await tree('twins', { 'a/readme': '1', 'a/README': '2' });
  expect(JSON.stringify((await alice.control.command('upload_file', { group: 'work', path: root })).body)).toContain(
    'a/readme and a/README',
  );
});

it('of a folder under way each file tells what is there, and after a kill it goes on to all of it', async () => {
  const files = Object.fromEntries(
    Array.from({ length: 300 }, (_, number) => [`part-${number % 7}/${number}.bin`, randomBytes(MIB / 4)]),
  );
  const root = await tree('many', { ...files, 'empty/': '' });
  await alice.upload('work', root);
  const limits = { uploadBytesPerSecond: 16 * MIB, downloadBytesPerSecond: null, activeTransfers: null, groups: [] };
  await alice.control.request('PUT', '/limits', { body: limits });
  const place = join(await destination('in'), 'many');
  const id = await bob.begin('work', 'many', place);
  await bob.untilTransfer(id, 'under way', ({ verifiedBytes }) => verifiedBytes > 4 * MIB);
  const paths = Object.keys(files).sort();
  const seen = await filesOf(bob, id);
  expect(seen.map(({ path }) => path)).toEqual(paths);
  expect(seen.every(({ totalBytes, executable }) => totalBytes === MIB / 4 && !executable)).toBe(true);
  const sum = seen.reduce((bytes, { verifiedBytes }) => bytes + verifiedBytes, 0);
  // Workers verify while it is asked, so the two views are of two moments.
  expect(sum).toBeGreaterThanOrEqual(4 * MIB);
  expect(sum).toBeLessThan((await bob.transfer(id)).totalBytes);
  expect(existsSync(place)).toBe(false);
  await bob.process.kill();
  expect(existsSync(place)).toBe(false);
  await bob.restart();
  await alice.control.request('PUT', '/limits', { body: { ...limits, uploadBytesPerSecond: null } });
  await bob.untilTransfer(id, 'complete', isOver, 60_000);
  expect(await listing(place)).toEqual(await listing(root));
  expect((await filesOf(bob, id)).every((file) => file.verifiedBytes === file.totalBytes)).toBe(true);
  expect((await readdir(join(place, '..'))).filter((name) => name.startsWith('many'))).toEqual(['many']);
});

/** All files of a transfer, in pages of 100. */
async function filesOf(peer: TestPeer, id: string): Promise<TransferFileItem[]> {
  const items: TransferFileItem[] = [];
  for (let after = ''; ;) {
    const page = await peer.view<TransferFileListView>(`/transfers/${id}/files?limit=100${after}`);
    items.push(...page.items);
    if (page.next === null) return items;
    after = `&after=${page.next}`;
  }
}
