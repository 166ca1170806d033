// Facts about sound manifests: one row for each way in which one can be unsound.
import { expect, it } from 'vitest';
import {
  digestBytesOf,
  inVersion1,
  type Manifest,
  type ManifestFile,
  manifestGeometry,
  manifestProblem,
  pieceDigest,
} from '#domain/manifest';
import { pieceIndex } from '#domain/piece-geometry';

const SHA1 = 'da39a3ee5e6b4b0d3255bfef95601890afd80709';

function file(path: string, bytes = 1): ManifestFile {
  return { path, bytes, sha1: SHA1 };
}

function folder(...paths: string[]): Manifest {
  const files = paths.map((path) => file(path));
  return { version: 1, totalBytes: files.length, pieceBytes: 2 ** 20, hash: 'sha1', files, pieceDigests: digest(20) };
}

function digest(bytes: number): Uint8Array {
  return new Uint8Array(bytes);
}

const single: Manifest = {
  version: 1,
  totalBytes: 1000,
  pieceBytes: 512,
  hash: 'sha256',
  files: [file('', 1000)],
  pieceDigests: Uint8Array.from({ length: 64 }, (_, position) => position),
};

/** Each as long as may be, and in 2046 folders of its own. */
function deepPaths(count: number): string[] {
  return Array.from({ length: count }, (_, number) => `${number + 1000}${'/a'.repeat(2045)}/b`);
}

function withFolders(manifest: Manifest, ...emptyFolders: string[]): Manifest {
  return { ...manifest, version: 2, emptyFolders };
}

function executable(manifest: Manifest): Manifest {
  const files = manifest.files.map((each) => ({ ...each, executable: true as const }));
  return { ...manifest, version: 2, files };
}

it.each([
  ['a single file', single],
  ['a single file that can be run', executable(single)],
  ['a folder with a file that can be run', executable(folder('a', 'b/c'))],
  ['a folder with empty folders, in which a name sorts before them', withFolders(folder('a', 'b/c'), 'b-', 'b/d', 'e')],
  ['a folder of empty folders', withFolders({ ...folder(), pieceDigests: digest(0) }, 'a', 'b/c')],
  ['an empty file', { ...single, totalBytes: 0, files: [file('', 0)], pieceDigests: digest(0) }],
  ['a folder with one file', folder('a')],
  ['as many files as may be', folder(...Array.from({ length: 100_000 }, (_, number) => `${number + 100_000}`))],
  [
    'a path as long as may be',
    folder([...Array<string>(15).fill('a'.repeat(255)), 'b'.repeat(200), 'c'.repeat(55)].join('/')),
  ],
  ['48 files as deep as may be', folder(...deepPaths(48))],
  ['a folder of empty folders as deep as may be', withFolders(folder('a'), ...deepPaths(48))],
  ['a folder in which a name sorts between a folder and what is in it', folder('a-b', 'a/b', 'ab')],
])('%s is sound', (_, manifest) => {
  expect(manifestProblem(manifest)).toBeNull();
});

