// `npm run bench:limits`: how closely rates are kept, by peers in processes of their own over loopback with TLS: 50 MB/s up, down
// and for a group, among several peers and downloads, and a slow one; and what limits cost when there are none, when there
// were some, and when they are too high to matter. Prints tables, writes JSON.
//   npm run bench:limits -- --seconds 10 --workers 2 --runs 5 --size 1GiB --scratch /dev/shm
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { sizeOf, writeSparseFile } from '../../infra/demo/files.ts';
import { machineLine } from '../../infra/quick-start/measured.ts';
import type { Digested, EngineLimits } from '../../apps/peer/src/swarm/transfer-engine.ts';
import type { Moved } from './bench-peer.ts';
import { BenchPeer, digestOf, measureSwarm, requestFor } from './bench-swarm.ts';
import { medianOf, say, type TextColumn, textTable } from './table.ts';

const { values: flags } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    workers: { type: 'string', default: '2' },
    runs: { type: 'string', default: '5' },
    size: { type: 'string', default: '1GiB' },
    scratch: { type: 'string', default: tmpdir() },
    out: { type: 'string', default: join('dist', 'bench') },
  },
});

const MB = 1e6;
const LIMIT = 50 * MB;
const SLOW_LIMIT = 256 * 1024;
const NO_LIMIT: EngineLimits = { uploadBytesPerSecond: null, downloadBytesPerSecond: null, groups: [] };
/** Connections are made, and rates are found, before anything is measured. */
const SETTLE_MS = 1_500;

/** One way to be limited: the limits of both sides, and who fetches what of which group. */
interface Scenario {
  readonly name: string;
  readonly seeders: number;
  readonly seederLimits: EngineLimits;
  readonly downloaderLimits: EngineLimits;
  /** Groups of the downloads of each downloader. */
  readonly downloaders: readonly (readonly number[])[];
  /** What is expected of everything together, and of each download. */
  readonly bytesPerSecond: number;
  readonly parts: readonly number[];
}

function limits(more: Partial<EngineLimits>): EngineLimits {
  return { ...NO_LIMIT, ...more };
}

const groupLimit = (groupId: number, direction: 'upload' | 'download', bytesPerSecond: number) => ({
  groupId,
  uploadBytesPerSecond: direction === 'upload' ? bytesPerSecond : null,
  downloadBytesPerSecond: direction === 'download' ? bytesPerSecond : null,
});

const SCENARIOS: readonly Scenario[] = [
  {
    name: 'upload, 1 to 1',
    ...{ seeders: 1, seederLimits: limits({ uploadBytesPerSecond: LIMIT }), downloaderLimits: NO_LIMIT },
    ...{ downloaders: [[1]], bytesPerSecond: LIMIT, parts: [1] },
  },
  {
    name: 'upload, 1 to 2',
    ...{ seeders: 1, seederLimits: limits({ uploadBytesPerSecond: LIMIT }), downloaderLimits: NO_LIMIT },
    ...{ downloaders: [[1], [1]], bytesPerSecond: LIMIT, parts: [0.5, 0.5] },
  },
  {
    name: 'download, 1 to 1',
    ...{ seeders: 1, seederLimits: NO_LIMIT, downloaderLimits: limits({ downloadBytesPerSecond: LIMIT }) },
    ...{ downloaders: [[1]], bytesPerSecond: LIMIT, parts: [1] },
  },
  {
    name: 'download, 3 to 1, 2 downloads',
    ...{ seeders: 3, seederLimits: NO_LIMIT, downloaderLimits: limits({ downloadBytesPerSecond: LIMIT }) },
    ...{ downloaders: [[1, 2]], bytesPerSecond: LIMIT, parts: [0.5, 0.5] },
  },
  {
    name: 'upload of a group',
    ...{ seeders: 1, seederLimits: limits({ groups: [groupLimit(1, 'upload', LIMIT)] }), downloaderLimits: NO_LIMIT },
    ...{ downloaders: [[1]], bytesPerSecond: LIMIT, parts: [1] },
  },
  {
    name: 'download of a group',
    seeders: 1,
    seederLimits: NO_LIMIT,
    downloaderLimits: limits({ groups: [groupLimit(1, 'download', LIMIT)] }),
    ...{ downloaders: [[1]], bytesPerSecond: LIMIT, parts: [1] },
  },
  {
    name: 'a group at 10 of 50, 2 groups',
    seeders: 1,
    seederLimits: limits({ uploadBytesPerSecond: LIMIT, groups: [groupLimit(1, 'upload', LIMIT / 5)] }),
    ...{ downloaderLimits: NO_LIMIT, downloaders: [[1], [2]], bytesPerSecond: LIMIT, parts: [0.2, 0.8] },
  },
  {
    name: 'slow upload, 1 to 1',
    ...{ seeders: 1, seederLimits: limits({ uploadBytesPerSecond: SLOW_LIMIT }), downloaderLimits: NO_LIMIT },
    ...{ downloaders: [[1]], bytesPerSecond: SLOW_LIMIT, parts: [1] },
  },
  {
    name: 'slow download, 1 to 1',
    ...{ seeders: 1, seederLimits: NO_LIMIT, downloaderLimits: limits({ downloadBytesPerSecond: SLOW_LIMIT }) },
    ...{ downloaders: [[1]], bytesPerSecond: SLOW_LIMIT, parts: [1] },
  },
];

