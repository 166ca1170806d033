// Facts about the canonical bytes of manifests. The golden bytes are part of the product: content ids depend on them.
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Manifest, manifestVersion } from '#domain/manifest';
import { choosePieceBytes, geometryOf } from '#domain/piece-geometry';
import { decodeManifest, encodeManifest } from '#wire/manifest-codec';
import { manifestTree, openManifest } from '#wire/manifest-table';

const SHA1 = 'da39a3ee5e6b4b0d3255bfef95601890afd80709';

const folder: Manifest = {
  version: 1,
  totalBytes: 3,
  pieceBytes: 2,
  hash: 'sha1',
  files: [
    { path: 'a', bytes: 1, sha1: SHA1 },
    { path: 'd/é', bytes: 2, sha1: SHA1 },
  ],
  pieceDigests: Uint8Array.from({ length: 40 }, (_, position) => position),
};

const FOLDER_HEX =
  '636f686f7274206d616e696665737420310a' + // magic
  '01' + // sha1
  '01' + // pieces of 2^1 bytes
  '0000000000000003' +
  '00000002' +
  `0001610000000000000001${SHA1}` +
  `0004642fc3a90000000000000002${SHA1}` +
  '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021222324252627';

/** With a file that can be run, and a folder that holds nothing. */
const folder2: Manifest = {
  ...folder,
  version: 2,
  files: [folder.files[0]!, { ...folder.files[1]!, executable: true }],
  emptyFolders: ['e/f'],
};

const FOLDER_2_HEX =
  '636f686f7274206d616e696665737420320a' +
  '01' +
  '01' +
  '0000000000000003' +
  '00000002' +
  `0001610000000000000001${SHA1}00` +
  `0004642fc3a90000000000000002${SHA1}01` +
  '00000001' +
  '0003652f66' +
  '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021222324252627';

const VERSION_AT = 16;
const HASH_AT = 18;
const EXPONENT_AT = 19;
const TOTAL_AT = 20;
const FILE_COUNT_AT = 28;
const FIRST_PATH_AT = 34;
/** In the folder of version 2. */
const SECOND_FLAGS_AT = 98;
const FOLDER_COUNT_AT = 99;

function encoded(manifest: Manifest): Uint8Array {
  const result = encodeManifest(manifest);
  if (!result.ok) throw new Error(`${result.field} ${result.message}`);
  return result.bytes;
}

function changed(position: number, ...bytes: number[]): Uint8Array {
  return changedIn(folder, position, bytes);
}

function changedIn(manifest: Manifest, position: number, bytes: readonly number[]): Uint8Array {
  const copy = encoded(manifest);
  copy.set(bytes, position);
  return copy;
}

/** Version 2 where no file can be run, and there is no empty folder. */
function needless2(): Uint8Array {
  const text = FOLDER_2_HEX.replace(`${SHA1}01`, `${SHA1}00`).replace('000000010003652f66', '00000000');
  return Uint8Array.fromHex(text);
}

/** Without the letters that all device names of Windows have one of. */
const name = fc.stringMatching(/^[a-mo-wyzé]{1,8}$/);
const files = fc
  .uniqueArray(
    fc.record(
      { path: name, bytes: fc.nat(2 ** 30), sha1: fc.constant(SHA1), executable: fc.constant(true as const) },
      { requiredKeys: ['path', 'bytes', 'sha1'] },
    ),
    { minLength: 1, maxLength: 20, selector: (file) => file.path },
  )
  .map((list) => list.toSorted((a, b) => (a.path < b.path ? -1 : 1)));
/** None has the name of a file. */
const folders = fc
  .uniqueArray(
    name.map((text) => `${text}-`),
    { maxLength: 3 },
  )
  .map((list) => list.toSorted());
const hashes = fc.constantFrom('sha1' as const, 'sha256' as const);
const manifests = fc.tuple(files, folders, hashes).map(([list, emptyFolders, hash]): Manifest => {
  const totalBytes = list.reduce((sum, file) => sum + file.bytes, 0);
  const pieceBytes = choosePieceBytes(totalBytes);
  const { pieceCount } = geometryOf({ totalBytes, pieceBytes });
  const pieceDigests = new Uint8Array(pieceCount * (hash === 'sha1' ? 20 : 32)).fill(7);
  const tree = emptyFolders.length > 0 ? { files: list, emptyFolders } : { files: list };
  return Object.assign({ version: manifestVersion(tree), totalBytes, pieceBytes, hash, pieceDigests }, tree);
});

describe('encoding', () => {
  it('a folder has exactly these bytes, and so this content id', () => {
    expect(encoded(folder).toHex()).toBe(FOLDER_HEX);
    expect(createHash('sha256').update(encoded(folder)).digest('hex')).toBe(
      'e4b9c56fdefb11320d3316b5a2c58754685adb8cf961210e0d891d44e93606e2',
    );
  });

  it('a folder with modes and empty folders has exactly these bytes, and so this content id', () => {
    expect(encoded(folder2).toHex()).toBe(FOLDER_2_HEX);
    expect(createHash('sha256').update(encoded(folder2)).digest('hex')).toBe(
      '1b99816b64713fc2b49962e62ef913fbe0d924873d9b8539a0749c64f5334878',
    );
  });

  it('what is not sound is refused with its field', () => {
    expect(encodeManifest({ ...folder, totalBytes: 4 })).toMatchObject({ ok: false, field: 'totalBytes' });
  });

  it('a manifest longer than 10 MiB is refused', () => {
    const component = 'x'.repeat(200);
    const paths = Array.from({ length: 60_000 }, (_, n) => `${component}${String(n).padStart(6, '0')}`);
    const list = paths.map((path) => ({ path, bytes: 0, sha1: SHA1 }));
    const manifest = { ...folder, totalBytes: 0, files: list, pieceDigests: new Uint8Array(0) };
    expect(encodeManifest(manifest)).toMatchObject({ ok: false, field: 'manifest' });
  });
});

