// Owns the counters of all workers: one block of shared memory that each worker adds to and the main thread reads at any
// time, so that counting costs no messages and outlives a worker that dies.

const FIELDS = ['tasks', 'receivedBytes', 'sentBytes', 'hashedBytes', 'connections'] as const;
export type CounterField = (typeof FIELDS)[number];

/** Shared memory for the counters of so many workers. */
export function newCounters(laneCount: number): SharedArrayBuffer {
  return new SharedArrayBuffer(laneCount * FIELDS.length * BigInt64Array.BYTES_PER_ELEMENT);
}

/** One worker's counters. */
export class LaneCounters {
  readonly #values: BigInt64Array;

  constructor(memory: SharedArrayBuffer, lane: number) {
    this.#values = new BigInt64Array(memory, lane * FIELDS.length * BigInt64Array.BYTES_PER_ELEMENT, FIELDS.length);
  }

  add(field: CounterField, amount: number): void {
    Atomics.add(this.#values, FIELDS.indexOf(field), BigInt(amount));
  }

  /** Sets a counter that shows a state, not a sum. */
  reset(field: CounterField): void {
    Atomics.store(this.#values, FIELDS.indexOf(field), 0n);
  }

  read(): Record<CounterField, number> {
    const value = (field: CounterField): number => Number(Atomics.load(this.#values, FIELDS.indexOf(field)));
    return {
      tasks: value('tasks'),
      receivedBytes: value('receivedBytes'),
      sentBytes: value('sentBytes'),
      hashedBytes: value('hashedBytes'),
      connections: value('connections'),
    };
  }
}
