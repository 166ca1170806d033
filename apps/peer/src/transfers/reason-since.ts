// Owns since when a transfer has the reason that it has, and that a person reads it in sentences. A wait for others goes on over everything in
// which nothing came: a restart, a dial that failed, a moment in the queue.
import type { DatedReasonView, TransferReasonCode, TransferReasonView } from '#wire/control-api';
import type { TransferRecord } from './transfer-record.ts';

/** When a reason began, and what was verified by then. */
export interface ReasonSince {
  readonly code: TransferReasonCode;
  readonly atMs: number;
  readonly verifiedBytes: number;
}

/** Reasons that pass by themselves. */
const WAITS: ReadonlySet<TransferReasonCode> = new Set(['no_seeder_online', 'pieces_missing', 'trackers_unreachable']);

type Waiting = Pick<TransferRecord, 'state' | 'reason' | 'reasonSince'>;

/** Takes in what state and reason a transfer has now. */
export function noteReason(record: Waiting, verifiedBytes: number, nowMs: number): void {
  const { reason, reasonSince: since } = record;
  if (reason === null) {
    if (since !== undefined && !mayStillWait(record, since)) delete record.reasonSince;
    return;
  }
  // Less than before is what a crash took.
  const isSame = since?.code === reason.code && verifiedBytes <= since.verifiedBytes;
  if (!isSame) record.reasonSince = { code: reason.code, atMs: nowMs, verifiedBytes };
}

function mayStillWait({ state }: Waiting, { code }: ReasonSince): boolean {
  return WAITS.has(code) && (state === 'queued' || state === 'downloading' || state === 'hashing');
}

/** A reason as it is shown, with the moment at which it began. */
export function datedReason(reason: TransferReasonView, sinceMs: number): DatedReasonView {
  const { code, detail, action } = reason;
  return { code, detail: sentence(detail), action: sentence(action), since: new Date(sinceMs).toISOString() };
}

/** With a capital and a full stop: what went wrong far down is told in parts of sentences. */
export function sentence(text: string): string {
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?)]$/.test(begun) ? begun : `${begun}.`;
}