it.each<[string, Manifest, string, RegExp]>([
  ['another version', { ...single, version: 3 as 1 }, 'version', /must be 1/],
  ['version 2 for what version 1 can say', { ...single, version: 2 }, 'version', /must be 1/],
  ['version 1 for a file that can be run', { ...executable(single), version: 1 }, 'version', /must be 2/],
  ['version 1 for an empty folder', { ...withFolders(folder('a'), 'b'), version: 1 }, 'version', /must be 2/],
  ['an empty folder beside a single file', withFolders(folder(''), 'a'), 'files[0].path', /must not be empty in/],
  ['an empty folder without a name', withFolders(folder('a'), ''), 'emptyFolders[0]', /must not be empty/],
  ['an empty folder that climbs', withFolders(folder('a'), 'b/..'), 'emptyFolders[0]', /component that must not be/],
  ['empty folders out of order', withFolders(folder('a'), 'c', 'b'), 'emptyFolders[1]', /after/],
  ['an empty folder twice', withFolders(folder('a'), 'b', 'b'), 'emptyFolders[1]', /after/],
  ['an empty folder that holds a file', withFolders(folder('a/b'), 'a'), 'emptyFolders[0]', /hold nothing/],
  ['an empty folder that holds another', withFolders(folder('a'), 'b', 'b/c'), 'emptyFolders[0]', /hold nothing/],
  ['an empty folder that is a file', withFolders(folder('a', 'b'), 'b'), 'files[1].path', /empty folder/],
  ['an empty folder in a file', withFolders(folder('a'), 'a/b'), 'emptyFolders[0]', /in another file/],
  [
    'too many files and empty folders',
    withFolders(folder(...Array.from({ length: 100_000 }, () => 'a')), 'b'),
    'files',
    /at most 100000/,
  ],
  ['an unknown hash', { ...single, hash: 'md5' as 'sha1' }, 'hash', /sha1 or sha256/],
  ['a broken length', { ...single, totalBytes: -1 }, 'totalBytes', /integer/],
  ['a broken piece length', { ...single, pieceBytes: 500 }, 'pieceBytes', /power of two/],
  ['a digest too few', { ...single, pieceDigests: digest(32) }, 'pieceDigests', /64 bytes/],
  ['a digest too many', { ...single, pieceDigests: digest(96) }, 'pieceDigests', /64 bytes/],
  ['no files', { ...folder(), pieceDigests: digest(0) }, 'files', /at least one/],
  ['too many files', folder(...Array.from({ length: 100_001 }, () => 'a')), 'files', /at most 100000/],
  ['a negative length of a file', { ...single, files: [file('', -1)] }, 'files[0].bytes', /integer/],
  ['an upper case digest', { ...single, files: [{ ...file(''), sha1: SHA1.toUpperCase() }] }, 'files[0].sha1', /40/],
  ['a digest too long', { ...single, files: [{ ...file(''), sha1: `${SHA1}0` }] }, 'files[0].sha1', /40/],
  ['a digest with a prefix', { ...single, files: [{ ...file(''), sha1: `0${SHA1}` }] }, 'files[0].sha1', /40/],
  ['lengths that sum to less', { ...single, files: [file('', 999)] }, 'totalBytes', /sum/],
  ['lengths that sum to more', { ...single, files: [file('', 1001)] }, 'totalBytes', /sum/],
  [
    'lengths beyond counting',
    { ...folder('a', 'b'), files: [file('a', 2), file('b', 2 ** 53 - 1)] },
    'totalBytes',
    /sum/,
  ],
  ['an empty path among others', folder('', 'a'), 'files[0].path', /^must not be empty in a folder$/],
  ['an absolute path', folder('/a'), 'files[0].path', /component that must not be empty/],
  ['a path that ends with a slash', folder('a/'), 'files[0].path', /component that must not be empty/],
  ['a path that climbs', folder('a/../b'), 'files[0].path', /component that must not be \. or \.\./],
  ['a control character', folder('a/b\n'), 'files[0].path', /control/],
  ['a backslash', folder('a\\b'), 'files[0].path', /\\/],
  ['a path too long', folder(Array.from({ length: 2100 }, () => 'é').join('/')), 'files[0].path', /4096/],
  ['paths out of order', folder('b', 'a'), 'files[1].path', /after/],
  ['a path twice', folder('a', 'a'), 'files[1].path', /after/],
  ['too many folders around its files', folder(...deepPaths(2000)), 'files', /at most 100000 folders/],
  [
    'too many folders around its empty ones',
    withFolders(folder(...deepPaths(48)), ...deepPaths(48).map((path) => `2${path.slice(1)}`)),
    'files',
    /at most 100000 folders/,
  ],
  ['a file in a file', folder('a', 'a-b', 'a/b/c'), 'files[2].path', /in another file/],
  ['a file in a deeper file', folder('a/b', 'a/b/c'), 'files[1].path', /in another file/],
])('a manifest with %s is refused', (_, manifest, field, message) => {
  expect(manifestProblem(manifest)).toEqual({ field, message: expect.stringMatching(message) });
});

it('what version 1 does not know is left out of it', () => {
  const plain = folder('a', 'b');
  expect(inVersion1(executable(withFolders(plain, 'c')))).toEqual(plain);
});

it('a piece has its own digest', () => {
  const last = pieceIndex(manifestGeometry(single), 1)!;
  expect(pieceDigest(single, last)).toEqual(single.pieceDigests.slice(32));
  expect([digestBytesOf('sha1'), digestBytesOf('sha256')]).toEqual([20, 32]);
});
