// Owns the comparison of snapshots between trackers: each says in its checkpoints which one it has last. Equal effects do not
// prove equal states, so another hash of the same offset means that somebody began at a snapshot with a fault. Whoever sees it
// throws its snapshots away and computes everything anew, once: after that the fault is the other one's, or a build's.
import { snapshotInNote, type SnapshotClaim } from '#wire/checkpoint-note';
import { formatFingerprint } from '#wire/tracker-info';
import type { AppliedRecord, Replica } from '../replica/replica.ts';

/** What a comparison needs. */
export interface SnapshotComparisonParts {
  readonly replica: Pick<Replica, 'onApplied' | 'snapshots' | 'computeAnew'>;
  readonly warn: (message: string) => void;
}

/** Compares what others say of their snapshots with this tracker's. Whoever made it calls `look` now and then. */
export class SnapshotComparison {
  readonly #parts: SnapshotComparisonParts;
  /** The last that each tracker has said. */
  readonly #claims = new Map<string, SnapshotClaim>();
  /** Those that have been found to differ, so that each is told once. */
  readonly #told = new Set<string>();
  #hasComputedAnew = false;

  constructor(parts: SnapshotComparisonParts) {
    this.#parts = parts;
    parts.replica.onApplied((applied) => this.#hear(applied));
  }

  /** How many trackers say of their last snapshot something else than this one has. */
  get differingCount(): number {
    return [...this.#claims.values()].filter((claim) => this.#differs(claim)).length;
  }

  /** Compares, when this tracker has come to have a snapshot that others had before. */
  look(): void {
    for (const [trackerId, claim] of this.#claims) if (this.#differs(claim)) this.#act(trackerId, claim);
  }

  #hear({ record, applied }: AppliedRecord): void {
    const isRecorded = applied.events.some(({ type }) => type === 'checkpoint_recorded');
    if (record?.command.name !== 'checkpoint' || !isRecorded) return;
    const claim = snapshotInNote(record.command.data.note);
    if (claim !== null) this.#claims.set(record.trackerId, claim);
  }

  #differs({ offset, hash }: SnapshotClaim): boolean {
    return this.#parts.replica.snapshots.some((own) => own.offset === offset && own.hash !== hash);
  }

  #act(trackerId: string, { offset, hash }: SnapshotClaim): void {
    const { replica, warn } = this.#parts;
    const who = formatFingerprint(trackerId);
    if (!this.#hasComputedAnew) {
      this.#hasComputedAnew = true;
      replica.computeAnew(`the snapshot of offset ${offset} of ${who} has another hash`);
    } else if (!this.#told.has(`${trackerId} ${hash}`)) {
      this.#told.add(`${trackerId} ${hash}`);
      warn(`the snapshot of offset ${offset} of ${who} differs from this one's, which was computed from offset 0`);
    }
  }
}
