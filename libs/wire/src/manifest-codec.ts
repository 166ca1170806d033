// Owns the canonical bytes of a manifest: one encoding for each manifest, and decoding refuses everything else, so the
// SHA-256 of these bytes (the content id) names the content. Binary, because a digest in text is twice as long.
//
//   manifest      = magic hash pieceExponent totalBytes fileCount file* digest*
//   magic         = "cohort manifest 1" 0x0a
//   hash          = u8                    1 sha1, 2 sha256
//   pieceExponent = u8                    a piece is 2^pieceExponent bytes
//   totalBytes    = u64                   all integers big-endian, at most 2^53 - 1
//   fileCount     = u32
//   file          = pathBytes:u16 path:pathBytes*UTF-8 bytes:u64 sha1:20*u8
//   digest        = 20*u8 or 32*u8        one for each piece, in order, to the end
import type { PieceHash } from '#domain/command';
import {
  type Manifest,
  MANIFEST_FILES_MAX,
  type ManifestFile,
  type ManifestProblem,
  manifestProblem,
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

const MAGIC = new TextEncoder().encode('cohort manifest 1\n');
const HASH_CODES: readonly PieceHash[] = ['sha1', 'sha256'];
const PIECE_EXPONENT_MAX = 52;
const FILE_BYTES_MIN = 2 + 8 + 20;

/** The canonical bytes of a manifest. Refuses what is not sound, and what would be longer than 10 MiB. */
export function encodeManifest(manifest: Manifest): EncodedManifest {
  const problem = manifestProblem(manifest);
  if (problem !== null) return { ok: false, ...problem };
  const writer = new ByteWriter()
    .bytes(MAGIC)
    .u8(HASH_CODES.indexOf(manifest.hash) + 1)
    .u8(Math.log2(manifest.pieceBytes))
    .u64(manifest.totalBytes)
    .u32(manifest.files.length);
  for (const file of manifest.files) writer.text16(file.path).u64(file.bytes).hex(file.sha1, 20);
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
  if (!isMagic(reader.take(MAGIC.length))) return refused('version', 'must be "cohort manifest 1"');
  const hash = HASH_CODES[reader.u8() - 1];
  if (hash === undefined) return refused('hash', 'must be 1 or 2');
  const pieceExponent = reader.u8();
  if (pieceExponent > PIECE_EXPONENT_MAX) return refused('pieceBytes', `must be at most 2^${PIECE_EXPONENT_MAX}`);
  const totalBytes = reader.u64();
  if (reader.problem !== null) return refused('totalBytes', reader.problem);
  const files = decodeFiles(reader);
  if (!Array.isArray(files)) return files;
  const pieceDigests = reader.take(reader.remainingBytes);
  const manifest: Manifest = { version: 1, totalBytes, pieceBytes: 2 ** pieceExponent, hash, files, pieceDigests };
  const problem = manifestProblem(manifest);
  return problem === null ? { ok: true, manifest } : { ok: false, ...problem };
}

function decodeFiles(reader: ByteReader): ManifestFile[] | RefusedManifest {
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
    files.push({ path, bytes, sha1 });
  }
  return files;
}

function isMagic(bytes: Uint8Array): boolean {
  return bytes.length === MAGIC.length && MAGIC.every((byte, position) => byte === bytes[position]);
}

function refused(field: string, message: string): RefusedManifest {
  return { ok: false, field, message };
}

const tooLong = refused('manifest', `must be at most ${MANIFEST_BYTES_MAX} bytes`);
