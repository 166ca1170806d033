import 'reflect-metadata';
import { beforeAll, describe, expect, it } from 'vitest';
import { REJECTION_REASONS, type RejectionReason } from '#domain/rejection';
import { PEER_COMMAND_NAMES } from '#wire/tracker-api';
import type { Wrong } from './faulty-tracker.ts';
import { PLANTED_BUGS } from './planted-bugs.ts';
import { type Plants, type SeedReport, simulate } from './simulation.ts';

/** Each has to be found within this many seeds; most are by the first. */
const SEEDS_MAX = 1_000;
/** Where the search begins for those that seed 1 does not find. When seeds come to draw something else, a later one finds them. */
const FIRST_SEEDS: Readonly<Record<string, number>> = {
  'views that do not wait for what was seen': 2,
  'presence that never expires': 8,
  'a build that reads on at rules that it does not know': 2,
  'checkpoints that nobody compares': 2,
  'snapshots that nobody compares': 3,
  'a log that loses what it had not synced': 4,
  'a peer that forgets what it has seen': 3,
};

/** Within so many seeds everything that a story can come to has to come about: the rarest of it in one of twelve. */
const STORY_SEEDS_MAX = 60;
const SEEDS = [1, 2, 3, 4, 8, 9, 10, 11];
/** Refusals for which a peer would have to lie, or to wait for a million records; all others have to come about. */
const UNREACHED: readonly RejectionReason[] = [
  'malformed_record',
  'command_expired',
  'not_a_tracker',
  'rules_unknown',
  'checkpoint_not_found',
  'wrong_credentials',
];

describe('trackers and peers', () => {
  const reports = new Map<number, SeedReport>();
  beforeAll(async () => {
    for (const seed of SEEDS) reports.set(seed, await simulate(seed));
  }, 120_000);

  it.each(SEEDS)('keep what they have to under the faults of seed %i', (seed) => {
    const { violation, lastLines } = reports.get(seed)!;
    expect(violation, lastLines.join('\n')).toBeNull();
  });

  it('are tens of peers with thousands of commands', () => {
    const mean = (count: (report: SeedReport) => number): number =>
      [...reports.values()].reduce((sum, report) => sum + count(report), 0) / reports.size;
    expect(mean(({ trackers }) => trackers)).toBeGreaterThan(2);
    expect(mean(({ peers }) => peers)).toBeGreaterThan(20);
    expect(mean(({ commands }) => commands)).toBeGreaterThan(2_000);
  });

  it('come to every outcome that commands of peers can have', () => {
    const kinds = [...reports.values()].flatMap(({ outcomeKinds }) => outcomeKinds.map((kind) => kind.split(' ')));
    const accepted = kinds.filter(([, outcome]) => outcome === 'accepted').map(([name]) => name);
    expect(accepted).toEqual(expect.arrayContaining([...PEER_COMMAND_NAMES]));
    const outcomes = new Set(kinds.map(([, outcome]) => outcome));
    expect(REJECTION_REASONS.filter((reason) => !outcomes.has(reason)).toSorted()).toEqual(UNREACHED.toSorted());
  });
});

describe('a story beside the faults', { timeout: 240_000 }, () => {
  const faulty = (wrong: Wrong): Plants => ({ story: 'faulty_tracker', wrong });
  it.each<[fact: string, plants: Plants, happens: readonly string[]]>([
    [
      'trackers that are upgraded one after another go on, also without one that nobody upgrades',
      { story: 'upgrade' },
      ['activated', 'activated with one forgotten'],
    ],
    ['a tracker that computes one effect wrongly stops nobody for good', faulty('slip'), ['slip signed']],
    ['a tracker of a wrong build stops nobody for good', faulty('wrong_build'), ['wrong_build signed', 'ruled']],
    [
      'a tracker that reads another record stops nobody for good',
      faulty('misread'),
      ['misread signed', 'halted', 'ruled'],
    ],
    ['a tracker that keeps a wrong snapshot stops nobody for good', faulty('miskept'), ['miskept doubted']],
  ])('%s', async (_fact, plants, happens) => {
    const missing = new Set(happens);
    for (let seed = 1; missing.size > 0 && seed <= STORY_SEEDS_MAX; seed++) {
      const { violation, lastLines, happened } = await simulate(seed, plants);
      expect(violation, lastLines.join('\n')).toBeNull();
      for (const what of happened) missing.delete(what);
    }
    expect([...missing]).toEqual([]);
  });
});

describe('a seed', { timeout: 60_000 }, () => {
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
    const { violation, lastLines } = await firstFinding('a peer that forgets what it has seen');
    expect(lastLines.at(-1)).toContain(violation);
    expect(lastLines.length).toBeGreaterThan(10);
  });
});

describe('a simulation finds', { timeout: 120_000 }, () => {
  const rows: [bug: string, by: RegExp][] = [
    ['no deduplication', /another digest|has an effect at|is logged in, and it is/],
    ['a replay that is off by one', /another digest/],
    ['a record that is left out while reading', /another digest/],
    ['a digest in the order of a map', /another digest/],
    [
      'membership of a moment ago in sources and grants',
      /grant .*: no (?:member|download_file stands|such share)|who is no member|but true is/,
    ],
    ['a grant that was given once is given again', /grant .*: no download_file stands/],
    ['sessions of a moment ago in views', /but true is|nobody who is logged in/],
    ['an answer with the offset read last', /no such command stands|first outcome is at|the log says/],
    ['an answer before the record is applied', /first outcome is at|the log says/],
    ['an append without an answer taken for a refusal', /no such command stands|the log refuses this tracker/],
    ['views that do not wait for what was seen', /is older than/],
    ['the time of the reader instead of the record', /but true is/],
    ['a revocation that is not told now and then', /is not told of/],
    ['sessions that never expire', /another digest|but true is/],
    ['presence that never expires', /which was silent for/],
    ['grants while the log is away for long', /given when the log was away/],
    ['a build that reads on at rules that it does not know', /under rules that it does not know|another digest/],
    ['a newer record that is accepted before its rules are in force', /another digest|is logged in, and it is/],
    ['checkpoints that nobody compares', /another digest|another root|roots|does not know that it is wrong/],
    ['grants while a checkpoint is disputed', /while a checkpoint disputes/],
    ['a dispute that no ruling ends', /checkpoint_disputed|commands have no answer/],
    ['a torn snapshot that is taken for a whole one', /another digest|but true is|not told of/],
    ['a snapshot without the outcomes of commands', /another digest|has an effect/],
    ['a snapshot whose next record is left out', /another digest|halts/],
    ['snapshots that nobody compares', /has a wrong snapshot of offset/],
    ['a snapshot that hangs on who writes it', /doubts its snapshots, and nobody is wrong/],
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
  const first = FIRST_SEEDS[bug] ?? 1;
  for (let seed = first; seed < first + SEEDS_MAX; seed++) {
    const report = await simulate(seed, PLANTED_BUGS[bug]);
    if (report.violation !== null) return report;
  }
  throw new Error(`${bug} is not found within ${SEEDS_MAX} seeds`);
}
