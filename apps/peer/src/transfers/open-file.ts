// Owns one file of a share that somebody reads: where in the content it lies, how far its reader is, and that reading ends for good
// when it is closed or not allowed any more.
import type { Manifest } from '#domain/manifest';
import type { ReaderPlace } from '#domain/read-ahead';
import { RangeReader, type ReadSource } from './range-reader.ts';
import type { ContentReader, OpenContent } from './transfers.ts';

/** What an open file is made of. */
export interface OpenFileParts {
  readonly contentId: string;
  readonly position: number;
  readonly name: string;
  readonly manifest: Manifest;
  readonly source: ReadSource;
  /** Its reader is somewhere else now. */
  readonly moved: () => void;
  /** Bytes of it are handed out. */
  readonly taken: () => void;
  /** Called once. */
  readonly closed: () => void;
}

export class OpenFile implements OpenContent {
  readonly contentId: string;
  readonly position: number;
  readonly name: string;
  readonly totalBytes: number;
  readonly #parts: OpenFileParts;
  readonly #begin: number;
  readonly #work = new AbortController();
  /** Where in the content its reader is; null while nobody reads. */
  #place: ReaderPlace | null = null;

  constructor(parts: OpenFileParts) {
    const { contentId, position, name, manifest } = parts;
    this.contentId = contentId;
    this.position = position;
    this.name = name;
    this.totalBytes = manifest.files[position]!.bytes;
    this.#parts = parts;
    this.#begin = manifest.files.slice(0, position).reduce((sum, { bytes }) => sum + bytes, 0);
  }

  get ended(): AbortSignal {
    return this.#work.signal;
  }

  get place(): ReaderPlace | null {
    return this.#place;
  }

  read({ begin, end }: { readonly begin: number; readonly end: number }): ContentReader {
    const place = { at: this.#begin + begin, end: this.#begin + end };
    const moved = (now: ReaderPlace): void => {
      if (this.ended.aborted) return;
      this.#place = now;
      this.#parts.moved();
    };
    return new RangeReader(this.#parts.source, place, { signal: this.ended, moved, taken: this.#parts.taken });
  }

  /** Ends when it may not be read any more. */
  look(): void {
    const copy = this.#parts.source.copy();
    if (copy !== 'soon' && 'status' in copy) this.close();
  }

  close(): void {
    if (this.ended.aborted) return;
    this.#work.abort();
    this.#place = null;
    this.#parts.closed();
  }
}
