import { describe, expect, it } from 'vitest';
import { geometryOf, type PieceIndex } from '#domain/piece-geometry';
import { PieceLedger } from '#domain/piece-ledger';
import {
  type Candidate,
  chooseAssignments,
  connectionsPerSource,
  type PieceStrategy,
  partBlockBytes,
  requestWindowBytes,
  reserveBytes,
} from '#domain/source-choice';
import { seeded } from '../../seeded-random.ts';

const PIECE_BYTES = 16;

interface SimulatedPeer {
  readonly id: number;
  /** Chance of delivering in one step, against the others'. */
  readonly speed: number;
  readonly has: (piece: number) => boolean;
}

interface Simulated {
  /** Pieces in the order in which they were first asked for. */
  readonly order: number[];
  readonly delivered: Map<number, number>;
}

/** Downloads everything from the peers; which one delivers next is drawn by speed. */
function simulate(
  peers: readonly SimulatedPeer[],
  { pieceCount, strategy, random }: { pieceCount: number; strategy: PieceStrategy; random: () => number },
): Simulated {
  const geometry = geometryOf({ totalBytes: pieceCount * PIECE_BYTES, pieceBytes: PIECE_BYTES });
  const ledger = new PieceLedger(geometry, () => false);
  const order: number[] = [];
  const delivered = new Map(peers.map(({ id }) => [id, 0]));
  const availability = (piece: PieceIndex): number => peers.filter((peer) => peer.has(piece)).length;
  while (!ledger.isComplete) {
    const candidates: Candidate[] = peers.map(({ id, has }) => ({
      id,
      has,
      outstandingBytes: ledger.piecesOf(id).size * PIECE_BYTES,
      targetBytes: 4 * PIECE_BYTES,
    }));
    const missing = [ledger.missingPieces()];
    for (const { candidate, piece } of chooseAssignments({
      strategy,
      geometry,
      missing,
      candidates,
      availability,
      random,
    })) {
      expect(ledger.assign(piece, candidate)).toBe(true);
      order.push(piece);
    }
    const busy = peers.filter(({ id }) => ledger.piecesOf(id).size > 0);
    let ticket = random() * busy.reduce((sum, { speed }) => sum + speed, 0);
    const next = busy.find(({ speed }) => (ticket -= speed) < 0) ?? busy[0];
    const [piece] = ledger.piecesOf(next?.id ?? 0);
    if (piece === undefined || next === undefined) throw new Error('nobody delivers');
    ledger.verify(piece, next.id);
    delivered.set(next.id, (delivered.get(next.id) ?? 0) + 1);
  }
  return { order, delivered };
}

function everything(): boolean {
  return true;
}

/** Spearman's rank correlation of position and piece index; both are permutations of the same numbers. */
function rankCorrelation(order: readonly number[]): number {
  const count = order.length;
  const squares = order.reduce((sum, piece, position) => sum + (piece - position) ** 2, 0);
  return 1 - (6 * squares) / (count * (count * count - 1));
}

describe('random', () => {
  it('first requests are uncorrelated with the piece index over 100 seeded runs', () => {
    const peers = [0, 1, 2].map((id) => ({ id, speed: 1, has: everything }));
    const correlations = [...Array(100).keys()].map((seed) => {
      const { order } = simulate(peers, { pieceCount: 256, strategy: 'random', random: seeded(seed) });
      return Math.abs(rankCorrelation(order));
    });
    expect(correlations.reduce((sum, value) => sum + value, 0) / 100).toBeLessThan(0.1);
  });

  it('equal peers carry equal load', () => {
    const peers = [0, 1, 2, 3].map((id) => ({ id, speed: 1, has: everything }));
    const { delivered } = simulate(peers, { pieceCount: 2000, strategy: 'random', random: seeded(1) });
    expect(Math.max(...delivered.values()) / 500).toBeLessThan(1.15);
  });

  it('a peer at a tenth of the speed is given a tenth of the load', () => {
    const peers = [1, 1, 0.1].map((speed, id) => ({ id, speed, has: everything }));
    const { delivered } = simulate(peers, { pieceCount: 2100, strategy: 'random', random: seeded(2) });
    expect(delivered.get(2)).toBeGreaterThan(50);
    expect(delivered.get(2)).toBeLessThan(200);
  });

  it('asks only peers that have the piece', () => {
    const peers = [0, 1].map((id) => ({ id, speed: 1, has: (piece: number) => piece % 2 === id }));
    const { delivered } = simulate(peers, { pieceCount: 100, strategy: 'random', random: seeded(3) });
    expect([...delivered.values()]).toEqual([50, 50]);
  });
});