/** What a scenario came to. Rates in bytes per second; `parts` of the whole. */
interface Kept {
  readonly name: string;
  readonly limit: number;
  readonly rate: number;
  /** The second in which most came, and the one in which least came, as a ratio to the limit. */
  readonly fastest: number;
  readonly slowest: number;
  readonly parts: readonly number[];
  readonly expectedParts: readonly number[];
}

async function keep(
  scenario: Scenario,
  content: { readonly source: string; readonly digested: Digested },
): Promise<Kept> {
  const folder = mkdtempSync(join(scratch, 'limits-'));
  const start = (role: string, count: number): BenchPeer[] =>
    Array.from({ length: count }, (_, number) => new BenchPeer(join(folder, `${role}-${number}`)));
  const [seeders, downloaders] = [start('seeder', scenario.seeders), start('downloader', scenario.downloaders.length)];
  const everybody = [...seeders, ...downloaders];
  try {
    await Promise.all(everybody.map((peer) => peer.open({ workers: Number(flags.workers), plain: false })));
    await Promise.all(seeders.map((peer) => peer.ask({ kind: 'limit', limits: scenario.seederLimits })));
    await Promise.all(downloaders.map((peer) => peer.ask({ kind: 'limit', limits: scenario.downloaderLimits })));
    await begin(scenario, { seeders, downloaders, ...content });
    await sleep(SETTLE_MS);
    return await watch(scenario, downloaders);
  } finally {
    await Promise.all(everybody.map((peer) => peer.stop()));
    rmSync(folder, { recursive: true });
  }
}

/** Serves the content in all groups, and begins to download it; nobody waits for the end. */
async function begin(
  scenario: Scenario,
  peers: { seeders: BenchPeer[]; downloaders: BenchPeer[]; source: string; digested: Digested },
): Promise<void> {
  const { seeders, downloaders, source, digested } = peers;
  for (const groupId of new Set(scenario.downloaders.flat())) {
    const request = { share: { groupId, shareId: groupId }, path: source, ...digested };
    await Promise.all(seeders.map((seeder) => seeder.ask({ kind: 'serve', request })));
  }
  const sources = seeders.map((seeder) => seeder.source);
  for (const [number, groups] of scenario.downloaders.entries()) {
    const downloader = downloaders[number]!;
    for (const groupId of groups) {
      const request = requestFor(downloader, { share: { groupId, shareId: groupId }, sources, digested });
      void downloader.ask({ kind: 'download', request });
    }
  }
}

async function watch(scenario: Scenario, downloaders: readonly BenchPeer[]): Promise<Kept> {
  const limit = scenario.bytesPerSecond;
  const looks = [await look(downloaders)];
  while (looks.length <= Number(flags.seconds)) {
    await sleep(1_000);
    looks.push(await look(downloaders));
  }
  const [first, last] = [looks[0]!, looks.at(-1)!];
  const rates = looks.slice(1).map((each, number) => rateOf(looks[number]!, each) / limit);
  const came = last.parts.map((bytes, number) => bytes - first.parts[number]!);
  const all = came.reduce((sum, bytes) => sum + bytes, 0);
  return {
    ...{ name: scenario.name, limit, rate: rateOf(first, last) },
    ...{ fastest: Math.max(...rates), slowest: Math.min(...rates) },
    parts: came.map((bytes) => bytes / all),
    expectedParts: scenario.parts,
  };
}

