// Owns the shared memory in which one thread shows another what it is about to run.
import { INPUT_BYTES_MAX } from './mutations.ts';

const HEAD_BYTES = 8;

/** Longer inputs are shown in part. */
export const WINDOW_BYTES = HEAD_BYTES + 4 * INPUT_BYTES_MAX;

export class InputWindow {
  /** How many inputs were shown, and the length of the last. */
  readonly #head: Int32Array;
  readonly #bytes: Uint8Array;

  constructor(memory: SharedArrayBuffer) {
    this.#head = new Int32Array(memory, 0, 2);
    this.#bytes = new Uint8Array(memory, HEAD_BYTES);
  }

  get count(): number {
    return Atomics.load(this.#head, 0);
  }

  show(input: Uint8Array): void {
    const shown = input.subarray(0, this.#bytes.length);
    this.#bytes.set(shown);
    Atomics.store(this.#head, 1, shown.length);
    Atomics.add(this.#head, 0, 1);
  }

  /** The last input. */
  read(): Uint8Array {
    return this.#bytes.slice(0, Atomics.load(this.#head, 1));
  }
}
