// Owns when a worker collects the garbage of its old generation. V8 waits for 8 MiB of it, whatever is alive: as much again in
// a worker, which a peer's resident memory would gain over hundreds of transfers. Only where the launcher has exposed `gc`.
import { getHeapStatistics } from 'node:v8';

const LOOK_MS = 500;
/** Garbage that is left alone: so much, or a tenth of what is alive. Collecting costs time by what is alive. */
const GARBAGE_BYTES_MAX = 2 * 1024 * 1024;
const GARBAGE_PART_MAX = 0.1;

/** The heap of a thread. */
export interface WatchedHeap {
  /** Alive or not. */
  readonly usedBytes: () => number;
  readonly collect: () => void;
}

/** Watches the heap of one thread. */
export class HeapWatch {
  readonly #heap: WatchedHeap;
  #aliveBytes: number;

  constructor(heap: WatchedHeap) {
    this.#heap = heap;
    this.#aliveBytes = heap.usedBytes();
  }

  /** Call it now and then. What is there beyond what was alive at the last collection counts as garbage. */
  look(): void {
    const usedBytes = this.#heap.usedBytes();
    // V8 has collected by itself.
    this.#aliveBytes = Math.min(this.#aliveBytes, usedBytes);
    const leftAlone = Math.max(GARBAGE_BYTES_MAX, this.#aliveBytes * GARBAGE_PART_MAX);
    if (usedBytes - this.#aliveBytes <= leftAlone) return;
    this.#heap.collect();
    this.#aliveBytes = this.#heap.usedBytes();
  }
}

/** Watches the heap of this thread as long as it runs. */
export function watchHeap(): void {
  const { gc } = globalThis;
  if (gc === undefined) return;
  const watch = new HeapWatch({ usedBytes: () => getHeapStatistics().used_heap_size, collect: () => gc() });
  setInterval(() => watch.look(), LOOK_MS).unref();
}
