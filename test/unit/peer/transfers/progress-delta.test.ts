import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TransferPeerView, TransferView } from '#wire/control-api';
import { newPieces, progressDelta } from '../../../../apps/peer/src/transfers/progress-delta.ts';

function bitfieldOf(pieces: ReadonlySet<number>, count = 64): string {
  const bytes = new Uint8Array(count / 8);
  for (const piece of pieces) bytes[piece >> 3]! |= 0x80 >> (piece & 7);
  return Buffer.from(bytes).toString('base64');
}

const peer = (peerId: string, deliveredBytes: number): TransferPeerView => ({
  ...{ peerId, user: 'alice', address: '192.0.2.1:1', state: 'connected', deliveredBytes, corruptPieces: 0 },
});

function view(given: Partial<TransferView>): TransferView {
  const moving = { state: 'downloading', verifiedBytes: 0, wantedBytes: 9, bytesPerSecond: 1, etaSeconds: 9 } as const;
  return { transferId: 'id', ...moving, completeCopies: 1, bitfield: '', peers: [], ...given } as TransferView;
}

describe('what is new of a transfer', () => {
  it('are runs of pieces that are exactly those that came', () => {
    const pieces = fc.uniqueArray(fc.nat(63)).map((list) => new Set(list));
    fc.assert(
      fc.property(pieces, pieces, (before, more) => {
        const runs = newPieces(bitfieldOf(before), bitfieldOf(new Set([...before, ...more])));
        const told = runs.flatMap(([first, last]) =>
          Array.from({ length: last - first + 1 }, (_, index) => first + index),
        );
        expect(told).toEqual([...more].filter((piece) => !before.has(piece)).sort((left, right) => left - right));
        expect(runs.every(([first], index) => index === 0 || runs[index - 1]![1] < first - 1)).toBe(true);
      }),
    );
  });

  it('are the peers of which anything changed', () => {
    const before = view({ peers: [peer('a', 1), peer('b', 1)] });
    const now = view({ peers: [peer('a', 1), peer('b', 2), peer('c', 0)] });
    expect(progressDelta(before, now)?.peers).toEqual([peer('b', 2), peer('c', 0)]);
  });

  it('is nothing when all is as it was, and everything for who knows nothing', () => {
    const now = view({ bitfield: bitfieldOf(new Set([0, 1, 5])), peers: [peer('a', 1)] });
    expect(progressDelta(now, view({ ...now }))).toBeNull();
    expect(progressDelta(null, now)).toMatchObject({
      pieces: [
        [0, 1],
        [5, 5],
      ],
      peers: [peer('a', 1)],
    });
  });

  it.each<Partial<TransferView>>([
    { state: 'stalled' },
    { verifiedBytes: 1 },
    { wantedBytes: 8 },
    { bytesPerSecond: 2 },
    { etaSeconds: null },
    { completeCopies: null },
  ])('is %j with nothing else', (changed) => {
    expect(progressDelta(view({}), view(changed))).toMatchObject({ ...changed, pieces: [], peers: [] });
  });
});
