// Owns looking things up in the bytes of a manifest that was accepted before, without an object for each file: of a share of many files
// every worker that serves or fetches it needs a few at a time, and all workers read the same bytes.
import type { PieceHash } from '#domain/command';
import { ByteReader } from './byte-reader.ts';
import { readManifestHead } from './manifest-codec.ts';

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

/** Reads bytes that `decodeManifest` has accepted; throws on others. */
export function openManifest(bytes: Uint8Array): ManifestTable {
  const reader = new ByteReader(bytes);
  const head = readManifestHead(reader);
  if ('ok' in head) throw new Error(`the manifest was accepted before, and its ${head.field} ${head.message}`);
  const { version, hash, totalBytes, pieceBytes } = head;
  const files = new ManifestFiles(bytes, { version, begin: bytes.length - reader.remainingBytes });
  reader.take(files.end - (bytes.length - reader.remainingBytes));
  if (version === 2) for (let left = reader.u32(); left > 0; left--) reader.take(reader.u16());
  return { hash, totalBytes, pieceBytes, files, pieceDigests: reader.take(reader.remainingBytes) };
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
}
