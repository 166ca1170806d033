// Owns the memory that a fetching connection receives into. The socket asks for the next place before each read and gets the
// rest of one buffer, so the 16 KiB chunks of TLS lie side by side; what is pending is then hashed and written as one run. A read
// that has begun a block ends with it, so that the next block begins at the front: runs are long, and lie on pages of the file.
import { PIECE_HEADER_BYTES } from '#wire/transfer-frame';
import { threadBuffers } from '../storage/buffer-pool.ts';

/** Half of a usual block, and its header. */
const BUFFER_BYTES = 256 * 1024 + PIECE_HEADER_BYTES;
/** TLS hands over at most 16 KiB at once; a plain socket fills whatever room there is, and small reads cost more. */
const TLS_ROOM_BYTES = 16 * 1024;
const PLAIN_ROOM_BYTES = 128 * 1024;

/** One buffer, filled from the front; `flush` is called for what is pending when it is to be used again. */
export class ReceiveBuffer {
  readonly #bytes = threadBuffers.take(BUFFER_BYTES);
  readonly #roomBytes: number;
  readonly #flush: (run: Uint8Array) => void;
  #filled = 0;
  #pendingBegin = 0;
  #pendingEnd = 0;

  constructor(plain: boolean, flush: (run: Uint8Array) => void) {
    this.#roomBytes = plain ? PLAIN_ROOM_BYTES : TLS_ROOM_BYTES;
    this.#flush = flush;
  }

  /** Where the next bytes go; so many of them are left of a block, or none has begun. */
  next(blockBytesLeft: number): Uint8Array {
    const wantedBytes = blockBytesLeft === 0 ? BUFFER_BYTES : blockBytesLeft;
    if (BUFFER_BYTES - this.#filled < Math.min(this.#roomBytes, wantedBytes)) this.flush();
    if (this.#pendingBegin === this.#pendingEnd) this.#filled = 0;
    return this.#bytes.subarray(this.#filled, Math.min(BUFFER_BYTES, this.#filled + wantedBytes));
  }

  /** The bytes that have come to where `next` said. */
  take(length: number): Uint8Array {
    const chunk = this.#bytes.subarray(this.#filled, this.#filled + length);
    this.#filled += length;
    return chunk;
  }

  /** Keeps a range of a taken chunk until the next flush; flushes first when it does not follow what is pending. */
  keep(chunk: Uint8Array, begin: number, end: number): void {
    const origin = chunk.byteOffset - this.#bytes.byteOffset;
    if (this.#pendingEnd !== origin + begin) {
      this.flush();
      this.#pendingBegin = origin + begin;
    }
    this.#pendingEnd = origin + end;
  }

  /** Lets go of the memory: nothing comes any more, and nothing of what came is needed. */
  release(): void {
    threadBuffers.give(this.#bytes);
  }

  /** Forgets what is pending. */
  drop(): void {
    this.#pendingBegin = this.#pendingEnd;
  }

  flush(): void {
    if (this.#pendingBegin === this.#pendingEnd) return;
    const run = this.#bytes.subarray(this.#pendingBegin, this.#pendingEnd);
    this.#pendingBegin = this.#pendingEnd;
    this.#flush(run);
  }
}
