// Owns waiting for a transfer of the running peer. The peer does the work whether or not somebody watches: giving up here
// ends nothing there.
import { setTimeout as delay } from 'node:timers/promises';
import type { TransferView } from '#wire/control-api';
import type { ControlClient } from './control-client.ts';
import { ProgressDisplay } from './progress-bar.ts';
import type { Terminal } from './terminal.ts';

/** The person stopped watching; the transfer goes on. */
export class StoppedWatching extends Error {
  constructor(transferId: string) {
    super(
      `The transfer goes on in the peer. See it with: cohort transfers ${transferId}\n` +
        `End it with: cohort cancel ${transferId}`,
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
  { client, terminal, interrupt }: { client: ControlClient; terminal: Terminal; interrupt: AbortSignal },
): Promise<TransferView> {
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
    throw interrupt.aborted ? new StoppedWatching(transferId) : error;
  } finally {
    display.end();
  }
}
