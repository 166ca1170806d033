// Owns what this worker serves: which share is which content, where its files are, and who is connected for it. Files and the
// decoded manifest are held only while somebody is connected, so many idle shares cost next to nothing.
import { hasBit } from '#domain/bitfield';
import { manifestGeometry, pieceDigest } from '#domain/manifest';
import { type PieceGeometry, type PieceIndex, pieceIndex, pieceRange } from '#domain/piece-geometry';
import { type ManifestTable, openManifest } from '#wire/manifest-table';
import type { BlockPlace, CloseCode } from '#wire/transfer-frame';
import { ContentFiles } from '../storage/content-files.ts';
import { filesIn } from '../storage/content-layout.ts';
import { hashPieces } from '../storage/source-hashing.ts';
import { StorageFailure, type StorageProblem } from '../storage/storage-problem.ts';
import type { LaneShare, ServedContent } from './lane-messages.ts';

/** Somebody connected for a share. */
export interface Visitor {
  /** Says why, and closes. */
  dismiss(code: CloseCode): void;
}

/** One share as it is served now. */
export class ServedShare {
  readonly visitors = new Set<Visitor>();
  #content: ServedContent;
  readonly #onProblem: (problem: StorageProblem) => void;
  #opened: { readonly manifest: ManifestTable; readonly files: ContentFiles } | null = null;
  #isRechecking = false;

  constructor(content: ServedContent, onProblem: (problem: StorageProblem) => void) {
    this.#content = content;
    this.#onProblem = onProblem;
  }

  get content(): ServedContent {
    return this.#content;
  }

  /** The same content from elsewhere: a download that is complete now, or another copy. */
  moveTo(content: ServedContent): void {
    this.release();
    this.#content = content;
  }

  enter(visitor: Visitor): void {
    this.visitors.add(visitor);
  }

  leave(visitor: Visitor): void {
    this.visitors.delete(visitor);
    if (this.visitors.size === 0) this.release();
  }

  release(): void {
    this.#opened?.files.close();
    this.#opened = null;
  }

  get geometry(): PieceGeometry {
    return manifestGeometry(this.#open().manifest);
  }

  /** Whether a block lies within a piece that is here and verified. */
  offers(place: BlockPlace, length: number): boolean {
    const { geometry } = this;
    const piece = pieceIndex(geometry, place.piece);
    if (piece === undefined || place.begin + length > pieceRange(geometry, piece).length) return false;
    return this.content.verified === null || hasBit(this.content.verified, piece);
  }

  /** Reads a block of a piece. Throws StorageFailure source_* when the file is not what was verified. */
  read(place: BlockPlace, target: Uint8Array): void {
    const { manifest, files } = this.#open();
    const begin = place.piece * manifest.pieceBytes + place.begin;
    files.read(begin, target, this.content.stamps);
  }

  /** Somebody says that a piece came with another digest: looks at the disk, and reports when that is so. */
  async recheck(number: number): Promise<void> {
    const { manifest } = this.#open();
    const piece = pieceIndex(manifestGeometry(manifest), number);
    if (piece === undefined || this.#isRechecking) return;
    this.#isRechecking = true;
    try {
      const digest = await this.#hashOnDisk(manifest, piece);
      if (Buffer.from(pieceDigest(manifest, piece)).equals(digest)) return;
      this.#onProblem({ code: 'source_changed', detail: `${this.content.roots[0]} was changed after it was shared` });
    } catch (error) {
      if (!(error instanceof StorageFailure)) throw error;
      this.#onProblem(error.problem);
    } finally {
      this.#isRechecking = false;
    }
  }

  #hashOnDisk(manifest: ManifestTable, piece: PieceIndex): Promise<Uint8Array> {
    const { roots, placed } = this.content;
    return hashPieces({
      root: roots[0] ?? '',
      placed,
      run: filesIn(manifest.files, pieceRange(manifestGeometry(manifest), piece)),
      hash: manifest.hash,
      pieceBytes: manifest.pieceBytes,
      totalBytes: manifest.totalBytes,
      firstPiece: piece,
      pieceCount: 1,
      job: { counters: new BigInt64Array(2) },
    });
  }

  #open() {
    if (this.#opened === null) {
      const { roots, identity, placed } = this.content;
      const manifest = openManifest(this.content.manifestBytes);
      const files = new ContentFiles(manifest.files, roots, { flags: 'r', identity, placed });
      this.#opened = { manifest, files };
    }
    return this.#opened;
  }
}

/** All shares of one worker, by group and share. */
export class ShareTable {
  readonly #shares = new Map<string, ServedShare>();
  readonly #onProblem: (content: ServedContent, problem: StorageProblem) => void;

  constructor(onProblem: (content: ServedContent, problem: StorageProblem) => void) {
    this.#onProblem = onProblem;
  }

  find(share: LaneShare): ServedShare | undefined {
    return this.#shares.get(keyOf(share));
  }

  /** Serves a share, in place of what it was before; who is connected stays when the content is the same. */
  serve(content: ServedContent): void {
    const before = this.find(content.share);
    if (before?.content.contentId === content.contentId) return before.moveTo(content);
    this.withdraw(content.share, 'withdrawn');
    const served = new ServedShare(content, (problem) => this.fail(served, problem));
    this.#shares.set(keyOf(content.share), served);
  }

  withdraw(share: LaneShare, code: CloseCode): void {
    const served = this.find(share);
    if (served === undefined) return;
    this.#shares.delete(keyOf(share));
    dismissAll(served, code);
  }

  /** The files of a share are not what they were: it is served no more, and its owner is told. */
  fail(served: ServedShare, problem: StorageProblem): void {
    if (this.find(served.content.share) !== served) return;
    this.withdraw(served.content.share, problem.code === 'source_changed' ? 'source_changed' : 'source_missing');
    this.#onProblem(served.content, problem);
  }

  close(): void {
    for (const { content } of this.#shares.values()) this.withdraw(content.share, 'closing');
  }
}

function keyOf({ groupId, shareId }: LaneShare): string {
  return `${groupId}/${shareId}`;
}

function dismissAll(served: ServedShare, code: CloseCode): void {
  for (const visitor of [...served.visitors]) visitor.dismiss(code);
  served.release();
}
