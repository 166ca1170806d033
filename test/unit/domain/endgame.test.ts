import { describe, expect, it } from 'vitest';
import { chooseEndgame, type EndgameConnection } from '#domain/endgame';
import type { PieceIndex } from '#domain/piece-geometry';

const connection = (id: number, pieces: number[], options: Partial<EndgameConnection> = {}): EndgameConnection => ({
  id,
  peer: id,
  has: () => true,
  pieces: pieces as PieceIndex[],
  inFlightCount: 2,
  bytesPerSecond: 100,
  isSilent: false,
  ...options,
});
const choose = (connections: EndgameConnection[], hedgesMax = 1) => chooseEndgame({ connections, hedgesMax });

describe('a reserve', () => {
  it('is taken back by half for an idle connection, from its end, from who has the longest', () => {
    const moves = choose([connection(1, []), connection(2, [10, 11, 12, 13, 14, 15])]);
    expect(moves).toEqual({ recalls: [{ connection: 2, pieces: [14, 15] }], hedges: [] });
  });

  it('is taken back from the connection that needs longest', () => {
    const moves = choose([
      connection(1, []),
      connection(2, [10, 11, 12]),
      connection(3, [20, 21, 22], { bytesPerSecond: 10 }),
    ]);
    expect(moves.recalls).toEqual([{ connection: 3, pieces: [22] }]);
  });

  it('is taken back once, and while it is nothing is asked of two', () => {
    const moves = choose([connection(1, []), connection(3, []), connection(2, [10, 11, 12, 13, 14, 15])]);
    expect(moves).toEqual({ recalls: [{ connection: 2, pieces: [14, 15] }], hedges: [] });
  });

  it('stays where the idle connection lacks it', () => {
    const moves = choose([connection(1, [], { has: () => false }), connection(2, [10, 11, 12, 13])]);
    expect(moves).toEqual({ recalls: [], hedges: [] });
  });
});

describe('a silent connection', () => {
  it('loses its whole reserve, of what the idle one has', () => {
    const silent = connection(2, [10, 11, 12, 13, 14], { isSilent: true });
    const moves = choose([connection(1, [], { has: (piece) => piece !== 13 }), silent, connection(3, [20, 21])]);
    expect(moves).toEqual({ recalls: [{ connection: 2, pieces: [12, 14] }], hedges: [] });
  });

  it('is the first of whom something on the wire is asked of another one as well', () => {
    const moves = choose([connection(1, []), connection(2, [10], { isSilent: true }), connection(3, [20, 21])]);
    expect(moves).toEqual({ recalls: [], hedges: [{ connection: 1, pieces: [10] }] });
  });

  it('is asked for nothing more', () => {
    const moves = choose([connection(1, [], { isSilent: true }), connection(2, [10, 11, 12, 13])]);
    expect(moves).toEqual({ recalls: [], hedges: [] });
  });
});

describe('a hedge', () => {
  it('asks for what is on the wire when no reserve is left, from the end', () => {
    expect(choose([connection(1, []), connection(2, [10, 11])]).hedges).toEqual([{ connection: 1, pieces: [11] }]);
  });

  it('asks for as many as one more connection brings sooner', () => {
    const all = { inFlightCount: 4 };
    expect(choose([connection(1, []), connection(2, [10, 11], all)], 4).hedges).toEqual([
      { connection: 1, pieces: [11] },
    ]);
    expect(choose([connection(1, []), connection(2, [10, 11, 12, 13], all)], 4).hedges).toEqual([
      { connection: 1, pieces: [13, 12] },
    ]);
    const silent = connection(2, [10, 11, 12], { ...all, isSilent: true });
    expect(choose([connection(1, []), silent], 4).hedges).toEqual([{ connection: 1, pieces: [12, 11, 10] }]);
  });

  it('asks for each piece once, the fastest idle connection first', () => {
    const moves = choose([connection(1, []), connection(2, [10, 11]), connection(3, [], { bytesPerSecond: 200 })]);
    expect(moves.hedges).toEqual([
      { connection: 3, pieces: [11] },
      { connection: 1, pieces: [10] },
    ]);
  });

  it('asks no third connection, unless that is much faster than both', () => {
    const both = [connection(2, [10], { bytesPerSecond: 10 }), connection(3, [10], { bytesPerSecond: 20 })];
    expect(choose([connection(1, [], { bytesPerSecond: 80 }), ...both]).hedges).toEqual([]);
    expect(choose([connection(1, [], { bytesPerSecond: 81 }), ...both]).hedges).toEqual([
      { connection: 1, pieces: [10] },
    ]);
  });

  it('asks more than two when all who were asked are silent, up to four', () => {
    const silent = (id: number): EndgameConnection => connection(id, [10], { isSilent: true });
    expect(choose([connection(1, []), silent(2), connection(3, [10])]).hedges).toEqual([]);
    for (const bytesPerSecond of [100, 0]) {
      const { hedges } = choose([connection(1, [], { bytesPerSecond }), silent(2), silent(3), silent(4)]);
      expect(hedges).toEqual([{ connection: 1, pieces: [10] }]);
    }
    expect(choose([connection(1, []), silent(2), silent(3), silent(4), silent(5)]).hedges).toEqual([]);
  });

  it('is not asked of who would need far longer', () => {
    expect(choose([connection(1, [], { bytesPerSecond: 12 }), connection(2, [10])]).hedges).toEqual([]);
    for (const bytesPerSecond of [12.5, 13, 0]) {
      const { hedges } = choose([connection(1, [], { bytesPerSecond }), connection(2, [10])]);
      expect(hedges).toEqual([{ connection: 1, pieces: [10] }]);
    }
  });

  it('is not asked of a peer that was asked already, however fast its other connection is', () => {
    const both = [connection(2, [10], { bytesPerSecond: 10 }), connection(3, [10], { bytesPerSecond: 10 })];
    expect(choose([connection(1, [], { bytesPerSecond: 1000 }), ...both]).hedges).toHaveLength(1);
    expect(choose([connection(1, [], { bytesPerSecond: 1000, peer: 3 }), ...both]).hedges).toEqual([]);
  });

  it('is not asked of the same peer, nor at all where pieces are too long to keep in memory', () => {
    expect(choose([connection(1, [], { peer: 5 }), connection(2, [10], { peer: 5 })]).hedges).toEqual([]);
    expect(choose([connection(1, []), connection(2, [10])], 0).hedges).toEqual([]);
  });
});
