// Owns waiting for a transfer of the running peer. The peer does the work whether or not somebody watches: giving up here
// ends nothing there.
import { setTimeout as delay } from 'node:timers/promises';
import type { TransferView } from '#wire/control-api';
import type { ControlClient } from './control-client.ts';
import type { Invocation } from './invocation.ts';
import { ProgressDisplay } from './progress-bar.ts';
import { transferPath } from './transfer-ids.ts';

/** The person stopped watching; the transfer goes on. */
export class StoppedWatching extends Error {
  constructor(transferId: string, invocation: Invocation) {
    super(
      `The transfer goes on in the peer. See it with: ${invocation.typed(`transfers ${transferId}`)}\n` +
        `End it with: ${invocation.typed(`cancel ${transferId}`)}`,
    );
  }
}

/** The transfer ended without the file. */
export class TransferFailed extends Error {
  readonly transfer: TransferView;
  constructor(transfer: TransferView) {
    const { state, reason } = transfer;
    super(state === 'cancelled' ? 'The transfer was cancelled.' : `${reason?.detail} ${reason?.action}`.trim());
    this.transfer = transfer;
  }
}

const LOOK_AGAIN_MS = 200;

/** Shows progress until the transfer has its file. Throws `TransferFailed`, or `StoppedWatching` when aborted. */
export function followTransfer(transferId: string, parts: WatchParts): Promise<TransferView> {
  return watchTransfer(transferId, parts, (transfer) => {
    if (transfer.state === 'failed' || transfer.state === 'cancelled') throw new TransferFailed(transfer);
    return transfer.state === 'complete' || transfer.state === 'seeding' ? transfer : null;
  });
}

export interface WatchParts {
  readonly client: ControlClient;
  readonly invocation: Invocation;
}

/** Shows progress until `outcomeOf` has one. Throws what that throws, or `StoppedWatching` when aborted. */
export async function watchTransfer<Outcome>(
  transferId: string,
  { client, invocation }: WatchParts,
  outcomeOf: (transfer: TransferView) => Outcome | null,
): Promise<Outcome> {
  const { terminal, interrupt } = invocation;
  const display = new ProgressDisplay(terminal);
  try {
    for (;;) {
      const transfer = await client.view<TransferView>(transferPath(transferId));
      const outcome = outcomeOf(transfer);
      if (outcome !== null) return outcome;
      display.show(transfer);
      await delay(LOOK_AGAIN_MS, undefined, { signal: interrupt });
    }
  } catch (error) {
    throw interrupt.aborted ? new StoppedWatching(transferId, invocation) : error;
  } finally {
    display.end();
  }
}
