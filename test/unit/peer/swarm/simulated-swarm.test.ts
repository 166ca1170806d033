// What a whole download does with sources of all kinds, in simulated time over many seeds: the real scheduler with reserves,
// windows, recalls and hedges.
import { describe, expect, it } from 'vitest';
import { seeded } from '../../../seeded-random.ts';
import { simulate, type SimulatedSource } from './simulated-swarm.ts';

const MIB = 1024 * 1024;
const GOOD: SimulatedSource = { bytesPerSecond: 200 * MIB };
const SLOW: SimulatedSource = { bytesPerSecond: 1_000_000 };
const STALLED: SimulatedSource = { ...GOOD, stallsAtMs: 100 };
const CLOSING: SimulatedSource = { ...GOOD, closesEveryMs: 600 };

/** Spearman's rank correlation of position and piece index; both are permutations of the same numbers. */
function rankCorrelation(order: readonly number[]): number {
  const count = order.length;
  const squares = order.reduce((sum, piece, position) => sum + (piece - position) ** 2, 0);
  return 1 - (6 * squares) / (count * (count * count - 1));
}

const seeds = (count: number): number[] => [...Array(count).keys()];

describe.each<[string, SimulatedSource[], number]>([
  ['is at 1 MB/s', [SLOW], 1.05],
  ['stalls soon', [STALLED], 1.05],
  // It is waited for until it is known to be silent.
  ['stalls late', [{ ...GOOD, stallsAtMs: 700 }], 1.05],
  ['closes again and again', [CLOSING], 1.05],
  ['has each of these faults', [SLOW, STALLED, CLOSING], 1.05],
])('a source that %s', (_title, bad, ratio) => {
  it('does not hold up two good ones', { timeout: 60_000 }, async () => {
    for (const seed of seeds(20)) {
      const alone = await simulate([GOOD, GOOD], { pieceCount: 1024, seed });
      const together = await simulate([GOOD, GOOD, ...bad], { pieceCount: 1024, seed });
      expect(together.endMs / alone.endMs, `seed ${seed}`).toBeLessThan(ratio);
    }
  });
});

/** One to six sources of any rate and fault, the first of them good. */
function anySources(random: () => number): SimulatedSource[] {
  return Array.from({ length: 1 + Math.floor(random() * 6) }, (_, number) => ({
    bytesPerSecond: 2 ** (20 + random() * 9),
    ...(number > 0 && random() < 0.3 && { stallsAtMs: random() * 2000 }),
    ...(number > 0 && random() < 0.3 && { closesEveryMs: 50 + random() * 1000 }),
    ...(random() < 0.3 && { fromMs: random() * 1000 }),
  }));
}

it('any mix of sources is at most a second and a quarter slower than its good ones alone could be', async () => {
  for (const seed of seeds(100)) {
    const sources = anySources(seeded(seed));
    const { endMs } = await simulate(sources, { pieceCount: 64, seed });
    const good = sources.filter(({ stallsAtMs, closesEveryMs }) => (stallsAtMs ?? closesEveryMs) === undefined);
    const goodRate = good.reduce((sum, { bytesPerSecond }) => sum + bytesPerSecond, 0);
    const startMs = Math.max(...good.map(({ fromMs = 0 }) => fromMs));
    expect(endMs, `seed ${seed}`).toBeLessThan(startMs + 1000 + (1.25 * 32 * MIB * 1000) / goodRate);
  }
});

it(
  'random: first requests are uncorrelated with the piece index over 100 seeded runs',
  { timeout: 60_000 },
  async () => {
    const correlations = [];
    for (const seed of seeds(100)) {
      const { firstRequests } = await simulate([GOOD, GOOD, GOOD], { pieceCount: 512, seed });
      expect(firstRequests).toHaveLength(512);
      correlations.push(Math.abs(rankCorrelation(firstRequests)));
    }
    expect(correlations.reduce((sum, value) => sum + value, 0) / correlations.length).toBeLessThan(0.1);
  },
);

it('sequential: first requests follow the piece index as closely as reserves allow', async () => {
  const { firstRequests } = await simulate([GOOD, GOOD], { pieceCount: 512, seed: 1, strategy: 'sequential' });
  expect(rankCorrelation(firstRequests)).toBeGreaterThan(0.99);
});

it('four equal sources deliver equal parts', async () => {
  for (const seed of seeds(20)) {
    const { deliveredBytes } = await simulate([GOOD, GOOD, GOOD, GOOD], { pieceCount: 1024, seed });
    const mean = deliveredBytes.reduce((sum, bytes) => sum + bytes, 0) / 4;
    expect(Math.max(...deliveredBytes) / mean, `seed ${seed}`).toBeLessThan(1.15);
  }
});

it('a source that comes in the middle delivers as much of the rest as the others', async () => {
  for (const seed of seeds(20)) {
    const late: SimulatedSource = { ...GOOD, fromMs: 500 };
    const { deliveredBytes, endMs } = await simulate([GOOD, GOOD, late], { pieceCount: 1024, seed });
    const restBytes = (GOOD.bytesPerSecond * (endMs - 500)) / 1000;
    expect((deliveredBytes[2] ?? 0) / restBytes, `seed ${seed}`).toBeGreaterThan(0.85);
  }
});

it('what is fetched twice near the end is little', async () => {
  for (const seed of seeds(20)) {
    const { sentBytes } = await simulate([GOOD, { bytesPerSecond: 150 * MIB }, SLOW, STALLED], {
      pieceCount: 1024,
      seed,
    });
    expect(sentBytes / (512 * MIB), `seed ${seed}`).toBeLessThan(1.03);
  }
});

describe.each<[string, SimulatedSource[]]>([
  ['two good sources', [GOOD, GOOD]],
  ['a slow one beside them', [GOOD, SLOW, GOOD]],
  ['one that stalls beside them', [GOOD, { ...GOOD, stallsAtMs: 300 }, GOOD]],
])('of %s', (_title, sources) => {
  it('what somebody waits for comes within 300 ms in the middle of a download, and what follows soon after', async () => {
    for (const seed of seeds(10)) {
      const pieces = Array.from({ length: 32 }, (_, number) => 100 + ((seed * 61) % 800) + number);
      const { hurriedMs } = await simulate(sources, { pieceCount: 1024, seed, hurries: { atMs: 400, pieces } });
      expect(hurriedMs.length, `seed ${seed}`).toBeGreaterThan(0);
      expect(hurriedMs[0], `seed ${seed}`).toBeLessThan(300);
      expect(hurriedMs.at(-1), `seed ${seed}`).toBeLessThan(300 + hurriedMs.length * 60);
    }
  });
});
