import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { checkTree } from '../../../../apps/peer/src/storage/tree-check.ts';

const SHA1 = 'da39a3ee5e6b4b0d3255bfef95601890afd80709';
const FILES = [
  { path: 'bin/run', bytes: 3, sha1: SHA1, executable: true as const },
  { path: 'read', bytes: 3, sha1: SHA1 },
];
const TREE = { files: FILES, emptyFolders: ['a/b', 'c'] };

let root = '';
const at = (path: string): string => join(root, path);
const modeOf = (path: string): number => statSync(at(path)).mode & 0o777;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'cohort-tree-'));
  mkdirSync(at('bin'));
  mkdirSync(at('a/b'), { recursive: true });
  mkdirSync(at('c'));
  writeFileSync(at('bin/run'), 'run');
  writeFileSync(at('read'), 'run');
  chmodSync(at('bin/run'), 0o755);
  chmodSync(at('read'), 0o644);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

it('a tree as it was shared differs in nothing', async () => {
  expect(await checkTree({ root, ...TREE, restores: true })).toEqual({ differing: [], leftCount: 0 });
});

it('empty folders that are gone are made again, and files can be run again by whoever may read them', async () => {
  rmSync(at('a'), { recursive: true });
  chmodSync(at('bin/run'), 0o640);
  expect(await checkTree({ root, ...TREE, restores: false })).toEqual({ differing: ['a/b', 'bin/run'], leftCount: 2 });
  expect([existsSync(at('a')), modeOf('bin/run')]).toEqual([false, 0o640]);
  expect(await checkTree({ root, ...TREE, restores: true })).toEqual({ differing: ['a/b', 'bin/run'], leftCount: 0 });
  expect([statSync(at('a/b')).isDirectory(), modeOf('bin/run'), modeOf('read')]).toEqual([true, 0o750, 0o644]);
});

it('what a user made of an empty folder, or made runnable beside what was shared, stays', async () => {
  writeFileSync(at('c/mine'), 'mine');
  chmodSync(at('read'), 0o755);
  expect(await checkTree({ root, ...TREE, restores: true })).toEqual({ differing: [], leftCount: 0 });
  expect([readdirSync(at('c')), modeOf('read')]).toEqual([['mine'], 0o755]);
});

it('nothing is made or changed through a link, nor in the place of a file', async () => {
  const elsewhere = at('elsewhere');
  mkdirSync(elsewhere);
  writeFileSync(join(elsewhere, 'run'), 'other');
  chmodSync(join(elsewhere, 'run'), 0o600);
  for (const path of ['a', 'bin', 'c']) rmSync(at(path), { recursive: true });
  symlinkSync(elsewhere, at('a'));
  symlinkSync(elsewhere, at('bin'));
  writeFileSync(at('c'), 'a file');
  const found = await checkTree({ root, ...TREE, restores: true });
  expect(found).toEqual({ differing: ['a/b', 'c', 'bin/run'], leftCount: 3 });
  expect(readdirSync(elsewhere)).toEqual(['run']);
  expect(statSync(join(elsewhere, 'run')).mode & 0o777).toBe(0o600);
});
