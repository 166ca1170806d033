import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { scanSource } from '../../../../apps/peer/src/storage/source-scan.ts';
import { outcomeOf } from '../../../../apps/peer/src/storage/storage-problem.ts';

let root = '';

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'cohort-scan-'));
});
afterEach(() => {
  // The names may be longer than Node can say.
  execFileSync('rm', ['-rf', root]);
});

function put(...paths: readonly string[]): void {
  for (const path of paths) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    if (path.endsWith('/')) mkdirSync(join(root, path), { recursive: true });
    else writeFileSync(join(root, path), path);
  }
}

async function found(...exclude: readonly string[]): Promise<{ files: string[]; emptyFolders: readonly string[] }> {
  const { files, emptyFolders } = await scanSource({ path: root, exclude });
  return { files: files.map(({ path }) => path), emptyFolders };
}

it('a folder is its files and the folders that hold nothing, each sorted by path', async () => {
  put('b/c', 'b-', 'a', 'e/f/', 'd/');
  expect(await found()).toEqual({ files: ['a', 'b-', 'b/c'], emptyFolders: ['d', 'e/f'] });
});

it.skipIf(process.platform === 'win32')('a file is executable when its owner may run it', async () => {
  put('run', 'read');
  chmodSync(join(root, 'run'), 0o700);
  chmodSync(join(root, 'read'), 0o655);
  const { files } = await scanSource({ path: root, exclude: [] });
  expect(files.map(({ path, executable }) => [path, executable])).toEqual([
    ['read', undefined],
    ['run', true],
  ]);
  const [only] = (await scanSource({ path: join(root, 'run'), exclude: [] })).files;
  expect(only).toMatchObject({ path: '', executable: true });
});

it('what is left out is not looked at, a folder with everything in it, and one of which nothing is left is empty', async () => {
  put('a.tmp', 'keep', 'build/out/x', 'logs/b.tmp');
  symlinkSync('/etc', join(root, 'build', 'link'));
  expect(await found('**/*.tmp', '/build/')).toEqual({ files: ['keep'], emptyFolders: ['logs'] });
});

it('a folder in which nothing is left is refused', async () => {
  put('a.tmp');
  await expect(found('*.tmp')).rejects.toThrow(/holds nothing to share/);
});

it('a name that nearly fits what is left out costs no more than another one', async () => {
  put('a'.repeat(250));
  const begunMs = performance.now();
  expect((await found('*a*a*a*a*a*a*a*b')).files).toHaveLength(1);
  expect(performance.now() - begunMs).toBeLessThan(5_000);
});

it('a link that was itself named is followed', async () => {
  put('folder/a');
  symlinkSync(join(root, 'folder'), join(root, 'link'));
  expect((await scanSource({ path: join(root, 'link'), exclude: [] })).files.map(({ path }) => path)).toEqual(['a']);
});

const shell = (script: string) => () => void execFileSync('sh', ['-c', script], { cwd: root });

it.skipIf(process.platform === 'win32').each<[string, () => void, RegExp]>([
  ['a symbolic link', () => symlinkSync('x', join(root, 'link')), /link is a symbolic link, which cannot be shared/],
  ['a pipe', shell('mkfifo pipe'), /pipe is neither a file nor a folder/],
  ['a device name', () => put('d/aux.txt'), /the name of .*aux\.txt must not be a device name of Windows/],
  ['a folder with a device name', () => put('con/a'), /the name of .*con must not be a device name/],
  ['a backslash', () => put('a\\b'), /the name of .* must not contain \/ or \\/],
  ['a control character', () => put('a\nb'), /must not contain control characters/],
  ['a dot at the end', () => put('a.'), /the name of .*a\. must not end with a dot/],
  ['a name that is no UTF-8', shell('touch "$(printf \'a\\377\')"'), /is not UTF-8/],
  [
    'a path of 10,000 characters',
    shell('n=$(printf "%0200d" 0); for i in $(seq 50); do mkdir $n; cd -P $n || exit 1; done; touch end'),
    /longer than 4096 bytes|ENAMETOOLONG/,
  ],
])('a folder with %s is refused with a reason that names it', async (_what, make, reason) => {
  make();
  const outcome = await outcomeOf(() => scanSource({ path: root, exclude: [] }));
  expect(outcome).toMatchObject({ ok: false, problem: { detail: expect.stringMatching(reason) } });
});

it.each([
  ['files', ['a', 'b', 'c', 'd']],
  ['empty folders', ['a/', 'b/', 'c/', 'd/']],
  ['folders in folders', ['a/b/c/d/e']],
])('too many %s are refused', async (_what, paths) => {
  put(...paths);
  const outcome = await outcomeOf(() => scanSource({ path: root, exclude: [], entriesMax: 3 }));
  expect(outcome).toMatchObject({
    problem: {
      code: 'source_unsupported',
      detail: expect.stringMatching(/holds more than 3 files and folders, .* is one too many/),
    },
  });
});

it('what is not there has a code of its own', async () => {
  rmSync(root, { recursive: true });
  const outcome = await outcomeOf(() => scanSource({ path: root, exclude: [] }));
  expect(outcome).toMatchObject({ ok: false, problem: { code: 'source_missing' } });
});
