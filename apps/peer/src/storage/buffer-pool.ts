// Owns the large buffers of one thread that come and go with connections and tasks. What is given back serves the next one:
// left to the garbage collector, a thread with a small heap would hold many times what it uses.

/** What a thread keeps for later: the blocks of a few connections. */
const KEPT_BYTES_MAX = 8 * 1024 * 1024;

export class BufferPool {
  readonly #keptBytesMax: number;
  /** Given back longest ago first. */
  readonly #kept: Buffer[] = [];
  #keptBytes = 0;

  constructor(keptBytesMax: number) {
    this.#keptBytesMax = keptBytesMax;
  }

  get keptBytes(): number {
    return this.#keptBytes;
  }

  /** A buffer of so many bytes; what is in it is of no meaning. */
  take(bytes: number): Buffer {
    const found = this.#kept.findLastIndex(({ length }) => length === bytes);
    if (found === -1) return Buffer.allocUnsafeSlow(bytes);
    this.#keptBytes -= bytes;
    return this.#kept.splice(found, 1)[0] as Buffer;
  }

  /** Takes a buffer back. Nobody may read or write it any more. */
  give(buffer: Buffer): void {
    this.#kept.push(buffer);
    this.#keptBytes += buffer.length;
    while (this.#keptBytes > this.#keptBytesMax) this.#keptBytes -= this.#kept.shift()?.length ?? 0;
  }
}

/** The one of this thread. */
export const threadBuffers = new BufferPool(KEPT_BYTES_MAX);
