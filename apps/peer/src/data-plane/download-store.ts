// Owns one worker's hand on a download's files: writes at offsets of the content, and notes a piece as verified in the order
// data, journal, shared bitfield, so that nobody serves or reports what is not on disk.
import { createHash, type Hash } from 'node:crypto';
import { bitMask } from '#domain/bitfield';
import { manifestGeometry, pieceDigest } from '#domain/manifest';
import { type PieceGeometry, type PieceIndex, pieceIndex, pieceRange } from '#domain/piece-geometry';
import { type ManifestTable, openManifest } from '#wire/manifest-table';
import { ContentFiles } from '../storage/content-files.ts';
import { JournalWriter } from '../storage/part-journal.ts';
import type { WrittenContent } from './lane-messages.ts';

/** The files, journal and digests of one download, as one worker uses them. */
export class DownloadStore {
  readonly geometry: PieceGeometry;
  readonly #content: WrittenContent;
  readonly #manifest: ManifestTable;
  readonly #files: ContentFiles;
  readonly #journal: JournalWriter;

  constructor(content: WrittenContent) {
    this.#content = content;
    this.#manifest = openManifest(content.manifestBytes);
    this.geometry = manifestGeometry(this.#manifest);
    const { roots, identity, placed } = content;
    const access = { flags: 'r+', identity, placed, makes: true } as const;
    this.#files = new ContentFiles(this.#manifest.files, roots, access);
    this.#journal = new JournalWriter(content.destination, content.contentId);
  }

  newHash(): Hash {
    return createHash(this.#manifest.hash);
  }

  /** The piece of that number. The main thread assigns only pieces that exist. */
  pieceAt(number: number): { readonly index: PieceIndex; readonly begin: number; readonly length: number } {
    const index = pieceIndex(this.geometry, number);
    if (index === undefined) throw new RangeError(`there is no piece ${number}`);
    return { index, ...pieceRange(this.geometry, index) };
  }

  isDigest(index: PieceIndex, digest: Buffer): boolean {
    return digest.equals(pieceDigest(this.#manifest, index));
  }

  /** Throws StorageFailure disk_full, destination_unwritable. */
  write(begin: number, bytes: Uint8Array): void {
    this.#files.write(begin, bytes);
  }

  /** The piece is written and its digest fits. Throws StorageFailure disk_full, destination_unwritable. */
  noteVerified(piece: number): void {
    this.#journal.append(piece);
    Atomics.or(this.#content.verified, piece >>> 3, bitMask(piece));
  }

  noteReceived(bytes: number): void {
    Atomics.add(this.#content.counts, 0, BigInt(bytes));
  }

  /** Connections that are open for this download, in all workers. */
  get connectionCount(): number {
    return Number(Atomics.load(this.#content.counts, 1));
  }

  close(): void {
    this.#files.close();
    this.#journal.close();
  }
}
