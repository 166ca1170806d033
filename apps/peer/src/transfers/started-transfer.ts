// Owns the answer to the command that began a transfer.
import type { Transfer } from './transfer-set.ts';
import type { StartedTransfer } from './transfers.ts';

/** It is under way. */
export function startedTransfer({ record }: Transfer): StartedTransfer {
  const { transferId, offset, share } = record;
  return { status: 'started', transferId, offset, result: share === null ? {} : { share } };
}
