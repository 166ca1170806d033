import { expect, it } from 'vitest';
import type { PieceIndex } from '#domain/piece-geometry';
import { chooseUrgent, type UrgentConnection } from '#domain/urgent-choice';

const PIECE_BYTES = 100;

function connection(id: number, about: Partial<UrgentConnection> = {}): UrgentConnection {
  const idle = { bytesPerSecond: 1000, isSilent: false, aheadBytes: 0, hedgeCount: 0 };
  return { id, peer: id, has: () => true, ...idle, ...about };
}

/** Pieces that nobody fetches, or, given as [piece, holder...], that somebody does. */
function choose(pieces: readonly (number | [number, ...number[]])[], connections: readonly UrgentConnection[]) {
  const open = pieces.map((each) => {
    const [piece, ...holders] = typeof each === 'number' ? [each] : each;
    return { piece: piece as PieceIndex, holders };
  });
  const moves = chooseUrgent({ pieces: open, connections, pieceBytes: PIECE_BYTES, hedgesMax: 2 });
  const plain = (list: typeof moves.hedges) => list.map(({ candidate, piece }) => [piece, candidate]);
  return { assigned: plain(moves.assignments), hedged: plain(moves.hedges) };
}

it('pieces go in their order to whoever has them soonest', () => {
  const [fast, slow] = [connection(1, { bytesPerSecond: 1000 }), connection(2, { bytesPerSecond: 400 })];
  expect(choose([7, 5, 9, 3], [slow, fast]).assigned).toEqual([
    [7, 1],
    [5, 1],
    [9, 2],
    [3, 1],
  ]);
});

it('what comes before counts', () => {
  const [busy, idle] = [
    connection(1, { bytesPerSecond: 1000, aheadBytes: 900 }),
    connection(2, { bytesPerSecond: 200 }),
  ];
  expect(choose([1], [busy, idle]).assigned).toEqual([[1, 2]]);
});

it('a connection whose rate is not known is taken for as fast as the others are', () => {
  const known = connection(1, { bytesPerSecond: 10 });
  expect(choose([1, 2], [known, connection(2, { bytesPerSecond: 0 })]).assigned).toEqual([
    [1, 1],
    [2, 2],
  ]);
  const unknown = [connection(1, { bytesPerSecond: 0 }), connection(2, { bytesPerSecond: 0 })];
  expect(choose([1, 2], unknown).assigned).toEqual([
    [1, 1],
    [2, 2],
  ]);
});

it('only who has a piece is asked, and nobody silent while others speak', () => {
  const [lacks, silent] = [connection(1, { has: () => false }), connection(2, { isSilent: true })];
  expect(choose([1], [lacks, silent])).toEqual({ assigned: [], hedged: [] });
  expect(choose([1], [silent]).assigned).toEqual([[1, 2]]);
  expect(choose([1], [lacks, silent, connection(3, { bytesPerSecond: 1 })]).assigned).toEqual([[1, 3]]);
});

it('what somebody fetches is asked of another one when that is four times as fast, or the holders are silent', () => {
  const [slow, silent] = [connection(1, { bytesPerSecond: 100 }), connection(2, { isSilent: true })];
  const fast = (rate: number) => connection(3, { bytesPerSecond: rate });
  expect(choose([[1, 1]], [slow, fast(400)])).toEqual({ assigned: [], hedged: [] });
  expect(choose([[1, 1]], [slow, fast(401)]).hedged).toEqual([[1, 3]]);
  expect(choose([[1, 2]], [silent, fast(1)]).hedged).toEqual([[1, 3]]);
  expect(choose([[1, 1, 2]], [slow, silent, fast(400)]).hedged).toEqual([]);
  expect(choose([[1, 2, 1]], [slow, silent, fast(401)]).hedged).toEqual([[1, 3]]);
});

it('no piece is asked of four, nor twice of a peer that answers, nor kept in memory beyond the bound', () => {
  const silent = [1, 2, 4].map((id) => connection(id, { isSilent: true }));
  const fast = connection(3, { bytesPerSecond: 1e6 });
  expect(choose([[1, 1, 2, 4]], [...silent, fast]).hedged).toEqual([]);
  const sameSlow = connection(1, { bytesPerSecond: 1, peer: 3 });
  expect(choose([[1, 1]], [sameSlow, fast]).hedged).toEqual([]);
  expect(
    choose(
      [
        [1, 1],
        [2, 2],
        [3, 1],
      ],
      [...silent, fast],
    ).hedged,
  ).toEqual([
    [1, 3],
    [2, 3],
  ]);
  expect(choose([[1, 1]], [...silent, { ...fast, hedgeCount: 2 }]).hedged).toEqual([]);
});
