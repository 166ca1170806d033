// Owns telling how transfers move, while somebody listens: twice a second it looks at those that move, and at those of which
// something changed, and tells what is new. Nobody listens: nothing is looked at, and nothing is kept.
import type { TransferView } from '#wire/control-api';
import type { TransferProgressView } from '#wire/control-live-events';
import type { CopyCounts } from './copy-counts.ts';
import { progressDelta } from './progress-delta.ts';
import type { Transfer, TransferSet } from './transfer-set.ts';

/** How long progress is gathered. */
const ROUND_MS = 500;

/** Is told what is new of a transfer. */
export type ProgressListener = (progress: TransferProgressView) => void;

interface FeedParts {
  readonly transfers: TransferSet;
  readonly counts: CopyCounts;
}

export class ProgressFeed {
  readonly #parts: FeedParts;
  readonly #listeners = new Set<ProgressListener>();
  /** What was told last of each transfer that moves. */
  readonly #told = new Map<string, TransferView>();
  /** Transfers of which something changed since the last round. */
  readonly #touched = new Set<string>();
  #timer: NodeJS.Timeout | null = null;

  constructor(parts: FeedParts) {
    this.#parts = parts;
  }

  /** Listens from now on: what is known now is read from the views. Returns the way to stop. */
  onProgress(listener: ProgressListener): () => void {
    this.#listeners.add(listener);
    if (this.#timer === null) this.#begin();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#end();
    };
  }

  /** State, reason or anything else of a transfer is another one now. */
  touch(transferId: string): void {
    if (this.#timer !== null) this.#touched.add(transferId);
  }

  #begin(): void {
    this.#parts.counts.follow();
    for (const transfer of this.#parts.transfers.all()) {
      if (isMoving(transfer)) this.#told.set(transfer.record.transferId, transfer.view());
    }
    this.#timer = setInterval(() => this.#round(), ROUND_MS).unref();
  }

  #end(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#told.clear();
    this.#touched.clear();
    this.#parts.counts.unfollow();
  }

  #round(): void {
    const recounted = this.#parts.counts.takeChanged();
    for (const transfer of this.#parts.transfers.all()) {
      const { transferId, share } = transfer.record;
      const isRecounted = share !== null && recounted.has(share.shareId);
      const isNews = this.#told.has(transferId) || this.#touched.has(transferId) || isRecounted;
      if (isNews || isMoving(transfer)) this.#tell(transfer);
    }
    this.#touched.clear();
    for (const transferId of this.#told.keys()) {
      if (this.#parts.transfers.get(transferId) === undefined) this.#told.delete(transferId);
    }
  }

  #tell(transfer: Transfer): void {
    const now = transfer.view();
    const progress = progressDelta(this.#told.get(now.transferId) ?? null, now);
    if (isMoving(transfer)) this.#told.set(now.transferId, now);
    else this.#told.delete(now.transferId);
    if (progress !== null) for (const listener of this.#listeners) listener(progress);
  }
}

/** Whether bytes may come, or sources come and go. */
function isMoving({ record: { state }, isRechecking }: Transfer): boolean {
  return state === 'downloading' || state === 'stalled' || state === 'hashing' || isRechecking;
}
