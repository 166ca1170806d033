// Owns what other peers brought to a download, over all runs of this peer.
import type { TransferPeerView } from '#wire/control-api';
import type { DownloadView } from '../swarm/download-view.ts';

/** What peers delivered in earlier runs and in this one. */
export function sumOfPeers(earlier: readonly TransferPeerView[], live: DownloadView): TransferPeerView[] {
  const before = new Map(earlier.map((peer) => [peer.peerId, peer]));
  const now = live.peers.map((peer) => {
    const known = before.get(peer.peerId);
    before.delete(peer.peerId);
    return {
      ...peer,
      deliveredBytes: peer.deliveredBytes + (known?.deliveredBytes ?? 0),
      corruptPieces: peer.corruptPieces + (known?.corruptPieces ?? 0),
    };
  });
  return [...before.values(), ...now];
}
