// Owns how far a download is, as it is shown and read: what the engine says of one that runs, what was kept of one that does not.
import type { Download, DownloadView, ReadableCopy } from '../swarm/transfer-engine.ts';
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
  return {
    ...about,
    wantedBytes: live?.wantedBytes ?? record.wantedBytes ?? totalBytes,
    verifiedBytes: live?.verifiedBytes ?? record.verifiedBytes,
    bitfield: live === null ? record.bitfield : Buffer.from(live.bitfield).toString('base64'),
  };
}

/** Keeps what an engine's download has come to, which is let go of. */
export function keepProgress(record: DownloadRecord, live: DownloadView): void {
  record.verifiedBytes = live.verifiedBytes;
  record.wantedBytes = live.wantedBytes;
  if (live.reusedBytes > 0) record.reusedBytes = (record.reusedBytes ?? 0) + live.reusedBytes;
  record.bitfield = Buffer.from(live.bitfield).toString('base64');
  record.peers = sumOfPeers(record.peers, live);
  keepPrivacy(record, live);
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
