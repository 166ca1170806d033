// Owns the digests of past offsets: each of the last million, and beyond that one in 1,024. An offset in between is not
// held and says so: computing it again would take a replay.

const CHUNK_DIGESTS = 1024;
const DIGEST_BYTES = 32;

/** The digests, by offset. */
export class DigestHistory {
  readonly #chunks = new Map<number, Buffer>();
  readonly #lastOfChunk: Buffer[] = [];
  readonly #chunksMax: number;
  #size = 0;

  /** Keeps every digest of at least the last `denseCount` offsets. */
  constructor(denseCount = 1_000_000) {
    this.#chunksMax = Math.ceil(denseCount / CHUNK_DIGESTS) + 1;
  }

  /** Adds the digest of the next offset. */
  append(digest: Uint8Array): void {
    const chunkIndex = Math.floor(this.#size / CHUNK_DIGESTS);
    const place = this.#size % CHUNK_DIGESTS;
    if (place === 0) this.#begin(chunkIndex);
    this.#chunks.get(chunkIndex)!.set(digest, place * DIGEST_BYTES);
    if (place === CHUNK_DIGESTS - 1) this.#lastOfChunk.push(Buffer.from(digest));
    this.#size += 1;
  }

  /** The digest after the record at `offset`, or null when it is not held. */
  at(offset: number): Buffer | null {
    if (!Number.isSafeInteger(offset) || offset < 0 || offset >= this.#size) return null;
    const chunkIndex = Math.floor(offset / CHUNK_DIGESTS);
    const place = offset % CHUNK_DIGESTS;
    const chunk = this.#chunks.get(chunkIndex);
    if (chunk !== undefined) return chunk.subarray(place * DIGEST_BYTES, (place + 1) * DIGEST_BYTES);
    return place === CHUNK_DIGESTS - 1 ? this.#lastOfChunk[chunkIndex]! : null;
  }

  #begin(chunkIndex: number): void {
    this.#chunks.set(chunkIndex, Buffer.alloc(CHUNK_DIGESTS * DIGEST_BYTES));
    this.#chunks.delete(chunkIndex - this.#chunksMax);
  }
}
