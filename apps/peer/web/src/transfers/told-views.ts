// Owns what the page takes of transfers beyond what every peer tells: since when a reason holds, how many others have all of it, and how
// it moves. A peer that does not tell them is shown without.
import type { TransferPeerView, TransferReasonView, TransferView as PlainTransferView } from '#wire/control-api';

/** Why a transfer stands still, and since when. */
export type DatedReasonView = TransferReasonView & { readonly since?: string };

/** A transfer. */
export type TransferView = Omit<PlainTransferView, 'reason'> & {
  readonly reason: DatedReasonView | null;
  /** Peers online that have all of it, this one left out; null while that is unknown. */
  readonly completeCopies?: number | null;
};

/** What `transfer_progress` tells: everything that may be another while a transfer moves, and of lists only what is new. */
export interface TransferProgressView {
  readonly transferId: string;
  readonly state: TransferView['state'];
  readonly verifiedBytes: number;
  readonly wantedBytes: number;
  readonly bytesPerSecond: number;
  readonly etaSeconds: number | null;
  readonly pieces: readonly (readonly [first: number, last: number])[];
  readonly peers: readonly TransferPeerView[];
  readonly completeCopies: number | null;
}

/** A version of a file that nobody else online has completely. */
export interface LastCopyItem {
  readonly partialCopies: number;
}
