// Owns the canonical bytes of a manifest: one encoding for each manifest, and decoding refuses everything else, so the
// SHA-256 of these bytes (the content id) names the content. Binary, because a digest in text is twice as long.
//
//   manifest      = "cohort manifest 1" 0x0a head file* digest*
//                 / "cohort manifest 2" 0x0a head (file flags)* folderCount:u32 folder* digest*
//   head          = hash pieceExponent totalBytes fileCount
//   hash          = u8                    1 sha1, 2 sha256
//   pieceExponent = u8                    a piece is 2^pieceExponent bytes
//   totalBytes    = u64                   all integers big-endian, at most 2^53 - 1
//   fileCount     = u32
//   file          = pathBytes:u16 path:pathBytes*UTF-8 bytes:u64 sha1:20*u8
//   flags         = u8                    1 executable, 0 not; in version 2 something is executable, or there is a folder
//   folder        = pathBytes:u16 path:pathBytes*UTF-8     one that holds nothing
//   digest        = 20*u8 or 32*u8        one for each piece, in order, to the end
import type { PieceHash } from '#domain/command';
import {
  type Manifest,
  MANIFEST_FILES_MAX,
  type ManifestFile,
  type ManifestProblem,
  manifestProblem,
  type ManifestVersion,
} from '#domain/manifest';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { MANIFEST_BYTES_MAX } from './limits.ts';

/** A manifest, or what is wrong with the bytes. */
export type DecodedManifest = { readonly ok: true; readonly manifest: Manifest } | RefusedManifest;
/** A manifest's canonical bytes, or what is wrong with it. */
export type EncodedManifest = { readonly ok: true; readonly bytes: Uint8Array } | RefusedManifest;
/** The field that is wrong, like `files[3].path`, and the end of a sentence about it. */
export type RefusedManifest = { readonly ok: false } & ManifestProblem;

/** What a manifest begins with. */
export type ManifestHead = Pick<Manifest, 'version' | 'hash' | 'totalBytes' | 'pieceBytes'>;

const VERSIONS: readonly ManifestVersion[] = [1, 2];
const MAGICS = VERSIONS.map((version) => new TextEncoder().encode(`cohort manifest ${version}\n`));
const MAGIC_BYTES = MAGICS[0]!.length;
const HASH_CODES: readonly PieceHash[] = ['sha1', 'sha256'];
const PIECE_EXPONENT_MAX = 52;
const FILE_BYTES_MIN = 2 + 8 + 20;
const FOLDER_BYTES_MIN = 2;

/** The canonical bytes of a manifest. Refuses what is not sound, and what would be longer than 10 MiB. */
export function encodeManifest(manifest: Manifest): EncodedManifest {
  const problem = manifestProblem(manifest);
  if (problem !== null) return { ok: false, ...problem };
  const { version, emptyFolders = [] } = manifest;
  const writer = new ByteWriter()
    .bytes(MAGICS[version - 1]!)
    .u8(HASH_CODES.indexOf(manifest.hash) + 1)
    .u8(Math.log2(manifest.pieceBytes))
    .u64(manifest.totalBytes)
    .u32(manifest.files.length);
  for (const { path, bytes, sha1, executable = false } of manifest.files) {
    writer.text16(path).u64(bytes).hex(sha1, 20);
    if (version === 2) writer.u8(executable ? 1 : 0);
  }
  if (version === 2) writer.u32(emptyFolders.length);
  for (const path of emptyFolders) writer.text16(path);
  const bytes = writer.bytes(manifest.pieceDigests).finish();
  return bytes.length > MANIFEST_BYTES_MAX ? tooLong : { ok: true, bytes };
}

/**
 * The manifest that canonical bytes stand for; anything that `encodeManifest` would not have written is refused.
 * `pieceDigests` is a view on the given bytes.
 */
