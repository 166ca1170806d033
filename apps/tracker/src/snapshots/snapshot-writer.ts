// Owns when a snapshot is taken: of every offset that is a multiple of 100,000, or of the latest of them when there were several
// meanwhile. Since taking one costs a core, it rests nine times as long as the last one took; an older snapshot only means
// that more of the log is read at the next start.
import type { Replica } from '../replica/replica.ts';
import type { SnapshotStore } from './snapshot-store.ts';
import type { TakeSnapshot } from './snapshot-taking.ts';

/** Snapshots are of multiples of this offset, so that trackers have the same ones to compare. */
export const SNAPSHOT_INTERVAL_RECORDS = 100_000;
/** How long it rests, in parts of what the last one took. */
const REST_PARTS = 9;
/** Wait after one that could not be taken. */
const RETRY_MS = 60_000;

/** What a writer works with. */
export interface SnapshotWriterParts {
  readonly replica: Replica;
  readonly store: SnapshotStore;
  readonly take: TakeSnapshot;
  readonly monotonicNow: () => number;
  readonly warn: (message: string) => void;
  /** For tests that have not as many records. */
  readonly intervalRecords?: number;
}

/** Takes snapshots when they are due. Whoever made it calls `look` now and then. */
export class SnapshotWriter {
  readonly #parts: SnapshotWriterParts;
  readonly #intervalRecords: number;
  readonly #stopping = new AbortController();
  #notBeforeMs = -Infinity;
  #taking: Promise<void> | null = null;

  constructor(parts: SnapshotWriterParts) {
    this.#parts = parts;
    this.#intervalRecords = parts.intervalRecords ?? SNAPSHOT_INTERVAL_RECORDS;
  }

  /** Takes a snapshot when one is due; resolves when nothing is being taken. */
  look(): Promise<void> {
    const offset = this.#dueOffset();
    if (this.#taking === null && offset !== null) {
      this.#taking = this.#take(offset).finally(() => {
        this.#taking = null;
      });
    }
    return this.#taking ?? Promise.resolve();
  }

  /** Calls off what is being taken; resolves when that has ended. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#taking;
  }

  #dueOffset(): number | null {
    const { replica, store, monotonicNow } = this.#parts;
    if (store.isDiscarding) return null;
    if (!replica.readiness.ready || this.#stopping.signal.aborted || monotonicNow() < this.#notBeforeMs) return null;
    const offset = Math.floor(replica.appliedOffset / this.#intervalRecords) * this.#intervalRecords;
    return offset > (store.kept[0]?.offset ?? 0) ? offset : null;
  }

  async #take(offset: number): Promise<void> {
    const { replica, store, take, monotonicNow, warn } = this.#parts;
    const [root, digest] = [replica.rootAt(offset), replica.digestAt(offset)];
    if (root === null || digest === null) return;
    const startedAtMs = monotonicNow();
    const { discardCount } = store;
    try {
      const taken = await take({ offset, root, digest }, this.#stopping.signal);
      if (taken === null) return;
      this.#notBeforeMs = monotonicNow() + REST_PARTS * (monotonicNow() - startedAtMs);
      if ('differs' in taken) {
        warn(`${taken.differs}; everything is computed anew from offset 0`);
        replica.computeAnew(taken.differs);
      } else if (store.discardCount === discardCount) store.note(taken.kept);
      else await store.discard('it began at one that was put out of use meanwhile');
    } catch (error) {
      this.#notBeforeMs = monotonicNow() + RETRY_MS;
      warn(`no snapshot of offset ${offset} could be taken: ${(error as Error).message}; trying again later`);
    }
  }
}