describe('rarest-first', () => {
  it('asks for what one peer has before what all have, and draws among equals', () => {
    const peers = [0, 1, 2].map((id) => ({ id, speed: 1, has: (piece: number) => id === 0 || piece >= 20 }));
    const { order } = simulate(peers, { pieceCount: 100, strategy: 'rarest-first', random: seeded(4) });
    const rare = order.filter((piece) => piece < 20);
    const lastRare = order.lastIndexOf(rare.at(-1) ?? 0);
    expect(order.slice(0, 4).every((piece) => piece < 20)).toBe(true);
    expect(rare).not.toEqual(rare.toSorted((left, right) => left - right));
    expect(lastRare).toBeLessThan(99);
  });

  it('leaves out what nobody has', () => {
    const geometry = geometryOf({ totalBytes: 2 * PIECE_BYTES, pieceBytes: PIECE_BYTES });
    const candidates = [{ id: 1, has: (piece: number) => piece === 1, outstandingBytes: 0, targetBytes: 99 }];
    const assignments = chooseAssignments({
      strategy: 'rarest-first',
      geometry,
      missing: [Uint32Array.of(0, 1)],
      candidates,
      availability: (piece) => (piece === 1 ? 1 : 0),
      random: seeded(5),
    });
    expect(assignments).toEqual([{ candidate: 1, piece: 1 }]);
  });
});

describe('a piece', () => {
  /** Who is asked for the missing pieces in order, when every random number is the one given. */
  function asked(candidates: readonly Candidate[], { pieceCount = 1, drawn = 0 } = {}): number[] {
    const geometry = geometryOf({ totalBytes: pieceCount * PIECE_BYTES, pieceBytes: PIECE_BYTES });
    const missing = [Uint32Array.from({ length: pieceCount }, (_, piece) => piece)];
    const about = { strategy: 'sequential', geometry, missing, candidates } as const;
    const assignments = chooseAssignments({ ...about, availability: () => 1, random: () => drawn });
    return assignments.map(({ candidate }) => candidate);
  }
  const candidate = (id: number, outstandingBytes: number, targetBytes = 4 * PIECE_BYTES): Candidate => ({
    ...{ id, has: everything, outstandingBytes, targetBytes },
  });

  it('is asked of nobody who has as much outstanding as it should', () => {
    expect(asked([candidate(1, 4 * PIECE_BYTES)])).toEqual([]);
    expect(asked([candidate(1, 4 * PIECE_BYTES - 1)], { pieceCount: 3 })).toEqual([1]);
    expect(asked([candidate(1, 0)], { pieceCount: 9 })).toEqual([1, 1, 1, 1]);
  });

  it('is asked of who has the smallest part of its target outstanding', () => {
    const [half, quarter] = [candidate(1, 32, 64), candidate(2, 40, 160)];
    for (const drawn of [0, 0.9]) {
      expect(asked([half, quarter], { drawn })).toEqual([2]);
      expect(asked([quarter, half], { drawn })).toEqual([2]);
    }
  });

  it.each([
    [0.1, 3],
    [0.4, 2],
    [0.5, 1],
    [0.9, 1],
  ])('is asked at %d of three equals of number %i', (drawn, expected) => {
    expect(asked([candidate(1, 0), candidate(2, 0), candidate(3, 0)], { drawn })).toEqual([expected]);
    expect(asked([candidate(9, 1), candidate(1, 0), candidate(2, 0), candidate(3, 0)], { drawn })).toEqual([expected]);
  });
});