interface Look {
  readonly atMs: number;
  readonly bytes: number;
  readonly parts: readonly number[];
}

/** What has come so far. One peer's downloads are told apart by what is verified, peers by what they received. */
async function look(downloaders: readonly BenchPeer[]): Promise<Look> {
  const atMs = performance.now();
  const moved = await Promise.all(downloaders.map((peer) => peer.ask<Moved>({ kind: 'moved' })));
  const bytes = moved.reduce((sum, { receivedBytes }) => sum + receivedBytes, 0);
  const parts = moved.length > 1 ? moved.map(({ receivedBytes }) => receivedBytes) : moved[0]!.verifiedBytes;
  return { atMs, bytes, parts };
}

function rateOf(from: Look, to: Look): number {
  return ((to.bytes - from.bytes) * 1000) / (to.atMs - from.atMs);
}

/** What a download without a limit takes: never limited, limited before, and limited to what nobody reaches. */
async function unlimited(content: { readonly source: string; readonly digested: Digested }): Promise<Free[]> {
  const high = 100_000 * MB;
  const ways = [
    { name: 'never limited', limits: [] },
    { name: 'limits taken away', limits: [limits({ uploadBytesPerSecond: 1, downloadBytesPerSecond: 1 }), NO_LIMIT] },
    { name: 'limited to 100 GB/s', limits: [limits({ uploadBytesPerSecond: high, downloadBytesPerSecond: high })] },
  ];
  const seconds = ways.map((): number[] => []);
  for (let run = 0; run < Number(flags.runs); run++) {
    for (const [number, way] of ways.entries()) {
      const swarm = { seeders: 1, downloaders: 1, downloads: 1, workers: Number(flags.workers), plain: false };
      seconds[number]!.push((await measureSwarm({ scratch, ...content, ...swarm, limits: way.limits })).seconds);
    }
  }
  const base = medianOf(seconds[0]!);
  return ways.map(({ name }, number) => {
    const median = medianOf(seconds[number]!);
    return { name, seconds: median, ratio: median / base, runs: seconds[number]! };
  });
}

const percent = (part: number): string => `${(part * 100).toFixed(1)} %`;
const percents = (parts: readonly number[]): string => parts.map(percent).join(', ');

const KEPT_COLUMNS: readonly TextColumn<Kept>[] = [
  ['limit', ({ name }) => name],
  ['MB/s', ({ limit }) => (limit / MB).toFixed(2)],
  ['measured', ({ rate }) => (rate / MB).toFixed(2)],
  ['off by', ({ rate, limit }) => percent(rate / limit - 1)],
  ['slowest second', ({ slowest }) => percent(slowest)],
  ['fastest second', ({ fastest }) => percent(fastest)],
  ['parts', ({ parts }) => percents(parts)],
  ['expected', ({ expectedParts }) => percents(expectedParts)],
];

/** What a way to have no limit took. */
interface Free {
  readonly name: string;
  readonly seconds: number;
  readonly ratio: number;
  readonly runs: readonly number[];
}

const FREE_COLUMNS: readonly TextColumn<Free>[] = [
  ['way', ({ name }) => name],
  ['seconds', ({ seconds }) => seconds.toFixed(2)],
  ['ratio', ({ ratio }) => ratio.toFixed(2)],
];

const scratch = mkdtempSync(join(flags.scratch, 'cohort-limits-'));
try {
  mkdirSync(flags.out, { recursive: true });
  const machine = machineLine();
  say(machine);
  const source = join(scratch, 'source');
  await writeSparseFile(source, sizeOf(flags.size));
  const { digested } = await digestOf(source, { scratch, workers: Number(flags.workers), pieceBytes: null });
  const kept: Kept[] = [];
  for (const scenario of SCENARIOS) kept.push(await keep(scenario, { source, digested }));
  say(`kept over ${flags.seconds} s, ${flags.workers} workers, TLS`);
  say(textTable(kept, KEPT_COLUMNS));
  const free = await unlimited({ source, digested });
  say(`no limit is a null check: medians of ${flags.runs} downloads of ${flags.size}, 1 to 1`);
  say(textTable(free, FREE_COLUMNS));
  writeFileSync(join(flags.out, 'limits.json'), `${JSON.stringify({ machine, flags, kept, free }, null, 2)}\n`);
} finally {
  rmSync(scratch, { recursive: true });
}
