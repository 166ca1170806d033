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

  /** The last digest of each chunk that is full, from the first chunk on. */
  get lastOfChunks(): readonly Uint8Array[] {
    return this.#lastOfChunk;
  }

  /** How many digests there have been. */
  get size(): number {
    return this.#size;
  }

  /** The digests of the chunks that are kept, in ascending order: 32 bytes each, of the last chunk as many as there are. */
  *chunks(): Generator<readonly [chunkIndex: number, digests: Uint8Array]> {
    for (const [chunkIndex, digests] of this.#chunks) {
      yield [chunkIndex, digests.subarray(0, (this.#size - chunkIndex * CHUNK_DIGESTS) * DIGEST_BYTES)];
    }
  }

  /** Puts back the next of another history's `lastOfChunks`; all of them come before its chunks. */
  putLast(digest: Uint8Array): void {
    this.#lastOfChunk.push(Buffer.from(digest));
  }

  /** Puts back the next of another history's `chunks`; false when that is no whole number of digests, or too many. */
  putChunk(chunkIndex: number, digests: Uint8Array): boolean {
    if (digests.length % DIGEST_BYTES !== 0 || digests.length > CHUNK_DIGESTS * DIGEST_BYTES) return false;
    const chunk = Buffer.alloc(CHUNK_DIGESTS * DIGEST_BYTES);
    chunk.set(digests);
    this.#chunks.set(chunkIndex, chunk);
    this.#size = chunkIndex * CHUNK_DIGESTS + digests.length / DIGEST_BYTES;
    return true;
  }

  #begin(chunkIndex: number): void {
    this.#chunks.set(chunkIndex, Buffer.alloc(CHUNK_DIGESTS * DIGEST_BYTES));
    this.#chunks.delete(chunkIndex - this.#chunksMax);
  }
}
