// Owns waiting for a transfer of the running peer. The peer does the work whether or not somebody watches: giving up here
// ends nothing there.
import { setTimeout as delay } from 'node:timers/promises';
import type { TransferView } from '#wire/control-api';
import type { ControlClient } from './control-client.ts';
import type { Invocation } from './invocation.ts';
import { ProgressDisplay } from './progress-bar.ts';

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
export async function followTransfer(
  transferId: string,
  { client, invocation }: { client: ControlClient; invocation: Invocation },
): Promise<TransferView> {
  const { terminal, interrupt } = invocation;
  const display = new ProgressDisplay(terminal);
  try {
    for (;;) {
      const transfer = await client.view<TransferView>(`/transfers/${encodeURIComponent(transferId)}`);
      if (transfer.state === 'complete' || transfer.state === 'seeding') return transfer;
      if (transfer.state === 'failed' || transfer.state === 'cancelled') throw new TransferFailed(transfer);
      display.show(transfer);
      await delay(LOOK_AGAIN_MS, undefined, { signal: interrupt });
    }
  } catch (error) {
    throw interrupt.aborted ? new StoppedWatching(transferId, invocation) : error;
  } finally {
    display.end();
  }
}
