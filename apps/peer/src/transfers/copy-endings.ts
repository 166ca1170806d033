// Owns what ends when a copy is not there any more as itself: shared once more by another transfer, or replaced on disk by the next
// version. Others must not be sent to it, and another copy of the same share serves in its stead.
import { randomUUID } from 'node:crypto';
import type { TransferReasonView } from '#wire/control-api';
import { within } from './change-waiters.ts';
import type { CopyCare } from './copy-care.ts';
import { namedAsNow } from './share-sources.ts';
import type { TransferContext } from './transfer-context.ts';
import { isOver, type TransferRecord } from './transfer-record.ts';
import type { Transfer, TransferSet } from './transfer-set.ts';
import type { TransferEvent } from './transfers.ts';
import { UploadTransfer } from './upload-transfer.ts';

/** How long the log is waited for when a served copy goes. */
const STOP_SHARE_WAIT_MS = 2_000;

interface EndingParts {
  readonly context: TransferContext;
  readonly transfers: TransferSet;
  readonly care: CopyCare;
  readonly forget: (transfer: Transfer) => Promise<void>;
  readonly emit: (event: TransferEvent) => void;
}

export class CopyEndings {
  readonly #parts: EndingParts;

  constructor(parts: EndingParts) {
    this.#parts = parts;
  }

  /** Others must not be sent to a copy that is served no more. Best effort: a peer that is away is noticed anyway. */
  async stopShareOf({ record, isOffered }: Transfer): Promise<void> {
    const { user } = record;
    const { link } = this.#parts.context;
    if (!isOffered || link.user() !== user) return;
    await within(this.#stopShare(record), STOP_SHARE_WAIT_MS);
  }

  async #stopShare(record: TransferRecord): Promise<void> {
    const { link } = this.#parts.context;
    const named = await namedAsNow(link, record);
    const stamp = { commandId: randomUUID(), user: record.user };
    // Not without its version, if there are any: the next one may be served here, too.
    if (named !== null) await link.command('stop_share', { ...named, everywhere: false }, stamp);
  }

  /** The same copy was shared before: one transfer stands for it. */
  async supersede(transfer: UploadTransfer): Promise<void> {
    const { transfers, forget } = this.#parts;
    for (const other of transfers.twinsOf(transfer)) {
      if (!(other instanceof UploadTransfer) || other.record.path !== transfer.record.path) continue;
      await forget(other);
      this.#removed(other);
    }
  }

  /** The next version has come to the place of one: that one is not there any more, for this peer and for whoever asks it. */
  async endReplaced(transfer: Transfer): Promise<void> {
    const { transfers, care, forget } = this.#parts;
    for (const other of transfers.replacedBy(transfer)) {
      transfers.delete(other.record.transferId);
      await care.letGo(other);
      if (transfers.offeredTwinsOf(other).length === 0) await this.stopShareOf(other);
      await other.dispose({ keepData: true });
      await forget(other);
      care.serveInstead(other);
      this.#removed(other);
    }
  }

  #removed({ record: { transferId } }: Transfer): void {
    this.#parts.emit({ type: 'transfer_removed', transferId });
  }
}

/** The user may not have the share any more: a copy that is whole stays, one that is not is given up. */
export function endAccess(transfer: Transfer, reason: TransferReasonView): void {
  if (transfer instanceof UploadTransfer || transfer.record.state === 'complete') {
    transfer.stopServing(reason.code === 'not_a_member' ? reason : null);
  } else if (!isOver(transfer.record)) {
    transfer.fail(reason);
  }
}
