// Owns how much one connection keeps asked for: by its rate, by its part of what its download may have asked for over all its
// connections, and less while somebody waits for what comes first.
import { partBlockBytes, requestWindowBytes } from '#domain/source-choice';
import { BLOCK_BYTES_MAX, OUTSTANDING_BYTES_MAX } from '#wire/limits';

const RATE_SAMPLE_MS = 100;
/** Under a limit blocks are small: the window has room for so many times as many, so that a long way is no second limit. */
const LIMITED_WINDOW = 4;
/**
 * What is asked for at a time while somebody waits for pieces, and for how long after that: the next one waits for as much. It is
 * what comes in a twentieth of a second, and two blocks at least, so that one is on its way while the other is answered.
 */
const HURRIED_WINDOW_BYTES_MAX = 4 * 1024 * 1024;
const HURRIED_WINDOW_SECONDS = 0.05;
const HURRIED_WINDOW_BLOCKS_MIN = 2;
const HURRIED_MS = 5_000;

/** The window of one connection. */
export class RequestWindow {
  readonly #connectionCount: () => number;
  #bytesPerSecond = 0;
  #sampleBytes = 0;
  #sampleStartMs = 0;
  #hurriedMs = -Infinity;

  /** Told how many connections its download has, itself included. */
  constructor(connectionCount: () => number) {
    this.#connectionCount = connectionCount;
  }

  /** Somebody waits for pieces. */
  hurry(): void {
    this.#hurriedMs = performance.now();
  }

  /** An answer of so many bytes has come. */
  answered(bytes: number): void {
    const nowMs = performance.now();
    if (this.#sampleStartMs === 0) this.#sampleStartMs = nowMs;
    this.#sampleBytes += bytes;
    const elapsedMs = nowMs - this.#sampleStartMs;
    if (elapsedMs < RATE_SAMPLE_MS) return;
    const rate = (this.#sampleBytes * 1000) / elapsedMs;
    this.#bytesPerSecond = this.#bytesPerSecond === 0 ? rate : (this.#bytesPerSecond + rate) / 2;
    this.#sampleBytes = 0;
    this.#sampleStartMs = nowMs;
  }

  /** The next block of what is left of a piece, in bytes, as long as nothing limits the rate. */
  blockBytes(leftBytes: number): number {
    return Math.min(BLOCK_BYTES_MAX, partBlockBytes(this.#partBytes), leftBytes);
  }

  /** Whether a request of so many bytes, of a block that is as long or longer, fits beside what is outstanding. */
  hasRoom(outstandingBytes: number, about: { readonly length: number; readonly blockBytes: number }): boolean {
    const { length, blockBytes } = about;
    if (outstandingBytes === 0) return true;
    const wantedBytes = Math.min(blockBytes, length * LIMITED_WINDOW);
    const windowBytes = requestWindowBytes(this.#bytesPerSecond, wantedBytes, this.#partBytes);
    const isHurried = performance.now() - this.#hurriedMs < HURRIED_MS;
    return (
      outstandingBytes + length <= (isHurried ? Math.min(windowBytes, this.#hurriedBytes(wantedBytes)) : windowBytes)
    );
  }

  #hurriedBytes(blockBytes: number): number {
    const steadyBytes = Math.min(this.#bytesPerSecond * HURRIED_WINDOW_SECONDS, HURRIED_WINDOW_BYTES_MAX);
    return Math.max(HURRIED_WINDOW_BLOCKS_MIN * blockBytes, steadyBytes);
  }

  get #partBytes(): number {
    return OUTSTANDING_BYTES_MAX / this.#connectionCount();
  }
}