describe('with classes', () => {
  const [first, second] = [
    [9, 4, 6],
    [0, 7, 1],
  ];
  const geometry = geometryOf({ totalBytes: 10 * PIECE_BYTES, pieceBytes: PIECE_BYTES });

  /** The pieces that are asked for when everybody together takes so many. */
  function asked(strategy: PieceStrategy, count: number, has: (piece: number) => boolean = everything): number[] {
    const candidates = [{ id: 1, has, outstandingBytes: 0, targetBytes: count * PIECE_BYTES }];
    const missing = [Uint32Array.from(first), Uint32Array.from(second)];
    const availability = (piece: number): number => (piece === 0 ? 1 : 2);
    const about = { strategy, geometry, missing, candidates, availability, random: seeded(count) };
    return chooseAssignments(about).map(({ piece }) => piece);
  }

  it.each(['random', 'rarest-first', 'sequential'] as const)('%s takes what is in the first one first', (strategy) => {
    expect(new Set(asked(strategy, 3))).toEqual(new Set(first));
    expect(asked(strategy, 2).every((piece) => first.includes(piece))).toBe(true);
    expect(new Set(asked(strategy, 9).slice(3))).toEqual(new Set(second));
  });

  it('each strategy goes on within a class', () => {
    expect(asked('sequential', 6)).toEqual([4, 6, 9, 0, 1, 7]);
    expect(asked('rarest-first', 4)[3]).toBe(0);
  });

  it('who has nothing of the first one is not idle', () => {
    expect(asked('random', 2, (piece) => piece === 7)).toEqual([7]);
  });

  it('random stays uncorrelated with the piece index within a class', () => {
    const large = geometryOf({ totalBytes: 512 * PIECE_BYTES, pieceBytes: PIECE_BYTES });
    const half = (from: number) => Uint32Array.from({ length: 256 }, (_, number) => from + number);
    const candidates = [{ id: 1, has: everything, outstandingBytes: 0, targetBytes: 512 * PIECE_BYTES }];
    const correlations = [...Array(100).keys()].map((seed) => {
      const about = { strategy: 'random', geometry: large, candidates, availability: () => 1 } as const;
      const order = chooseAssignments({ ...about, missing: [half(256), half(0)], random: seeded(seed) });
      return Math.abs(rankCorrelation(order.slice(0, 256).map(({ piece }) => piece - 256)));
    });
    expect(correlations.reduce((sum, value) => sum + value, 0) / 100).toBeLessThan(0.1);
  });
});

it('nobody asks how rare pieces are who draws at random', () => {
  const assignments = chooseAssignments({
    strategy: 'random',
    geometry: geometryOf({ totalBytes: PIECE_BYTES, pieceBytes: PIECE_BYTES }),
    missing: [Uint32Array.of(0)],
    candidates: [{ id: 1, has: everything, outstandingBytes: 0, targetBytes: 99 }],
    availability: () => {
      throw new Error('was asked');
    },
    random: seeded(7),
  });
  expect(assignments).toEqual([{ candidate: 1, piece: 0 }]);
});

it('sequential asks in order', () => {
  const peers = [0, 1].map((id) => ({ id, speed: 1, has: everything }));
  const { order } = simulate(peers, { pieceCount: 64, strategy: 'sequential', random: seeded(6) });
  expect(order).toEqual([...Array(64).keys()]);
});

it('windows and reserves grow with the rate, between their bounds', () => {
  expect(requestWindowBytes(0, 1000)).toBe(4000);
  expect(requestWindowBytes(100_000, 1000)).toBe(30_000);
  expect(requestWindowBytes(1e12, 1000)).toBe(16 * 1024 * 1024);
  expect(requestWindowBytes(1e12, 1000, 5_000_000)).toBe(5_000_000);
  expect(requestWindowBytes(0, 1000, 3_000)).toBe(3_000);
  const random = { pieceBytes: 1000, strategy: 'random' as const };
  expect(reserveBytes(0, random)).toBe(16 * 1024 * 1024);
  expect(reserveBytes(0, { ...random, pieceBytes: 4 * 1024 * 1024 })).toBe(32 * 1024 * 1024);
  expect(reserveBytes(50_000_000, random)).toBe(50_000_000);
  expect(reserveBytes(50_000_000, { ...random, strategy: 'sequential' })).toBe(16 * 1024 * 1024 + 15_000_000);
});

it('of the longest block two fit into the part of a connection', () => {
  const mib = 1024 * 1024;
  expect([32, 2, 1.5, 1].map((part) => partBlockBytes(part * mib) / mib)).toEqual([16, 1, 0.5, 0.5]);
});

it.each([
  { workers: 1, sources: 1, connections: 1 },
  { workers: 1, sources: 9, connections: 1 },
  { workers: 2, sources: 1, connections: 2 },
  { workers: 2, sources: 2, connections: 1 },
  { workers: 2, sources: 3, connections: 2 },
  { workers: 2, sources: 5, connections: 1 },
  { workers: 3, sources: 4, connections: 3 },
  { workers: 8, sources: 1, connections: 8 },
  { workers: 8, sources: 3, connections: 8 },
  { workers: 8, sources: 5, connections: 2 },
])('with $workers workers each of $sources sources gets $connections connections', ({ connections, ...counts }) => {
  expect(connectionsPerSource(counts)).toBe(connections);
});