export function decodeManifest(bytes: Uint8Array): DecodedManifest {
  if (bytes.length > MANIFEST_BYTES_MAX) return tooLong;
  const reader = new ByteReader(bytes);
  const head = readManifestHead(reader);
  if ('ok' in head) return head;
  const { version } = head;
  const files = decodeFiles(reader, version);
  if (!Array.isArray(files)) return files;
  const emptyFolders = version === 1 ? [] : readManifestFolders(reader);
  if (!Array.isArray(emptyFolders)) return emptyFolders;
  const pieceDigests = reader.take(reader.remainingBytes);
  const manifest: Manifest = {
    ...{ ...head, files, pieceDigests },
    ...(emptyFolders.length > 0 && { emptyFolders }),
  };
  const problem = manifestProblem(manifest);
  return problem === null ? { ok: true, manifest } : { ok: false, ...problem };
}

/** What a manifest begins with, to where the number of its files stands; or what is wrong with it. */
export function readManifestHead(reader: ByteReader): ManifestHead | RefusedManifest {
  const version = versionOf(reader.take(MAGIC_BYTES));
  if (version === undefined) return refused('version', 'must be "cohort manifest 1" or "cohort manifest 2"');
  const hash = HASH_CODES[reader.u8() - 1];
  if (hash === undefined) return refused('hash', 'must be 1 or 2');
  const pieceExponent = reader.u8();
  if (pieceExponent > PIECE_EXPONENT_MAX) return refused('pieceBytes', `must be at most 2^${PIECE_EXPONENT_MAX}`);
  const totalBytes = reader.u64();
  if (reader.problem !== null) return refused('totalBytes', reader.problem);
  return { version, hash, totalBytes, pieceBytes: 2 ** pieceExponent };
}

function decodeFiles(reader: ByteReader, version: ManifestVersion): ManifestFile[] | RefusedManifest {
  const fileCount = reader.u32();
  if (reader.problem !== null) return refused('files', reader.problem);
  if (fileCount > MANIFEST_FILES_MAX) return refused('files', `must be at most ${MANIFEST_FILES_MAX}`);
  if (fileCount * FILE_BYTES_MIN > reader.remainingBytes) return refused('files', 'ends too early');
  const files: ManifestFile[] = [];
  for (let position = 0; position < fileCount; position++) {
    const path = reader.text(reader.u16());
    if (reader.problem !== null) return refused(`files[${position}].path`, reader.problem);
    const bytes = reader.u64();
    if (reader.problem !== null) return refused(`files[${position}].bytes`, reader.problem);
    const sha1 = reader.hex(20);
    if (reader.problem !== null) return refused(`files[${position}].sha1`, reader.problem);
    const flags = version === 1 ? 0 : reader.u8();
    if (reader.problem !== null || flags > 1) {
      return refused(`files[${position}].executable`, reader.problem ?? 'must be 0 or 1');
    }
    files.push(flags === 1 ? { path, bytes, sha1, executable: true } : { path, bytes, sha1 });
  }
  return files;
}

/** The empty folders, which stand behind the files from version 2 on; or what is wrong with them. */
export function readManifestFolders(reader: ByteReader): string[] | RefusedManifest {
  const folderCount = reader.u32();
  if (reader.problem !== null) return refused('emptyFolders', reader.problem);
  if (folderCount > MANIFEST_FILES_MAX) return refused('emptyFolders', `must be at most ${MANIFEST_FILES_MAX}`);
  if (folderCount * FOLDER_BYTES_MIN > reader.remainingBytes) return refused('emptyFolders', 'ends too early');
  const folders: string[] = [];
  for (let position = 0; position < folderCount; position++) {
    folders.push(reader.text(reader.u16()));
    if (reader.problem !== null) return refused(`emptyFolders[${position}]`, reader.problem);
  }
  return folders;
}

function versionOf(magic: Uint8Array): ManifestVersion | undefined {
  const isMagic = (known: Uint8Array): boolean => known.every((byte, position) => byte === magic[position]);
  return VERSIONS[MAGICS.findIndex(isMagic)];
}

function refused(field: string, message: string): RefusedManifest {
  return { ok: false, field, message };
}

const tooLong = refused('manifest', `must be at most ${MANIFEST_BYTES_MAX} bytes`);
