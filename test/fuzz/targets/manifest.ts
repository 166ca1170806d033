// Owns fuzzing manifests: one that is taken has exactly these bytes, and its paths stay where a download writes, each once.
import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { ancestorsOf, type Manifest, manifestVersion } from '#domain/manifest';
import { decodeManifest, encodeManifest } from '#wire/manifest-codec';
import type { FuzzTarget } from '../fuzz-target.ts';
import { assertSameBytes } from '../same-bytes.ts';

const SHA1 = 'ab'.repeat(20);
const DESTINATION = '/destination';

export const manifest: FuzzTarget = {
  name: 'manifest',
  sources: [
    'libs/wire/src/manifest-codec.ts',
    'libs/wire/src/byte-reader.ts',
    'libs/domain/src/manifest.ts',
    'libs/domain/src/names.ts',
    'libs/domain/src/piece-geometry.ts',
  ],
  shape: 'bytes',
  seeds: () => [
    bytesOf({ files: [file('', 3000)], totalBytes: 3000, pieceCount: 3 }),
    bytesOf({ files: [file('', 0)], totalBytes: 0, pieceCount: 0 }),
    bytesOf({ files: [file('a', 1000), file('b/c.txt', 24), file('b/d', 0)], totalBytes: 1024, pieceCount: 1 }),
    bytesOf({ files: [file('a', 1)], totalBytes: 1, pieceCount: 1, hash: 'sha256' }),
    bytesOf({ files: [{ ...file('a', 1), executable: true }], totalBytes: 1, pieceCount: 1 }),
    bytesOf({ files: [file('b/c', 0)], emptyFolders: ['a', 'b/d'], totalBytes: 0, pieceCount: 0 }),
    bytesOf({ files: [], emptyFolders: ['a'], totalBytes: 0, pieceCount: 0 }),
  ],
  run: (input) => {
    const decoded = decodeManifest(input);
    if (!decoded.ok) return;
    const encoded = encodeManifest(decoded.manifest);
    assert.ok(encoded.ok, 'what was decoded can be encoded');
    assertSameBytes(encoded.bytes, input, 'a manifest has one encoding');
    checkFiles(decoded.manifest);
  },
};

function checkFiles({ files, emptyFolders = [], totalBytes }: Manifest): void {
  const paths = [...files.map(({ path }) => path), ...emptyFolders];
  const places = paths.map((path) => resolve(DESTINATION, path));
  for (const place of places) {
    const isWithin = place.startsWith(`${DESTINATION}/`) || (paths.length === 1 && place === DESTINATION);
    assert.ok(isWithin, `${place} lies outside of the destination`);
  }
  assert.equal(new Set(places).size, paths.length, 'each place has one file or empty folder');
  const holders = new Set(paths.flatMap((path) => ancestorsOf(path)));
  assert.ok(!paths.some((path) => holders.has(path)), 'nothing lies in a file or in an empty folder');
  assert.equal(
    files.reduce((sum, { bytes }) => sum + bytes, 0),
    totalBytes,
    'the files are the whole',
  );
}

function file(path: string, bytes: number): Manifest['files'][number] {
  return { path, bytes, sha1: SHA1 };
}

function bytesOf(about: {
  readonly files: Manifest['files'];
  readonly emptyFolders?: readonly string[];
  readonly totalBytes: number;
  readonly pieceCount: number;
  readonly hash?: Manifest['hash'];
}): Uint8Array {
  const { files, emptyFolders, totalBytes, pieceCount, hash = 'sha1' } = about;
  const pieceDigests = new Uint8Array(pieceCount * (hash === 'sha1' ? 20 : 32)).fill(3);
  const tree = { files, ...(emptyFolders && { emptyFolders }) };
  const version = manifestVersion(tree);
  const encoded = encodeManifest({ version, totalBytes, pieceBytes: 1024, hash, ...tree, pieceDigests });
  assert.ok(encoded.ok);
  return encoded.bytes;
}
