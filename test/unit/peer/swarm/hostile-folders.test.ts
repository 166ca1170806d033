// Folder shares that no honest peer would make, on both sides: who shares one is told why not before a byte is read, and a download of
// one, under a content id that the log vouches for, ends with the reason and writes nothing.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Manifest } from '#domain/manifest';
import { ByteWriter } from '#wire/byte-writer';
import { type Disk, scanSource } from '../../../../apps/peer/src/storage/source-scan.ts';
import { outcomeOf } from '../../../../apps/peer/src/storage/storage-problem.ts';
import { newFolder, requestFor, startPeer } from './engine-harness.ts';
import { startFakeSeeder } from './fake-seeder.ts';

const PIECE_BYTES = 2 ** 16;
const SHA1 = 'da39a3ee5e6b4b0d3255bfef95601890afd80709';

interface Tree {
  readonly files: readonly string[];
  readonly emptyFolders?: readonly string[];
  /** As the manifest says, whatever there is. */
  readonly fileCount?: number;
}

/** Bytes that look like a manifest of files of one byte each, whose paths are anything. */
function manifestBytesOf({ files, emptyFolders, fileCount = files.length }: Tree): Uint8Array {
  const version = emptyFolders === undefined ? 1 : 2;
  const writer = new ByteWriter()
    .bytes(new TextEncoder().encode(`cohort manifest ${version}\n`))
    .u8(1)
    .u8(16);
  writer.u64(files.length).u32(fileCount);
  for (const path of files) {
    writer.text16(path).u64(1).hex(SHA1, 20);
    if (version === 2) writer.u8(0);
  }
  if (emptyFolders !== undefined) writer.u32(emptyFolders.length);
  for (const path of emptyFolders ?? []) writer.text16(path);
  return writer.bytes(new Uint8Array(20)).finish();
}

it.each<[string, Tree, RegExp]>([
  ['an absolute path', { files: ['/etc/passwd'] }, /files\[0\]\.path has a component that must not be empty/],
  ['an absolute path of Windows', { files: ['C:\\a'] }, /files\[0\]\.path .* must not contain \/ or \\/],
  ['a path that climbs', { files: ['a/../../b'] }, /files\[0\]\.path .* must not be \. or \.\./],
  ['an empty folder that climbs', { files: ['a'], emptyFolders: ['..'] }, /emptyFolders\[0\] .* must not be \. or/],
  ['an absolute empty folder', { files: ['a'], emptyFolders: ['/b'] }, /emptyFolders\[0\] .* must not be empty/],
  ['a path twice', { files: ['a', 'a'] }, /files\[1\]\.path must come after the path before it/],
  ['paths that differ in case', { files: ['A/b', 'a/b'] }, /has a\/b and A\/b, which are one name on disks/],
  ['paths that differ in their form', { files: ['e\u0301', '\u00e9'] }, /which are one name on disks/],
  ['empty folders that differ in case', { files: ['a'], emptyFolders: ['B', 'b'] }, /has b and B, which are one/],
  [
    'an empty folder that is one far before it',
    { files: ['f/A/x', 'g'], emptyFolders: ['f/a'] },
    /has f\/a and f\/A, which/,
  ],
  ['an empty folder that is a file in other case', { files: ['A'], emptyFolders: ['a'] }, /has a and A, which are/],
  ['a device name', { files: ['a/COM1.txt'] }, /files\[0\]\.path .* must not be a device name of Windows/],
  ['a folder with a device name', { files: ['nul/a'] }, /files\[0\]\.path .* must not be a device name of Windows/],
  ['a file in a file', { files: ['a', 'a/b'] }, /files\[1\]\.path must not lie in another file/],
  ['a control character', { files: ['a\u0000b'] }, /files\[0\]\.path .* must not contain control characters/],
  ['text that runs the other way', { files: ['a\u202egnp.exe'] }, /must not contain characters that turn/],
  ['10 million entries', { files: ['a'], fileCount: 10_000_000 }, /files must be at most 100000/],
  ['a path of 10,000 characters', { files: ['a/'.repeat(4999) + 'ab'] }, /files\[0\]\.path must be at most 4096 bytes/],
  ['a name of 10,000 characters', { files: ['a'.repeat(10_000)] }, /files\[0\]\.path must be at most 4096 bytes/],
])('a folder share with %s ends the download with the reason, and nothing is written', async (_what, tree, reason) => {
  const bob = await startPeer('bob', { plain: true });
  const manifestBytes = manifestBytesOf(tree);
  const contentId = createHash('sha256').update(manifestBytes).digest('hex');
  const manifest = { totalBytes: tree.files.length, pieceBytes: PIECE_BYTES } as Manifest;
  const digested = { contentId, manifestBytes, manifest, stamp: '' };
  const mallory = await startFakeSeeder('mallory', { digested, answer: () => expect.fail('a piece was asked for') });
  const before = readdirSync(bob.folder);
  const { done } = bob.engine.download(requestFor(bob, digested, { from: [], sources: [mallory] }));
  const { state, reason: said } = await done;
  expect({ state, code: said?.code }).toEqual({ state: 'failed', code: 'manifest_refused' });
  expect(said?.detail).toMatch(reason);
  expect(readdirSync(bob.folder)).toEqual(before);
});

