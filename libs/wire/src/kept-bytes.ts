// Owns copies of many small parts of bytes, one behind the other, for who keeps them long.

/** Each chunk is twice as long as the one before: what keeps little takes little. */
const FIRST_CHUNK_BYTES = 4 * 1024;
const CHUNK_BYTES_MAX = 1024 * 1024;

/** Where in which bytes a part is. */
export interface KeptPart {
  readonly bytes: Uint8Array;
  readonly begin: number;
  readonly end: number;
}

/** Grows with what it is given, and forgets nothing by itself: a chunk is free when nobody has a part of it any more. */
export class KeptBytes {
  #chunk: Uint8Array = new Uint8Array(0);
  #usedBytes = 0;

  /** Copies a part; where the copy is. */
  keep({ bytes, begin, end }: KeptPart): KeptPart {
    const length = end - begin;
    if (this.#usedBytes + length > this.#chunk.length) this.#grow(length);
    const at = this.#usedBytes;
    this.#chunk.set(bytes.subarray(begin, end), at);
    this.#usedBytes += length;
    return { bytes: this.#chunk, begin: at, end: this.#usedBytes };
  }

  /** Shared memory, which V8 does not count as a reason to look for garbage: looking at a large state takes a second each time. */
  #grow(length: number): void {
    const next = Math.min(Math.max(FIRST_CHUNK_BYTES, 2 * this.#chunk.length), CHUNK_BYTES_MAX);
    this.#chunk = new Uint8Array(new SharedArrayBuffer(Math.max(next, length)));
    this.#usedBytes = 0;
  }
}
