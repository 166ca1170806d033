// Owns how far a download is, as it is shown and read: what the engine says of one that runs, what was kept of one that does not.
import type { DownloadView } from '../swarm/download-view.ts';
import type { Download, ReadableCopy } from '../swarm/transfer-engine.ts';
import { sumOfPeers } from './peers-of-download.ts';
import { type DownloadRecord, goesOnNow, isResting, type TransferProgress, wholeBitfield } from './transfer-record.ts';

/** `live` is null while the engine has no download of it; `isActive`: bytes may move. */
export function downloadProgress(
  record: DownloadRecord,
  live: DownloadView | null,
  isActive: boolean,
): TransferProgress {
  const { totalBytes, pieceCount } = record.share!;
  const about = {
    totalBytes,
    reusedBytes: (record.reusedBytes ?? 0) + (live?.reusedBytes ?? 0),
    bytesPerSecond: isActive ? Math.round(live?.bytesPerSecond ?? 0) : 0,
    etaSeconds: isActive ? (live?.etaSeconds ?? null) : null,
    peers: live === null ? [...record.peers] : sumOfPeers(record.peers, live),
  };
  if (record.state === 'complete' && record.isPartial !== true) {
    return { ...about, wantedBytes: totalBytes, verifiedBytes: totalBytes, bitfield: wholeBitfield(pieceCount) };
  }
  const { wantedBytes = totalBytes, verifiedBytes, bitfield } = record;
  // What was kept counts until the engine knows better.
  const isLive = live !== null && (live.isOpen || bitfield === '');
  return { ...about, ...(isLive ? piecesOf(live) : { wantedBytes, verifiedBytes, bitfield }) };
}

/** Keeps what there is by now, for who starts without the engine's download, or before that knows. */
export function notePieces(record: DownloadRecord, live: DownloadView): void {
  if (live.isOpen) Object.assign(record, piecesOf(live));
}

/** Keeps what an engine's download has come to, which is let go of. */
export function keepProgress(record: DownloadRecord, live: DownloadView): void {
  notePieces(record, live);
  if (live.reusedBytes > 0) record.reusedBytes = (record.reusedBytes ?? 0) + live.reusedBytes;
  record.peers = sumOfPeers(record.peers, live);
  keepPrivacy(record, live);
}

function piecesOf({ wantedBytes, verifiedBytes, bitfield }: DownloadView) {
  return { wantedBytes, verifiedBytes, bitfield: Buffer.from(bitfield).toString('base64') };
}

/** Takes over whether others get anything of it. True when that has changed. */
export function keepPrivacy(record: DownloadRecord, { isPrivate }: DownloadView): boolean {
  if ((record.isPrivate === true) === isPrivate) return false;
  if (isPrivate) record.isPrivate = true;
  else delete record.isPrivate;
  return true;
}

/** Where the content can be read as far as it is there; `soon` while that is not known yet, null when it never will be. */
export function readingOf(
  record: DownloadRecord,
  { download, resting }: { readonly download: Download | null; readonly resting: ReadableCopy | null },
): ReadableCopy | 'soon' | null {
  const { state, reason, path } = record;
  if (state === 'complete' && reason !== null) return null;
  if (isResting(record)) return resting;
  if (state === 'complete') return { roots: [path], identity: null, verified: null };
  const goesOn = goesOnNow(record) || (state === 'paused' && reason === null);
  return goesOn ? (download?.readable() ?? 'soon') : null;
}
