// Owns what has to hold of snapshots in the end: whoever has one of which another tracker says something else knows that, and has
// made sure that its own is what the log comes to. What that is, is computed here once more from offset 0.
import type { LogRecord } from '#domain/record';
import { snapshotInNote, type SnapshotClaim } from '#wire/checkpoint-note';
import { DerivedState } from '../../apps/tracker/src/replica/derived-state.ts';
import { snapshotBytes } from '../../apps/tracker/src/snapshots/snapshot-format.ts';
import { NEWER_RULES } from './builds.ts';
import type { Invariants } from './invariants.ts';
import type { SimulatedLog } from './simulated-log.ts';
import type { SimulatedTracker } from './simulated-tracker.ts';
import { SimulatedProcess, type SimulatedWorld } from './simulated-world.ts';

/** What is looked at. */
export interface SnapshotsOf {
  readonly world: SimulatedWorld;
  readonly log: SimulatedLog;
  readonly invariants: Invariants;
}

export class SnapshotCheck {
  readonly #log: SimulatedLog;
  readonly #judge: SimulatedProcess;
  /** What each tracker has said last. */
  readonly #claims = new Map<string, SnapshotClaim>();
  /** By offset. */
  readonly #trueHashes = new Map<number, string>();

  /** `invariants` hear of each record first. */
  constructor({ world, log, invariants }: SnapshotsOf) {
    this.#log = log;
    this.#judge = new SimulatedProcess(world, 'judge of snapshots');
    log.onStored(({ offset }) => {
      const decided = invariants.decidedAt(offset);
      const isSigned = decided?.applied.events.some(({ type }) => type === 'checkpoint_recorded') === true;
      if (isSigned) this.#hear(decided.record);
    });
  }

  /** What is not yet as it has to be with a tracker's snapshots, or null. */
  unrestOf({ replica, comparison, hasErred }: SimulatedTracker): string | null {
    let differing = 0;
    for (const [trackerId, claim] of this.#claims) {
      const own = replica.snapshots.find(({ offset }) => offset === claim.offset);
      if (own === undefined || own.hash === claim.hash) continue;
      differing += 1;
      if (hasErred || own.hash === this.#trueHashOf(own.offset)) continue;
      return `has a wrong snapshot of offset ${own.offset}, of which ${trackerId.slice(0, 8)} has another`;
    }
    const { differingCount } = comparison;
    return differingCount === differing
      ? null
      : `tells of ${differingCount} snapshots unlike its own, not ${differing}`;
  }

  #hear(record: LogRecord | null): void {
    if (record?.command.name !== 'checkpoint') return;
    const claim = snapshotInNote(record.command.data.note);
    if (claim !== null) this.#claims.set(record.trackerId, claim);
  }

  #trueHashOf(offset: number): string {
    const known = this.#trueHashes.get(offset);
    if (known !== undefined) return known;
    let hash = '';
    // Signatures are what they are in a simulated process alone.
    this.#judge.run(() => {
      const derived = new DerivedState();
      for (const stored of this.#log.records.slice(0, offset + 1)) derived.apply(stored, NEWER_RULES);
      hash = hashOf(derived);
    });
    this.#trueHashes.set(offset, hash);
    return hash;
  }
}

function hashOf(derived: DerivedState): string {
  let hash = '';
  const pieces = snapshotBytes(derived, (ended) => (hash = ended));
  while (pieces.next().done !== true);
  return hash;
}
