// Owns what becomes of a transfer that the page knows when the peer tells that it moved. Pure; who is shown a transfer gets another
// object whenever something of it is another.
import type { TransferProgressView } from '#wire/control-live-events';
import type { TransferPeerView, TransferView } from '#wire/control-api';
import { decodedBitfield, withPieces } from './piece-map.ts';

/** A transfer as the page keeps it: what the peer says of it, and its pieces as bits. */
export interface KnownTransfer {
  readonly view: TransferView;
  readonly pieces: Uint8Array;
}

/** What `transfer_changed` tells: all but the pieces and the peers, of which progress tells what is new. */
export type TransferChange = Omit<TransferView, 'bitfield' | 'peers'>;

/** A transfer as the peer tells it whole. */
export function known(view: TransferView): KnownTransfer {
  return { view, pieces: decodedBitfield(view.bitfield) };
}

/**
 * The transfer, further on; null when progress does not tell enough and it is to be read anew: it has fallen back, or has pieces now
 * that it had none of when it was read, before anybody knew how many there are.
 */
export function progressed({ view, pieces }: KnownTransfer, progress: TransferProgressView): KnownTransfer | null {
  const isFirstPiece = pieces.length === 0 && progress.pieces.length > 0;
  if (isFirstPiece || progress.verifiedBytes < view.verifiedBytes) return null;
  const { transferId: _same, pieces: runs, peers, ...figures } = progress;
  return {
    view: { ...view, ...figures, peers: withPeers(view.peers, peers) },
    pieces: runs.length === 0 ? pieces : withPieces(pieces, runs),
  };
}

/** The transfer as it is after a change; null when that does not tell enough, as of progress. */
export function changedTo({ view, pieces }: KnownTransfer, change: TransferChange): KnownTransfer | null {
  const isWithoutPieces = pieces.length === 0 && change.state !== 'hashing' && change.verifiedBytes > 0;
  if (isWithoutPieces || change.verifiedBytes < view.verifiedBytes) return null;
  return { view: { ...view, ...change }, pieces };
}

function withPeers(before: TransferPeerView[], changed: readonly TransferPeerView[]): TransferPeerView[] {
  if (changed.length === 0) return before;
  const peers = new Map(before.map((peer) => [peer.peerId, peer]));
  for (const peer of changed) peers.set(peer.peerId, peer);
  return [...peers.values()];
}