/** A disk that has these names at `/shared`: of files, or of folders that hold the same names, and so on. */
function diskOf(names: Iterable<string>, of: 'files' | 'folders' = 'files'): Disk {
  const folder = newFolder();
  const file = join(folder, 'file');
  writeFileSync(file, '');
  const [fileStats, folderStats] = [statSync(file), statSync(folder)];
  return { look: (path) => (path === '/shared' || of === 'folders' ? folderStats : fileStats), names: () => names };
}

it.each<[string, Disk, RegExp]>([
  ['an absolute path', diskOf(['/etc/passwd']), /the name of .*\/etc\/passwd must not contain \/ or/],
  ['an absolute path of Windows', diskOf(['C:\\a']), /the name of .* must not contain \/ or/],
  ['a path that climbs', diskOf(['..']), /the name of .* must not be \. or \.\./],
  ['a device name', diskOf(['COM1.txt']), /the name of .*COM1\.txt must not be a device name of Windows/],
  ['a folder with a device name', diskOf(['nul'], 'folders'), /the name of .*nul must not be a device name/],
  ['a control character', diskOf(['a\u0000b']), /must not contain control characters/],
  ['text that runs the other way', diskOf(['a\u202egnp.exe']), /must not contain characters that turn/],
  ['a path of 10,000 characters', diskOf(['a'.repeat(200)], 'folders'), /a path in .* is longer than 4096 bytes/],
  ['a name of 10,000 characters', diskOf(['a'.repeat(10_000)]), /must be at most 255 bytes of UTF-8/],
])('a folder with %s is not shared, and who shares it is told why', async (_what, disk, reason) => {
  const outcome = await outcomeOf(() => scanSource({ path: '/shared', exclude: [] }, disk));
  expect(outcome).toMatchObject({
    problem: { code: 'source_unsupported', detail: expect.stringMatching(reason) as string },
  });
});

it('a folder with 10 million entries is not shared: it is looked at no further than the first that is too many', async () => {
  let count = 0;
  function* tenMillion(): Generator<string> {
    while (count < 10_000_000) yield `${10_000_000 + count++}`;
  }
  const outcome = await outcomeOf(() => scanSource({ path: '/shared', exclude: [] }, diskOf(tenMillion())));
  const text =
    '/shared holds more than 100000 files and folders, 10100000 is one too many: share parts of it, or leave some out with exclude';
  expect(outcome).toMatchObject({ problem: { code: 'source_unsupported', detail: text } });
  expect(count).toBe(100_001);
});

it.each([
  ['in case', ['A', 'a']],
  ['in their form', ['e\u0301', '\u00e9']],
])('a folder with paths that differ %s is not shared', async (_what, names) => {
  const alice = await startPeer('alice', { plain: true });
  const path = join(alice.folder, 'shared');
  mkdirSync(path);
  for (const name of names) writeFileSync(join(path, name), name);
  // A disk that does not tell them apart has one of them.
  if (readdirSync(path).length < names.length) return;
  await expect(alice.engine.digest({ path, hash: 'sha1' })).rejects.toMatchObject({
    code: 'source_unsupported',
    message: expect.stringMatching(/ and .* in .* are one name on disks .*: rename one, or leave it out/) as string,
  });
});
