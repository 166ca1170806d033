// Owns the table of what each peer delivered to a download: as a number, as its part of the whole, and whether anything of it was wrong.
import type { TransferPeerView } from '#wire/control-api';
import { bytesText, countText, percentText, shortId } from '../lists/amounts.ts';
import { Badge } from '../parts/notice.tsx';

/** Who delivered what, the most first. */
export function PeersTable({ peers }: { readonly peers: readonly TransferPeerView[] }) {
  const deliveredBytes = peers.reduce((sum, peer) => sum + peer.deliveredBytes, 0);
  const sorted = peers.toSorted((left, right) => right.deliveredBytes - left.deliveredBytes);
  if (peers.length === 0) return <p class="soft">No other peer has delivered anything to it yet.</p>;
  return (
    <div class="table-frame">
      <table class="table peers-table">
        <thead>
          <tr>
            <th scope="col">Peer</th>
            <th scope="col" class="number">
              Delivered
            </th>
            <th scope="col">Part</th>
          </tr>
        </thead>
        <tbody>
          {sorted.map((peer) => (
            <PeerRow key={peer.peerId} peer={peer} deliveredBytes={deliveredBytes} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function PeerRow({ peer, deliveredBytes }: { readonly peer: TransferPeerView; readonly deliveredBytes: number }) {
  const share = deliveredBytes === 0 ? 0 : peer.deliveredBytes / deliveredBytes;
  return (
    <tr>
      <td>
        <div class="cut">
          {peer.user}
          {peer.corruptPieces > 0 && (
            <>
              {' '}
              <Badge tone="bad">{countText(peer.corruptPieces, 'corrupt piece')}</Badge>
            </>
          )}
        </div>
        <div class="cut small" title={`${peer.address}, ${peer.peerId}`}>
          {peer.state}, {peer.address === '' ? shortId(peer.peerId) : peer.address}
        </div>
      </td>
      <td class="number">{bytesText(peer.deliveredBytes)}</td>
      <td class="share">
        <span class="share-track" aria-hidden="true">
          <span class="share-fill" style={{ width: `${share * 100}%` }} />
        </span>
        <span class="share-text">
          {deliveredBytes === 0 ? '0 %' : percentText(peer.deliveredBytes, deliveredBytes)}
        </span>
      </td>
    </tr>
  );
}
