// Owns looking things up in the bytes of a manifest that was accepted before, without an object for each file: of a share of many files
// every worker that serves or fetches it needs a few at a time, and all workers read the same bytes.
import type { PieceHash } from '#domain/command';
import { ByteReader } from './byte-reader.ts';
import { readManifestFolders, readManifestHead, type RefusedManifest } from './manifest-codec.ts';

const textDecoder = new TextDecoder();
const U16_BYTES = 2;
const U64_BYTES = 8;
const SHA1_BYTES = 20;
const EXECUTABLE = 1;

/** What is in a manifest. */
export interface ManifestTable {
  readonly hash: PieceHash;
  readonly totalBytes: number;
  readonly pieceBytes: number;
  readonly files: ManifestFiles;
  /** As in `Manifest`: a view on the given bytes. */
  readonly pieceDigests: Uint8Array;
}

/** What a manifest says of the tree that it is of. */
export interface ManifestTree {
  readonly files: readonly { readonly path: string; readonly bytes: number; readonly executable?: true }[];
  readonly emptyFolders: readonly string[];
}

/** Reads bytes that `decodeManifest` has accepted; throws on others. */
export function openManifest(bytes: Uint8Array): ManifestTable {
  const { head, files, reader } = openFiles(bytes);
  const { version, hash, totalBytes, pieceBytes } = head;
  if (version === 2) for (let left = reader.u32(); left > 0; left--) reader.take(reader.u16());
  return { hash, totalBytes, pieceBytes, files, pieceDigests: reader.take(reader.remainingBytes) };
}

/** All that is listed at once, for who makes or looks at all of it. Reads and throws like `openManifest`. */
export function manifestTree(manifestBytes: Uint8Array): ManifestTree {
  const { head, files, reader } = openFiles(manifestBytes);
  const listed = Array.from({ length: files.count }, (_, position) => {
    const { path, executable } = files.fileOf(position);
    const bytes = files.bytesOf(position);
    return executable ? { path, bytes, executable } : { path, bytes };
  });
  return { files: listed, emptyFolders: head.version === 1 ? [] : accepted(readManifestFolders(reader)) };
}

/** The files of a manifest, and a reader that stands behind them. */
function openFiles(bytes: Uint8Array) {
  const reader = new ByteReader(bytes);
  const head = accepted(readManifestHead(reader));
  const begin = bytes.length - reader.remainingBytes;
  const files = new ManifestFiles(bytes, { version: head.version, begin });
  reader.take(files.end - begin);
  return { head, files, reader };
}

function accepted<Value extends object>(read: Value | RefusedManifest): Value {
  if ('ok' in read) throw new Error(`the manifest was accepted before, and its ${read.field} ${read.message}`);
  return read;
}

/** The files of a manifest by their position. */
export class ManifestFiles {
  readonly count: number;
  /** Where the entries end in the bytes. */
  readonly end: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  /** Where each entry begins in the bytes. */
  readonly #entries: Uint32Array;
  /** Where each file begins in the content, and the end of the last one. */
  readonly #begins: Float64Array;
  readonly #hasFlags: boolean;

  constructor(bytes: Uint8Array, { version, begin }: { readonly version: number; readonly begin: number }) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#hasFlags = version === 2;
    this.count = this.#view.getUint32(begin);
    this.#entries = new Uint32Array(this.count);
    this.#begins = new Float64Array(this.count + 1);
    let at = begin + 4;
    for (let position = 0; position < this.count; position++) {
      this.#entries[position] = at;
      const lengthAt = at + U16_BYTES + this.#view.getUint16(at);
      this.#begins[position + 1] = this.#begins[position]! + Number(this.#view.getBigUint64(lengthAt));
      at = lengthAt + U64_BYTES + SHA1_BYTES + (this.#hasFlags ? 1 : 0);
    }
    this.end = at;
  }

  /** Where the first byte of a file stands in the content. */
  beginOf(position: number): number {
    return this.#begins[position]!;
  }

  /** The length of a file. */
  bytesOf(position: number): number {
    return this.#begins[position + 1]! - this.#begins[position]!;
  }

  /** The path of a file, and whether it can be run. */
  fileOf(position: number): { readonly path: string; readonly executable: boolean } {
    const at = this.#entries[position]!;
    const end = at + U16_BYTES + this.#view.getUint16(at);
    const path = textDecoder.decode(this.#bytes.subarray(at + U16_BYTES, end));
    const executable = this.#hasFlags && this.#view.getUint8(end + U64_BYTES + SHA1_BYTES) === EXECUTABLE;
    return { path, executable };
  }

  /** The SHA-1 of a file in hex: the sharer's word. */
  sha1Of(position: number): string {
    const at = this.#entries[position]!;
    const sha1At = at + U16_BYTES + this.#view.getUint16(at) + U64_BYTES;
    return this.#bytes.subarray(sha1At, sha1At + SHA1_BYTES).toHex();
  }
}
