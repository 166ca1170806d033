// Owns noticing that a copy is not at its path any more, and that it is there again, also where nobody reads it: another copy of its
// share is served, nobody asks for it, or scrubbing is far away. It looks whether there is anything, and at nothing inside.
import { stat } from 'node:fs/promises';
import type { TransferContext } from './transfer-context.ts';
import { isBroken, isSeeded } from './transfer-record.ts';
import type { Transfer, TransferSet } from './transfer-set.ts';

/** How soon after another a look at all copies begins. */
export const PLACE_LOOK_MS = 60_000;

interface PlaceParts {
  readonly context: { readonly link: Pick<TransferContext['link'], 'user'> };
  readonly transfers: Pick<TransferSet, 'all' | 'has' | 'isReplaced'>;
  readonly findings: PlaceFindings;
  readonly lookMs: number;
}

/** Who is told what a look finds. */
export interface PlaceFindings {
  /** There is nothing at the path of a copy that was served, or could be. */
  gone(transfer: Transfer): void;
  /** There is something again at the path of one of which nothing was there. */
  back(transfer: Transfer): void;
}

export class CopiesInPlace {
  readonly #parts: PlaceParts;
  /** At the last look nothing was there of these. */
  #absent: ReadonlySet<Transfer> = new Set();
  /** These were told as back, and count as missing still: nothing at their path has changed since. */
  #told: ReadonlySet<Transfer> = new Set();
  #timer: NodeJS.Timeout | null = null;
  #looking: Promise<void> | null = null;
  #isClosed = false;

  constructor(parts: PlaceParts) {
    this.#parts = parts;
  }

  open(): void {
    this.#timer = setInterval(() => void this.look(), this.#parts.lookMs).unref();
  }

  /** Nothing is found any more; a disk that does not answer is not waited for. */
  close(): void {
    this.#isClosed = true;
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  /** Looks at every copy once; a look that is under way is enough. */
  look(): Promise<void> {
    this.#looking ??= this.#lookAtAll().finally(() => (this.#looking = null));
    return this.#looking;
  }

  async #lookAtAll(): Promise<void> {
    const { transfers, findings } = this.#parts;
    const absent = new Set<Transfer>();
    const told = new Set<Transfer>();
    // One after the other: a disk that does not answer holds up this look and nothing else.
    for (const transfer of transfers.all()) {
      if (!this.#isOfInterest(transfer)) continue;
      const isThere = await isAnythingAt(transfer.record.path);
      if (this.#isClosed) return;
      // Meanwhile it may have been removed, moved on, or found out by others.
      if (!this.#isOfInterest(transfer)) continue;
      if (!isThere) absent.add(transfer);
      const isGone = !isThere && isSeeded(transfer.record);
      const isBack = isThere && this.#isToBeTold(transfer);
      if (isThere && isMissing(transfer) && (isBack || this.#told.has(transfer))) told.add(transfer);
      // Asked last: it goes over all transfers, and of ten thousand copies hardly one is gone or back.
      if ((!isGone && !isBack) || transfers.isReplaced(transfer)) continue;
      if (isGone) findings.gone(transfer);
      else findings.back(transfer);
    }
    this.#absent = absent;
    this.#told = told;
  }

  /**
   * Whether one that counts as missing, and at whose path there is something, is told as back: once for each time that it went, also
   * when no look came while it was away. Of one that lacks some of its files more is known than that, until all of it goes.
   */
  #isToBeTold(transfer: Transfer): boolean {
    if (!isMissing(transfer)) return false;
    return this.#absent.has(transfer) || (transfer.record.damage === undefined && !this.#told.has(transfer));
  }

  #isOfInterest(transfer: Transfer): boolean {
    const { context, transfers } = this.#parts;
    const { record, isOffered, isRechecking } = transfer;
    if (!isOffered || isRechecking || record.user !== context.link.user()) return false;
    return (isSeeded(record) || isMissing(transfer)) && transfers.has(transfer);
  }
}

/** Not one that somebody paused or cancelled. */
function isMissing({ record }: Transfer): boolean {
  return isBroken(record) && record.reason?.code === 'source_missing';
}

/** What cannot be told counts as there: a copy is given up for what is known alone. */
async function isAnythingAt(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    ({ code }: NodeJS.ErrnoException) => code !== 'ENOENT' && code !== 'ENOTDIR',
  );
}
