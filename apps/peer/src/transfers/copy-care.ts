// Owns that the copies of this peer stay what was shared: the rechecks that somebody asks for, and the scrubbing and the looks that
// nobody has to ask for. What one copy of a share cannot serve any more another one does.
import type { ScrubView } from '#wire/control-upkeep';
import { type RecheckBody, WAIT_SECONDS_DEFAULT } from '#wire/control-requests';
import type { Refused } from '#wire/tracker-api';
import type { TransferFailure } from '../swarm/transfer-engine.ts';
import { within } from './change-waiters.ts';
import type { RecheckOptions } from './copy-recheck.ts';
import { CopiesInPlace } from './copies-in-place.ts';
import { CopyScrubbing } from './copy-scrubbing.ts';
import type { TransferContext } from './transfer-context.ts';
import { changedReason } from './transfer-reasons.ts';
import { goesOnByItself, shareRef } from './transfer-record.ts';
import type { Transfer, TransferSet } from './transfer-set.ts';
import type { RecheckAnswer, TransferEvent } from './transfers.ts';
import { UnrepairedCopies } from './unrepaired-copies.ts';

interface CareParts {
  readonly context: TransferContext;
  readonly transfers: TransferSet;
  /** Resolves when a transfer is on the disk as it is now. */
  readonly kept: (transfer: Transfer) => Promise<void>;
  readonly emit: (event: TransferEvent) => void;
  /** How soon after another a round of scrubbing begins. */
  readonly scrubRoundMs: number;
  /** How soon after another it is looked whether all copies are in their places. */
  readonly placeLookMs: number;
}

export class CopyCare {
  readonly #parts: CareParts;
  readonly #scrubbing: CopyScrubbing;
  readonly #places: CopiesInPlace;

  constructor(parts: CareParts) {
    this.#parts = parts;
    const { context, transfers, scrubRoundMs: roundMs, placeLookMs: lookMs } = parts;
    const gone = (transfer: Transfer): void =>
      this.takeForChanged(transfer, 'source_missing', `${transfer.record.path} is gone`);
    const back = (transfer: Transfer): void => void transfer.run();
    this.#places = new CopiesInPlace({ context, transfers, lookMs, findings: { gone, back } });
    this.#scrubbing = new CopyScrubbing({
      ...{ context, transfers, roundMs },
      unrepaired: new UnrepairedCopies({ context, transfers, recheck: (...asked) => this.#recheck(...asked) }),
      findings: {
        damaged: (transfer, pieces) => this.#damaged(transfer, pieces),
        changed: (transfer, { code, message }) => this.takeForChanged(transfer, code, message),
      },
    });
  }

  /** Begins to look after copies; to scrub them at this rate, or, with null, not. */
  open(scrubBytesPerSecond: number | null): Promise<void> {
    this.#places.open();
    return this.#scrubbing.open(scrubBytesPerSecond);
  }

  async close(): Promise<void> {
    this.#places.close();
    await this.#scrubbing.close();
  }

  scrub(): ScrubView {
    return this.#scrubbing.view();
  }

  /** Something became of a transfer. */
  transferChanged(): void {
    this.#scrubbing.changed();
  }

  /** Resolves when nothing is read of a copy by itself. */
  letGo(transfer: Transfer): Promise<void> {
    return this.#scrubbing.letGo(transfer);
  }

  /** See Transfers.recheck. */
  async recheck(transferId: string, body: RecheckBody): Promise<RecheckAnswer | Refused> {
    const { context, transfers, kept } = this.#parts;
    const { repair = true, wait = false, timeoutSeconds = WAIT_SECONDS_DEFAULT } = body;
    const calledOff = transfers.get(transferId)?.recheckCalledOff ?? null;
    if (calledOff !== null) await calledOff;
    const transfer = transfers.get(transferId);
    if (transfer === undefined) return { status: 'failed', code: 'transfer_not_found' };
    if (!transfer.isRecheckable) return { status: 'failed', code: 'transfer_unfinished' };
    if (context.link.user() !== transfer.record.user) return { status: 'failed', code: 'not_logged_in' };
    const over = this.#recheck(transfer, { repair });
    const ended = wait ? await within(over, timeoutSeconds * 1000) : null;
    if (ended === false) return { status: 'failed', code: 'transfer_failed', detail: 'The recheck was called off.' };
    if (ended !== null) await kept(transfer);
    return { status: ended === null ? 'running' : 'over', transfer: transfer.view() };
  }

  /** The engine serves one copy of a share: another one takes the place of one that is gone, or damaged. */
  serveInstead(transfer: Transfer): void {
    const { context, transfers } = this.#parts;
    const user = context.link.user();
    for (const twin of transfers.restingTwinsOf(transfer)) {
      if (twin.record.user === user && goesOnByItself(twin.record)) void twin.run();
    }
  }

  /** Whoever read a copy found that it is not what was shared: it is not served any more, and another one that is goes on. */
  takeForChanged(transfer: Transfer, code: TransferFailure['code'], detail: string): void {
    const { share, path } = transfer.record;
    this.#parts.context.engine.withdraw(shareRef(share!), path);
    transfer.sourceProblem(changedReason(code, detail));
    this.serveInstead(transfer);
  }

  #recheck(transfer: Transfer, options: RecheckOptions): Promise<boolean> {
    return transfer.recheck(options).finally(() => {
      if (transfer.record.damage !== undefined) this.serveInstead(transfer);
    });
  }

  #damaged({ record }: Transfer, pieces: readonly number[]): void {
    const { transferId, group, file, path } = record;
    this.#parts.emit({ type: 'damage_found', transferId, group, file, path, pieces });
  }
}
