// Owns where the bytes of pieces lie in other content that is at hand: a piece that is there as it is, or one whose files are all
// there, wherever they stand. It says where to look and proves nothing: a file's SHA-1 is somebody's word, and a copy may have
// been changed, so whoever takes bytes from there hashes them like those of a stranger.
import { type Manifest, manifestGeometry, pieceDigest } from './manifest.ts';
import { type PieceIndex, pieceIndex, pieceRange } from './piece-geometry.ts';

/** Bytes of another content: which one, by its position among those that were given, and where in it. */
export interface ReusableRun {
  readonly copy: number;
  readonly begin: number;
  readonly length: number;
}

interface Place {
  readonly copy: number;
  readonly begin: number;
}

interface TargetFile {
  readonly begin: number;
  readonly bytes: number;
  readonly key: string;
}

/** What can be taken of one content from others. */
export class ContentReuse {
  readonly #manifest: Manifest;
  readonly #files: readonly TargetFile[];
  readonly #wantedPieces = new Set<string>();
  readonly #wantedFiles: ReadonlySet<string>;
  readonly #pieces = new Map<string, Place & { readonly length: number }>();
  readonly #filePlaces = new Map<string, Place>();

  /** Looks for the pieces of a range, the last one excluded. */
  constructor(manifest: Manifest, { first, end }: { readonly first: number; readonly end: number }) {
    this.#manifest = manifest;
    const ranged = rangeOf(manifest, first, end);
    for (const piece of ranged) this.#wantedPieces.add(pieceKey(manifest, piece));
    this.#files = targetFiles(manifest, { begin: first * manifest.pieceBytes, end: end * manifest.pieceBytes });
    this.#wantedFiles = new Set(this.#files.map(({ key }) => key));
  }

  /** Takes in what another content has; of two that have the same the first one is taken. */
  add(copy: number, manifest: Manifest): void {
    if (manifest.hash === this.#manifest.hash) this.#addPieces(copy, manifest);
    let begin = 0;
    for (const file of manifest.files) {
      const key = fileKey(file);
      if (this.#wantedFiles.has(key) && !this.#filePlaces.has(key)) this.#filePlaces.set(key, { copy, begin });
      begin += file.bytes;
    }
  }

  /** Where the bytes of a piece are, in order; null when not all of them are anywhere. */
  runsOf(piece: PieceIndex): readonly ReusableRun[] | null {
    const { begin, length } = pieceRange(manifestGeometry(this.#manifest), piece);
    const whole = this.#pieces.get(pieceKey(this.#manifest, piece));
    if (whole?.length === length) return [whole];
    const runs: ReusableRun[] = [];
    for (let at = begin, next = fileAt(this.#files, begin); at < begin + length; next++) {
      const file = this.#files[next];
      const place = file === undefined ? undefined : this.#filePlaces.get(file.key);
      if (file === undefined || place === undefined) return null;
      const part = Math.min(begin + length, file.begin + file.bytes) - at;
      runs.push({ copy: place.copy, begin: place.begin + at - file.begin, length: part });
      at += part;
    }
    return runs;
  }

  #addPieces(copy: number, manifest: Manifest): void {
    const geometry = manifestGeometry(manifest);
    for (const piece of rangeOf(manifest, 0, geometry.pieceCount)) {
      const key = pieceKey(manifest, piece);
      if (!this.#wantedPieces.has(key) || this.#pieces.has(key)) continue;
      this.#pieces.set(key, { copy, ...pieceRange(geometry, piece) });
    }
  }
}

function rangeOf(manifest: Manifest, first: number, end: number): PieceIndex[] {
  const geometry = manifestGeometry(manifest);
  return Array.from({ length: Math.max(0, end - first) }, (_, number) => pieceIndex(geometry, first + number)).filter(
    (piece) => piece !== undefined,
  );
}

/** The files with a byte in a run of the content, in order; an empty file has none. */
function targetFiles(manifest: Manifest, run: { readonly begin: number; readonly end: number }): TargetFile[] {
  let begin = 0;
  return manifest.files.flatMap((file) => {
    const placed = { begin, bytes: file.bytes, key: '' };
    begin += file.bytes;
    const isIn = file.bytes > 0 && placed.begin < run.end && begin > run.begin;
    return isIn ? [{ ...placed, key: fileKey(file) }] : [];
  });
}

/** The file that a byte lies in: found by halving. */
function fileAt(files: readonly TargetFile[], at: number): number {
  let low = 0;
  let high = files.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (files[middle]!.begin <= at) low = middle;
    else high = middle - 1;
  }
  return low;
}

function fileKey({ sha1, bytes }: { readonly sha1: string; readonly bytes: number }): string {
  return `${sha1} ${bytes}`;
}

/** One character a byte: as short as a text can be. */
function pieceKey(manifest: Manifest, piece: PieceIndex): string {
  return String.fromCharCode(...pieceDigest(manifest, piece));
}
