import { describe, expect, it } from 'vitest';
import { hasBit } from '#domain/bitfield';
import type { TransferProgressView } from '#wire/control-live-events';
import { changedTo, known, progressed } from '../../../apps/peer/web/src/transfers/transfer-deltas.ts';
import { peerOf, transferOf } from './sample-transfers.ts';

const PROGRESS: TransferProgressView = {
  ...{ transferId: 'a', state: 'downloading', verifiedBytes: 300, wantedBytes: 1_000, bytesPerSecond: 7 },
  ...{ etaSeconds: 100, pieces: [[2, 3]], peers: [], completeCopies: 4 },
};

describe('a transfer that moves', () => {
  it('has the figures that it was told last, and the new pieces beside those that it had', () => {
    const before = known(transferOf({ bitfield: 'gA==', verifiedBytes: 100, path: '/there' }));
    const after = progressed(before, { ...PROGRESS, pieces: [[2, 3]], peers: [] })!;
    expect(after.view).toMatchObject({ verifiedBytes: 300, etaSeconds: 100, completeCopies: 4, path: '/there' });
    expect([0, 1, 2, 3, 4].filter((piece) => hasBit(after.pieces, piece))).toEqual([0, 2, 3]);
    expect(before.view.verifiedBytes).toBe(100);
  });

  it('has the peers that it had, as they are now, and new ones', () => {
    const before = known(transferOf({ peers: [peerOf('p1', 5), peerOf('p2', 6)], verifiedBytes: 0 }));
    const after = progressed(before, { ...PROGRESS, pieces: [], peers: [peerOf('p2', 9), peerOf('p3', 1)] })!;
    expect(after.view.peers.map(({ peerId, deliveredBytes }) => [peerId, deliveredBytes])).toEqual([
      ['p1', 5],
      ['p2', 9],
      ['p3', 1],
    ]);
    expect(after.pieces).toBe(before.pieces);
  });

  it('is to be read anew when it has fallen back: pieces that are gone are told of nowhere', () => {
    const before = known(transferOf({ verifiedBytes: 400 }));
    expect(progressed(before, { ...PROGRESS, pieces: [], peers: [] })).toBeNull();
    const { bitfield: _bitfield, peers: _peers, ...change } = transferOf({ verifiedBytes: 399, state: 'failed' });
    expect(changedTo(before, change)).toBeNull();
  });

  it('is to be read anew when it has pieces, and was read before anybody knew how many there are', () => {
    const before = known(transferOf({ bitfield: '', verifiedBytes: 0 }));
    expect(progressed(before, PROGRESS)).toBeNull();
    const { bitfield: _bitfield, peers: _peers, ...change } = transferOf({ verifiedBytes: 300, state: 'complete' });
    expect(changedTo(before, change)).toBeNull();
    expect(changedTo(before, { ...change, state: 'downloading', verifiedBytes: 0 })).not.toBeNull();
    expect(changedTo(before, { ...change, state: 'hashing' })).not.toBeNull();
  });

  it('keeps its pieces and peers over a change of its state', () => {
    const before = known(transferOf({ bitfield: 'gA==', peers: [peerOf('p1', 5)] }));
    const { bitfield: _bitfield, peers: _peers, ...change } = transferOf({ state: 'paused' });
    const after = changedTo(before, change)!;
    expect(after.view.state).toBe('paused');
    expect([after.pieces, after.view.peers]).toEqual([before.pieces, before.view.peers]);
  });
});
