// Owns the counters of all workers: one block of shared memory that each worker adds to and the main thread reads at any
// time, so that counting costs no messages and outlives a worker that dies.

const FIELDS = ['tasks', 'receivedBytes', 'sentBytes', 'hashedBytes', 'connections'] as const;
export type CounterField = (typeof FIELDS)[number];

/** Why somebody is turned away at the port for other peers; most are told so in these words. */
export const PEER_REFUSALS = [
  'handshake_failed',
  'wrong_key',
  'too_many_connections',
  'too_slow',
  'unread',
  'version_mismatch',
  'protocol_error',
  'grant_malformed',
  'grant_not_signed',
  'grant_mismatch',
  'grant_expired',
  'grant_revoked',
  'unknown_share',
  'busy',
] as const;
export type PeerRefusal = (typeof PEER_REFUSALS)[number];

/** Whether a connection that is closed for this reason was refused something. */
export function isPeerRefusal(reason: string): reason is PeerRefusal {
  return (PEER_REFUSALS as readonly string[]).includes(reason);
}

const VALUES = [...FIELDS, ...PEER_REFUSALS] as const;
const PLACES = Object.fromEntries(VALUES.map((value, place) => [value, place])) as Record<
  (typeof VALUES)[number],
  number
>;
const LANE_BYTES = VALUES.length * BigInt64Array.BYTES_PER_ELEMENT;

/** Shared memory for the counters of so many workers. */
export function newCounters(laneCount: number): SharedArrayBuffer {
  return new SharedArrayBuffer(laneCount * LANE_BYTES);
}

/** One worker's counters. */
export class LaneCounters {
  readonly #values: BigInt64Array;

  constructor(memory: SharedArrayBuffer, lane: number) {
    this.#values = new BigInt64Array(memory, lane * LANE_BYTES, VALUES.length);
  }

  add(field: CounterField, amount: number): void {
    Atomics.add(this.#values, PLACES[field], BigInt(amount));
  }

  /** Somebody was turned away. */
  refuse(refusal: PeerRefusal): void {
    Atomics.add(this.#values, PLACES[refusal], 1n);
  }

  /** Sets a counter that shows a state, not a sum. */
  reset(field: CounterField): void {
    Atomics.store(this.#values, PLACES[field], 0n);
  }

  read(): Record<CounterField, number> {
    const value = (field: CounterField): number => this.#read(field);
    return {
      tasks: value('tasks'),
      receivedBytes: value('receivedBytes'),
      sentBytes: value('sentBytes'),
      hashedBytes: value('hashedBytes'),
      connections: value('connections'),
    };
  }

  /** How many were turned away, and why. */
  refusals(): [refusal: PeerRefusal, count: number][] {
    return PEER_REFUSALS.map((refusal) => [refusal, this.#read(refusal)]);
  }

  #read(value: CounterField | PeerRefusal): number {
    return Number(Atomics.load(this.#values, PLACES[value]));
  }
}