describe('decoding', () => {
  it('gives back what was encoded, and the same bytes again', () => {
    fc.assert(
      fc.property(manifests, (manifest) => {
        const bytes = encoded(manifest);
        const decoded = decodeManifest(bytes);
        expect(decoded).toEqual({ ok: true, manifest });
        expect(decoded.ok && encoded(decoded.manifest)).toEqual(bytes);
      }),
    );
  });

  it('a table of accepted bytes says the same, file by file', () => {
    fc.assert(
      fc.property(manifests, (manifest) => {
        const { files: table, pieceDigests, ...head } = openManifest(encoded(manifest));
        const { hash, totalBytes, pieceBytes } = manifest;
        expect(head).toEqual({ hash, totalBytes, pieceBytes });
        expect(Buffer.from(pieceDigests).equals(manifest.pieceDigests)).toBe(true);
        expect(table.count).toBe(manifest.files.length);
        let begin = 0;
        for (const [position, { path, bytes, sha1, executable = false }] of manifest.files.entries()) {
          expect(table.fileOf(position)).toEqual({ path, executable });
          expect([table.beginOf(position), table.bytesOf(position)]).toEqual([begin, bytes]);
          expect(table.sha1Of(position)).toBe(sha1);
          begin += bytes;
        }
      }),
    );
    expect(() => openManifest(changed(0, 0x43))).toThrow(/version must be/);
  });

  it('a tree of accepted bytes lists the same files and empty folders', () => {
    fc.assert(
      fc.property(manifests, (manifest) => {
        const { files: listed, emptyFolders } = manifestTree(encoded(manifest));
        expect(listed).toEqual(manifest.files.map(({ path, bytes, executable }) => ({ path, bytes, executable })));
        expect(emptyFolders).toEqual(manifest.emptyFolders ?? []);
      }),
    );
    expect(() => manifestTree(changed(0, 0x43))).toThrow(/version must be/);
  });

  it.each([folder, folder2])('refuses the bytes cut off anywhere', (manifest) => {
    const bytes = encoded(manifest);
    for (let length = 0; length < bytes.length; length++) {
      expect(decodeManifest(bytes.subarray(0, length)), `${length} bytes`).toMatchObject({ ok: false });
    }
  });

  it.each([folder, folder2])(
    'accepts no changed bytes but as another manifest with exactly those bytes',
    (manifest) => {
      fc.assert(
        fc.property(fc.nat(encoded(manifest).length - 1), fc.nat(255), (position, byte) => {
          const bytes = changedIn(manifest, position, [byte]);
          const decoded = decodeManifest(bytes);
          if (decoded.ok) expect(encoded(decoded.manifest)).toEqual(bytes);
        }),
        { numRuns: 2000 },
      );
    },
  );

  it('never throws on arbitrary bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (tail) => {
        decodeManifest(new Uint8Array([...encoded(folder).subarray(0, HASH_AT), ...tail]));
      }),
    );
  });

  it('reads bytes that lie in the middle of a buffer', () => {
    const bytes = encoded(folder);
    const around = new Uint8Array(bytes.length + 20);
    around.set(bytes, 7);
    expect(decodeManifest(around.subarray(7, 7 + bytes.length))).toEqual({ ok: true, manifest: folder });
  });

  it.each<[string, Uint8Array, string]>([
    ['too long', new Uint8Array(10 * 1024 * 1024 + 1), 'manifest'],
    ['of another kind', changed(0, 0x43), 'version'],
    ['with hash 0', changed(HASH_AT, 0), 'hash'],
    ['with hash 3', changed(HASH_AT, 3), 'hash'],
    ['with pieces of 2^53 bytes', changed(EXPONENT_AT, 53), 'pieceBytes'],
    ['with a length beyond 2^53 - 1', changed(TOTAL_AT, 0x00, 0x20), 'totalBytes'],
    ['with another sum of lengths', changed(TOTAL_AT + 7, 4), 'totalBytes'],
    ['with more files than allowed', changed(FILE_COUNT_AT, 0xff, 0xff, 0xff, 0xff), 'files'],
    ['with more files than there are bytes', changed(FILE_COUNT_AT + 2, 0xff, 0xff), 'files'],
    ['with a path that is no UTF-8', changed(FIRST_PATH_AT, 0xff), 'files[0].path'],
    ['with paths out of order', changed(FIRST_PATH_AT, 0x7a), 'files[1].path'],
    ['with a file longer than 2^53 - 1', changed(FIRST_PATH_AT + 1, 0xff), 'files[0].bytes'],
    ['of a version to come', changed(VERSION_AT, 0x33), 'version'],
    ['of version 2 in the form of version 1', changed(VERSION_AT, 0x32), 'files[1].path'],
    ['with a flag that is not known', changedIn(folder2, SECOND_FLAGS_AT, [2]), 'files[1].executable'],
    ['of version 2 without anything that needs it', needless2(), 'version'],
    ['with more folders than allowed', changedIn(folder2, FOLDER_COUNT_AT, [0xff]), 'emptyFolders'],
    ['with more folders than there are bytes', changedIn(folder2, FOLDER_COUNT_AT + 2, [0xff]), 'emptyFolders'],
    ['with a folder that is no UTF-8', changedIn(folder2, FOLDER_COUNT_AT + 6, [0xff]), 'emptyFolders[0]'],
    ['with a byte too many', new Uint8Array([...encoded(folder), 0]), 'pieceDigests'],
  ])('refuses a manifest %s and names the field', (_, bytes, field) => {
    expect(decodeManifest(bytes)).toMatchObject({ ok: false, field });
  });
});
