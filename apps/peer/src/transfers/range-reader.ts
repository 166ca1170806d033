// Owns reading one run of bytes of content in order, each piece verified before a byte of it is handed out. What is not there yet
// is waited for as long as something comes. Two buffers whatever is read: one is with whoever sends it on while the other is filled.
import { hasBit } from '#domain/bitfield';
import { type Manifest, manifestGeometry } from '#domain/manifest';
import type { ReaderPlace } from '#domain/read-ahead';
import { STREAM_BUFFER_BYTES_MAX } from '#wire/limits';
import type { Refused } from '#wire/tracker-api';
import { type ReadableCopy, type TransferEngine, TransferFailure } from '../swarm/transfer-engine.ts';
import type { ChangeWaiters } from './change-waiters.ts';
import type { ContentReader } from './transfers.ts';

/** How often it is looked whether anything comes at all, in the time for which it is waited. */
const LOOKS_FOR_BYTES = 20;

/** The copy that is read, as it stands whenever it is asked. */
export interface ReadSource {
  readonly engine: Pick<TransferEngine, 'readPiece'>;
  readonly manifest: Manifest;
  /** Where pieces can be read; `soon` when that is not known yet; or why they cannot, and will not. */
  copy(): ReadableCopy | 'soon' | Refused;
  /** Whether anything of it comes just now. */
  isComing(): boolean;
  /** What is on disk is not what it was. */
  damaged(detail: string): void;
  /** How long it is waited for a piece when nothing comes. */
  readonly stallMs: number;
  /** Woken when a piece of it has come, when it is somewhere else, and when somebody's reading ends. */
  readonly changes: Pick<ChangeWaiters, 'until'>;
}

export class RangeReader implements ContentReader {
  readonly #source: ReadSource;
  readonly #end: number;
  readonly #signal: AbortSignal;
  /** Told of every new place. */
  readonly #moved: (place: ReaderPlace) => void;
  /** Told of bytes that are handed out. */
  readonly #taken: () => void;
  readonly #buffers: Uint8Array[] = [];
  #at: number;
  #reads = 0;

  /** The places are of the content, not of a file in it. */
  constructor(
    source: ReadSource,
    place: ReaderPlace,
    {
      signal,
      moved,
      taken,
    }: { readonly signal: AbortSignal; readonly moved: (place: ReaderPlace) => void; readonly taken: () => void },
  ) {
    this.#source = source;
    this.#at = place.at;
    this.#end = place.end;
    this.#signal = signal;
    this.#moved = moved;
    this.#taken = taken;
  }

  async next(): Promise<Uint8Array | Refused | null> {
    if (this.#signal.aborted) return unavailable('Reading was ended.');
    if (this.#at === this.#end) return null;
    const { manifest } = this.#source;
    const { pieceBytes } = manifestGeometry(manifest);
    const piece = Math.floor(this.#at / pieceBytes);
    const length = Math.min(STREAM_BUFFER_BYTES_MAX, (piece + 1) * pieceBytes - this.#at, this.#end - this.#at);
    this.#moved({ at: this.#at, end: this.#end });
    const copy = await this.#copyWith(piece);
    if ('status' in copy) return copy;
    const target = this.#nextBuffer(length);
    const refused = await this.#read(copy, target);
    if (refused !== null) return refused;
    this.#at += length;
    this.#taken();
    return target;
  }

  async #read(copy: ReadableCopy, target: Uint8Array): Promise<Refused | null> {
    const { engine, manifest } = this.#source;
    try {
      if (await engine.readPiece({ manifest, copy, begin: this.#at, target, signal: this.#signal })) return null;
      this.#source.damaged('bytes of it are not what was shared');
    } catch (error) {
      if (!(error instanceof TransferFailure)) throw error;
      if (error.code === 'source_missing' || error.code === 'source_changed') this.#source.damaged(error.message);
    }
    return unavailable('What is on the disk of this peer is not what was shared, or cannot be read.');
  }

  /** Where a piece is, as soon as it is there. */
  async #copyWith(piece: number): Promise<ReadableCopy | Refused> {
    const { stallMs, changes } = this.#source;
    let lastByteMs = performance.now();
    for (;;) {
      const copy = this.#knownOf(piece);
      if (copy !== null) return copy;
      if (this.#source.isComing()) lastByteMs = performance.now();
      if (performance.now() - lastByteMs > stallMs) return unavailable('Nobody who has these bytes sends them.');
      await changes.until(() => this.#knownOf(piece) !== null, stallMs / LOOKS_FOR_BYTES);
    }
  }

  /** The copy that has a piece, or why none will; null while it is to come. */
  #knownOf(piece: number): ReadableCopy | Refused | null {
    const copy = this.#source.copy();
    if (copy !== 'soon' && ('status' in copy || copy.verified === null || hasBit(copy.verified, piece))) return copy;
    return this.#signal.aborted ? unavailable('Reading was ended.') : null;
  }

  #nextBuffer(length: number): Uint8Array {
    const place = this.#reads++ % 2;
    const bytes = Math.min(STREAM_BUFFER_BYTES_MAX, this.#end - this.#at);
    let buffer = this.#buffers[place];
    if (buffer === undefined || buffer.length < length) buffer = new Uint8Array(new SharedArrayBuffer(bytes));
    this.#buffers[place] = buffer;
    return buffer.subarray(0, length);
  }
}

/** Bytes cannot be had now. */
export function unavailable(detail: string): Refused {
  return { status: 'failed', code: 'content_unavailable', detail };
}
