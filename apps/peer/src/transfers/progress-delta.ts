// Owns what is new in a transfer since it was last told of. Pure.
import type { TransferPeerView, TransferView } from '#wire/control-api';
import type { TransferProgressView } from '#wire/control-live-events';

/** First and last number of a run of pieces. */
type Run = readonly [first: number, last: number];

/** What a listener that knows `before` (null: nothing) has to hear; null when nothing is new. */
export function progressDelta(before: TransferView | null, now: TransferView): TransferProgressView | null {
  const { transferId, state, verifiedBytes, wantedBytes, bytesPerSecond, etaSeconds, completeCopies } = now;
  const told = { transferId, state, verifiedBytes, wantedBytes, bytesPerSecond, etaSeconds, completeCopies };
  const pieces = newPieces(before?.bitfield ?? '', now.bitfield);
  const peers = changedPeers(before?.peers ?? [], now.peers);
  const keys = Object.keys(told) as (keyof typeof told)[];
  const isSame = before !== null && keys.every((key) => before[key] === told[key]);
  return isSame && pieces.length === 0 && peers.length === 0 ? null : { ...told, pieces, peers };
}

/** Runs of pieces that the second bitfield (base64) has and the first has not. */
export function newPieces(before: string, now: string): Run[] {
  if (before === now) return [];
  const [known, has] = [Buffer.from(before, 'base64'), Buffer.from(now, 'base64')];
  const runs: [number, number][] = [];
  for (let index = 0; index < has.length; index++) {
    const fresh = has[index]! & ~(known[index] ?? 0);
    if (fresh === 0) continue;
    for (let bit = 0; bit < 8; bit++) if ((fresh & (0x80 >> bit)) !== 0) addPiece(runs, index * 8 + bit);
  }
  return runs;
}

function addPiece(runs: [number, number][], piece: number): void {
  const run = runs.at(-1);
  if (run !== undefined && run[1] === piece - 1) run[1] = piece;
  else runs.push([piece, piece]);
}

function changedPeers(before: readonly TransferPeerView[], now: readonly TransferPeerView[]): TransferPeerView[] {
  const known = new Map(before.map((peer) => [peer.peerId, peer]));
  return now.filter((peer) => !isSamePeer(known.get(peer.peerId), peer));
}

function isSamePeer(before: TransferPeerView | undefined, now: TransferPeerView): boolean {
  return (
    before !== undefined &&
    before.state === now.state &&
    before.deliveredBytes === now.deliveredBytes &&
    before.corruptPieces === now.corruptPieces &&
    before.address === now.address &&
    before.user === now.user
  );
}
