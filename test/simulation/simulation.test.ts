import 'reflect-metadata';
import { describe, expect, it } from 'vitest';
import { PLANTED_BUGS } from './planted-bugs.ts';
import { type SeedReport, simulate } from './simulation.ts';

/** Each has to be found within this many seeds; most are in the first few. */
const SEEDS_MAX = 1_000;

describe('trackers and peers', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('keep what they have to under the faults of seed %i', async (seed) => {
    const { violation, lastLines } = await simulate(seed);
    expect(violation, lastLines.join('\n')).toBeNull();
  });
});

describe('a seed', () => {
  it('replays exactly, whatever ran before it', async () => {
    const first = await simulate(7);
    await simulate(8);
    expect(await simulate(7)).toEqual(first);
    expect(first.records).toBeGreaterThan(100);
    expect(first.faults).toBeGreaterThan(0);
  });

  it('is another run than the next one', async () => {
    const hashes = await Promise.all([simulate(1), simulate(2)].map(async (run) => (await run).traceHash));
    expect(new Set(hashes).size).toBe(2);
  });

  it('that finds something wrong says what happened last', async () => {
    const { violation, lastLines } = await firstFinding('no deduplication');
    expect(lastLines.at(-1)).toContain(violation);
    expect(lastLines.length).toBeGreaterThan(10);
  });
});

describe('a simulation finds', { timeout: 120_000 }, () => {
  const rows: [bug: string, by: RegExp][] = [
    ['no deduplication', /another digest|has an effect at/],
    ['a replay that is off by one', /another digest/],
    ['a record that is left out while reading', /another digest/],
    ['a digest in the order of a map', /another digest/],
    ['membership of a moment ago in sources and grants', /grant .*: no member|who is no member|but true is/],
    ['a grant that was given once is given again', /grant .*: no download_file stands/],
    ['sessions of a moment ago in views', /but true is|nobody who is logged in/],
    ['an answer with the offset read last', /no such command stands|first outcome is at|the log says/],
    ['an answer before the record is applied', /first outcome is at|the log says/],
    ['an append without an answer taken for a refusal', /no such command stands/],
    ['views that do not wait for what was seen', /is older than/],
    ['the time of the reader instead of the record', /but true is/],
    ['a revocation that is not told now and then', /is not told of/],
    ['presence that never expires', /which was silent for/],
    ['grants while the log is away for long', /given when the log was away/],
    ['a log that loses what it had not synced', /halts|is stored a second time/],
    ['a peer that forgets what it has seen', /after it had seen/],
    ['a new command id for every attempt', /no such command stands/],
  ];

  it('what is planted, all of it', () => {
    expect(rows.map(([bug]) => bug).toSorted()).toEqual(Object.keys(PLANTED_BUGS).toSorted());
  });

  it.each(rows)('%s', async (bug, by) => {
    expect((await firstFinding(bug)).violation).toMatch(by);
  });
});

async function firstFinding(bug: string): Promise<SeedReport> {
  for (let seed = 1; seed <= SEEDS_MAX; seed++) {
    const report = await simulate(seed, PLANTED_BUGS[bug]);
    if (report.violation !== null) return report;
  }
  throw new Error(`${bug} is not found within ${SEEDS_MAX} seeds`);
}
