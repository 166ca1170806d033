// Owns transfers and peers as the control endpoint shows them, for tests of what the page makes of them.
import type { TransferPeerView, TransferView } from '#wire/control-api';

/** A download of 1,000 bytes that has begun, with what a test says of it. */
export function transferOf(about: Partial<TransferView> = {}): TransferView {
  return {
    ...{ transferId: 'a', direction: 'download', group: 'friends', file: 'film.mkv', contentId: 'c', version: 1 },
    ...{ sha1: null, sha1Matches: null, state: 'downloading', reason: null, totalBytes: 1_000, wantedBytes: 1_000 },
    ...{ verifiedBytes: 100, reusedBytes: 0, bytesPerSecond: 0, etaSeconds: null, bitfield: '', path: '/d/film.mkv' },
    ...{
      served: true,
      temporary: false,
      only: null,
      priorities: [],
      startedAt: '2026-11-28T08:00:00.000Z',
      completedAt: null,
    },
    ...{ peers: [], completeCopies: null, recheck: null },
    ...about,
  } as TransferView;
}

/** A peer that delivered so much. */
export function peerOf(peerId: string, deliveredBytes: number): TransferPeerView {
  return { peerId, user: 'alice', address: '10.0.0.1:9101', state: 'connected', deliveredBytes, corruptPieces: 0 };
}
