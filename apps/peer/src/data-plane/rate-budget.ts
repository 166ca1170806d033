// Owns how connections keep to the limits that all workers share: buckets in shared memory that every lane draws from without
// a lock, the overall one and those of groups, and the turn that one connection waits for.
import { grainBytes, reserveTokens } from '#domain/token-bucket';
import type { DirectionLimits, SharedBucket } from './lane-messages.ts';

/** Shorter waits are none: a timer is no finer, and what went early is owed. */
const WAIT_MIN_MS = 1;

/** What one connection draws from: one bucket or two, and both have to have the bytes. */
export class RateBudget {
  readonly #buckets: readonly SharedBucket[];
  readonly #bytesPerSecond: number;

  constructor(buckets: readonly SharedBucket[]) {
    this.#buckets = buckets;
    this.#bytesPerSecond = Math.min(...buckets.map(({ bytesPerSecond }) => bytesPerSecond));
  }

  /** Whether what is reserved of the one is reserved of the other. */
  isSame(other: RateBudget | null): boolean {
    const ids = (budget: RateBudget): string => budget.#buckets.map(({ id }) => id).join();
    return other !== null && ids(this) === ids(other);
  }

  grainBytes(sharers: number): number {
    return grainBytes(this.#bytesPerSecond, sharers);
  }

  /** Reserves bytes for whoever asks, or gives some back when they are less than none. Returns how long to wait for them. */
  reserveMs(bytes: number): number {
    const nowMicros = Number(process.hrtime.bigint() / 1000n);
    return Math.max(...this.#buckets.map((bucket) => reserve(bucket, bytes, nowMicros))) / 1000;
  }
}

function reserve({ bytesPerSecond, freeAtMicros }: SharedBucket, bytes: number, nowMicros: number): number {
  for (;;) {
    const held = Atomics.load(freeAtMicros, 0);
    const reserved = reserveTokens(Number(held), { nowMicros, bytes, bytesPerSecond });
    const next = BigInt(reserved.freeAtMicros);
    if (Atomics.compareExchange(freeAtMicros, 0, held, next) === held) return reserved.waitMicros;
  }
}

/** The limits of one direction in one worker. */
export class LaneBudgets {
  #overall: RateBudget | null = null;
  readonly #ofGroups = new Map<number, RateBudget>();

  /** Replaces all limits by these. */
  apply({ overall, groups }: DirectionLimits): void {
    this.#overall = overall === null ? null : new RateBudget([overall]);
    this.#ofGroups.clear();
    for (const { groupId, bucket } of groups) {
      this.#ofGroups.set(groupId, new RateBudget(overall === null ? [bucket] : [bucket, overall]));
    }
  }

  /** What a connection for a group draws from; null when nothing limits it. */
  of(groupId: number): RateBudget | null {
    return this.#ofGroups.get(groupId) ?? this.#overall;
  }
}

export interface TurnOptions {
  /** What it draws from now; null while nothing limits it. */
  readonly budgetNow: () => RateBudget | null;
  /** How many connections share a flow with it, itself included. */
  readonly sharers: () => number;
  readonly onTurn: () => void;
}

/** One connection's turns: it waits for one reservation at a time, and gives back what it does not use. */
export class BudgetTurns {
  readonly #options: TurnOptions;
  #timer: NodeJS.Timeout | null = null;
  /** What has not gone yet; its time is still to come while the timer runs. */
  #reserved: { readonly budget: RateBudget; readonly bytes: number } | null = null;

  constructor(options: TurnOptions) {
    this.#options = options;
  }

  get isWaiting(): boolean {
    return this.#timer !== null;
  }

  /** How many of these bytes to take at once: all of them when nothing limits them. */
  grainOf(bytes: number): number {
    const budget = this.#options.budgetNow();
    return budget === null ? bytes : Math.min(bytes, budget.grainBytes(this.#options.sharers()));
  }

  /** Whether these bytes may go now; if not, `onTurn` is called when they may. */
  take(bytes: number): boolean {
    const budget = this.#options.budgetNow();
    if (budget === null) return true;
    if (this.#timer !== null) return false;
    const readyBytes = this.#reserved?.bytes ?? 0;
    this.#reserved = null;
    const waitMs = bytes === readyBytes ? 0 : budget.reserveMs(bytes - readyBytes);
    if (readyBytes > 0 || waitMs < WAIT_MIN_MS) return true;
    this.#reserved = { budget, bytes };
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#options.onTurn();
    }, waitMs);
    return false;
  }

  /** The limits changed: who waits asks anew, unless what it waits for is as it was. */
  renew(): void {
    if (this.#reserved?.budget.isSame(this.#options.budgetNow()) === true) return;
    const { isWaiting } = this;
    this.end();
    if (isWaiting) this.#options.onTurn();
  }

  /** Waits for nothing any more. What was reserved is there for others: the debt is theirs otherwise. */
  end(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#reserved !== null) this.#reserved.budget.reserveMs(-this.#reserved.bytes);
    this.#reserved = null;
  }
}
