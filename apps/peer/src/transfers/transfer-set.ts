// Owns which transfers this peer has, and what they are to each other: copies of one share, writers of one place, begun one
// after the other.
import type { DownloadTransfer } from './download-transfer.ts';
import { isOver, isReplacedBy, isResting, type TransferRecord } from './transfer-record.ts';
import type { UploadTransfer } from './upload-transfer.ts';

export type Transfer = UploadTransfer | DownloadTransfer;

export class TransferSet {
  readonly #byId = new Map<string, Transfer>();

  add(transfer: Transfer): void {
    this.#byId.set(transfer.record.transferId, transfer);
  }

  delete(transferId: string): void {
    this.#byId.delete(transferId);
  }

  get(transferId: string): Transfer | undefined {
    return this.#byId.get(transferId);
  }

  has({ record }: Transfer): boolean {
    return this.#byId.has(record.transferId);
  }

  /** In the order in which they came. */
  all(): Transfer[] {
    return [...this.#byId.values()];
  }

  records(): TransferRecord[] {
    return this.all().map(({ record }) => record);
  }

  begunBy(commandId: string): Transfer | undefined {
    return this.all().find(({ record }) => record.commandId === commandId);
  }

  /** The other transfers of the same share. */
  twinsOf({ record }: Transfer): Transfer[] {
    return this.all().filter(
      (other) =>
        other.record !== record && record.share !== null && other.record.share?.shareId === record.share.shareId,
    );
  }

  /** Those of them to which the log sends others. */
  offeredTwinsOf(transfer: Transfer): Transfer[] {
    return this.twinsOf(transfer).filter(({ isOffered }) => isOffered);
  }

  /** Those of them that can serve what they have of it: whole copies, and parts that nothing is fetched for any more. */
  restingTwinsOf(transfer: Transfer): Transfer[] {
    return this.twinsOf(transfer).filter(({ isOffered, record }) => isOffered || isResting(record));
  }

  /** The download that is not over and writes to a place. */
  writerOf(isPlace: (path: string) => boolean): TransferRecord | undefined {
    return this.records().find((record) => record.direction === 'download' && !isOver(record) && isPlace(record.path));
  }

  /** Whether what is at its place is another download's. */
  isReplaced({ record }: Transfer): boolean {
    return this.records().some((other) => isReplacedBy(record, other));
  }

  /**
   * Other versions of a file, of the same user, in whose place a transfer that is whole there now has put its own. One that is
   * still to come to that place is none of them: after a restart the one that it will replace is served first.
   */
  replacedBy({ record, isInPlace }: Transfer): Transfer[] {
    if (!isInPlace) return [];
    const { group, file, path, user, share } = record;
    return this.all().filter(({ record: other }) => {
      const isVersion = other.share !== null && other.share.shareId !== share?.shareId;
      if (!isVersion || !wasThereBefore(other, record)) return false;
      return other.group === group && other.file === file && other.path === path && other.user === user;
    });
  }

  isNeeded(contentId: string): boolean {
    return this.all().some((transfer) => transfer.contentId === contentId);
  }

  /** When the next one begins: no two begin at the same moment, because the queue goes by it. */
  nextStartMs(nowMs: number): number {
    return this.records().reduce((last, { startedAtMs }) => Math.max(last, startedAtMs + 1), nowMs);
  }
}

/** Whether a transfer had its content in place before another had. */
function wasThereBefore(record: TransferRecord, other: TransferRecord): boolean {
  // A part that goes on has been in place before, and will be again.
  if (record.completedAtMs === null || (record.direction === 'download' && !isOver(record))) return false;
  return record.completedAtMs < (other.completedAtMs ?? 0);
}
