// Owns when this tracker signs a checkpoint: after 1,000 records that no checkpoint covers, after 60 s with any, and when it
// is stopped. A checkpoint that agrees, whoever signed it, begins both anew for all trackers; checkpoints are no news. The
// trackers wait in the order of their ids, each a little longer, so that as a rule only one of them signs. A tracker that has
// found itself wrong signs at once, which takes back what it signed before; also one that finds that its last run was. What one
// signs the others sign as well, of the same size, when they come to the same: who has one tracker's key cannot sign for two.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Checkpoint } from '#domain/checkpoint';
import { LogFailure } from '../command-log/command-log.ts';
import { BUILD } from '#wire/build';
import { signedCheckpointNote } from './checkpoint-signature.ts';
import type { AppliedRecord, Replica } from './replica.ts';
import { submitAsTracker, type TrackerAuthor } from './tracker-registration.ts';

/** So many records without a checkpoint make one due. */
export const CHECKPOINT_NEWS_MAX = 1_000;
/** So long may a record stand without a checkpoint. */
export const CHECKPOINT_INTERVAL_MS = 60_000;
/** What each tracker waits longer than the one before it, for at most so many. */
const PATIENCE = { news: 100, ms: 1_000, ranksMax: 4 };
/** Wait after a checkpoint that did not get into the log. */
const RETRY_MS = 5_000;
/** How much of a clean stop the last checkpoint may take. */
const LAST_CHECKPOINT_MS = 500;

/** Signs checkpoints when they are due. Whoever made it calls `look` now and then. */
export class CheckpointWriter {
  readonly #replica: Replica;
  readonly #author: TrackerAuthor;
  readonly #monotonicNow: () => number;
  readonly #forget: () => void;
  #coveredSize = 0;
  #signedSize = 0;
  /** How many records the largest checkpoint in the log is about that has this tracker's signature. */
  #ownSize = 0;
  /** The largest one of another tracker that this one has not signed as well. */
  #unsigned: Checkpoint | null = null;
  /** How many records there were when the rules in force were activated, as far as this process has seen. */
  #rulesSize = 0;
  #newsSinceMs: number | null = null;
  #notBeforeMs = -Infinity;
  #writing: Promise<void> | null = null;

  constructor(from: { replica: Replica; author: TrackerAuthor; monotonicNow: () => number }) {
    this.#replica = from.replica;
    this.#author = from.author;
    this.#monotonicNow = from.monotonicNow;
    this.#forget = from.replica.onApplied((applied) => {
      this.#note(applied);
      if (this.#replica.newsCount >= CHECKPOINT_NEWS_MAX) void this.look();
    });
  }

  /** Writes a checkpoint when one is due; resolves when it is applied, or could not be written. */
  look(): Promise<void> {
    if (this.#writing === null) this.#begin(this.#isDue() ? this.#replica.checkpoint() : this.#cosignable());
    return this.#writing ?? Promise.resolve();
  }

  /** Writes the last checkpoint of this process when there is news; resolves within half a second, whatever hangs. */
  async stop(): Promise<void> {
    this.#forget();
    await Promise.race([this.#writeLast(), sleep(LAST_CHECKPOINT_MS, undefined, { ref: false })]);
  }

  async #writeLast(): Promise<void> {
    await this.#writing;
    this.#begin(this.#replica.newsCount > 0 ? this.#replica.checkpoint() : this.#cosignable());
    await this.#writing;
  }

  #isDue(): boolean {
    const { newsCount, coveredSize } = this.#replica;
    const nowMs = this.#monotonicNow();
    if (coveredSize !== this.#coveredSize) this.#newsSinceMs = null;
    this.#coveredSize = coveredSize;
    if (nowMs < this.#notBeforeMs) return false;
    if (this.#replica.healedSize > this.#signedSize || this.#hasSignedWrongly()) return true;
    if (newsCount === 0) return false;
    this.#newsSinceMs ??= nowMs;
    const rank = this.#rank();
    return (
      newsCount >= CHECKPOINT_NEWS_MAX + rank * PATIENCE.news ||
      nowMs - this.#newsSinceMs >= CHECKPOINT_INTERVAL_MS + rank * PATIENCE.ms
    );
  }

  /** An earlier run signed something else than this one has computed, and nobody but this tracker can take that back. */
  #hasSignedWrongly(): boolean {
    return this.#replica.isDisputedWith(this.#author.identity.id);
  }

  /** How many trackers are asked to sign before this one. */
  #rank(): number {
    const { id } = this.#author.identity;
    const before = [...this.#replica.state.trackers.keys()].filter((trackerId) => trackerId < id);
    return Math.min(before.length, PATIENCE.ranksMax);
  }

  /** A tracker in a dispute goes on to say what it has, so that the others compare it with theirs. */
  #mayWrite(): boolean {
    const { readiness, isReading } = this.#replica;
    return isReading && (readiness.ready || readiness.reason === 'checkpoint_disputed');
  }

  #note({ applied, offset }: AppliedRecord): void {
    for (const event of applied.events) {
      if (event.type === 'rules_activated') this.#rulesSize = offset + 1;
      if (event.type !== 'checkpoint_recorded') continue;
      const { trackerId, logId, size, root, digest, rulesVersion } = event;
      if (trackerId === this.#author.identity.id) this.#ownSize = Math.max(this.#ownSize, size);
      else if (this.#mayBeSigned(event)) this.#unsigned = { logId, size, root, digest, rulesVersion, build: BUILD };
    }
  }

  /** Neither root nor digest says which rules were in force: what a signer claims of them is not repeated unseen. */
  #mayBeSigned({ size, rulesVersion }: Pick<Checkpoint, 'size' | 'rulesVersion'>): boolean {
    const wereInForce = rulesVersion === this.#replica.state.rulesVersion && size >= this.#rulesSize;
    return wereInForce && size <= this.#replica.coveredSize && size > (this.#unsigned?.size ?? 0);
  }

  /** What another tracker signed and this one has not, if this one has the same; null otherwise. */
  #cosignable(): Checkpoint | null {
    if (this.#unsigned === null || this.#monotonicNow() < this.#notBeforeMs) return null;
    const { size, root, digest } = this.#unsigned;
    const last = size - 1;
    const isSame = this.#replica.rootAt(last) === root && this.#replica.digestAt(last) === digest;
    if (!isSame || size <= this.#ownSize) this.#unsigned = null;
    return this.#unsigned;
  }

  #begin(checkpoint: Checkpoint | null): void {
    if (checkpoint === null || !this.#mayWrite()) return;
    this.#writing = this.#write(checkpoint).finally(() => {
      this.#writing = null;
    });
  }

  async #write(checkpoint: Checkpoint): Promise<void> {
    const note = signedCheckpointNote(this.#author.identity, checkpoint, this.#replica.snapshots[0]);
    const sealedCommand = { command: { name: 'checkpoint', data: { note } }, sealed: null } as const;
    try {
      const done = await submitAsTracker(this.#replica, this.#author, sealedCommand);
      if (done?.outcome.status === 'accepted') {
        this.#signedSize = checkpoint.size;
        return;
      }
    } catch (error) {
      if (!(error instanceof LogFailure)) throw error;
    }
    this.#notBeforeMs = this.#monotonicNow() + RETRY_MS;
  }
}
