// `npm run bench`: how fast a file goes from peer to peer on this machine, verified, encrypted and plain, each as a ratio to a raw
// copy over loopback TCP taken right before it; how fast a file is shared, as a ratio to what two threads hash; and with
// --sweep how the rate follows workers and seeders. Prints a table, writes JSON, and with --sweep a plot.
//   npm run bench -- --size 1GiB --runs 5 --workers 2 --scenarios 1to1,3to1,4to1,1to4,8x --modes tls,plain --scratch /dev/shm
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { sizeOf, writeRandomFile, writeSparseFile } from '../../infra/demo/files.ts';
import { machineLine } from '../../infra/quick-start/measured.ts';
import type { Digested } from '../../apps/peer/src/swarm/transfer-engine.ts';
import { rawCopySeconds, sha1BytesPerSecond } from './baselines.ts';
import { digestOf, type Measurement, measureSwarm } from './bench-swarm.ts';
import { lineChart } from './plot.ts';
import { medianOf, mibOf, type Row, rowOf, say, tableOf } from './table.ts';

const { values: flags } = parseArgs({
  options: {
    size: { type: 'string', default: '1GiB' },
    runs: { type: 'string', default: '5' },
    workers: { type: 'string', default: '2' },
    scenarios: { type: 'string', default: '1to1,3to1,4to1,1to4,8x' },
    modes: { type: 'string', default: 'tls,plain' },
    scratch: { type: 'string', default: tmpdir() },
    out: { type: 'string', default: join('dist', 'bench') },
    piece: { type: 'string' },
    sparse: { type: 'boolean', default: false },
    sweep: { type: 'boolean', default: false },
  },
});

/** Who delivers to whom; `part` of the size is what each downloader fetches with each of its downloads. */
interface Scenario {
  readonly seeders: number;
  readonly downloaders: number;
  readonly downloads: number;
  readonly part: number;
}

/** A content with its file. */
interface Content {
  readonly source: string;
  readonly totalBytes: number;
  readonly digested: Digested;
}

/** `4to1` is four seeders and one downloader, `8x` eight downloads at once of an eighth of the size each. */
function scenarioOf(name: string): Scenario {
  const [, seeders, downloaders] = /^([1-9]\d*)to([1-9]\d*)$/.exec(name) ?? [];
  if (seeders !== undefined) {
    return { seeders: Number(seeders), downloaders: Number(downloaders), downloads: 1, part: 1 };
  }
  const [, downloads] = /^([1-9]\d*)x$/.exec(name) ?? [];
  if (downloads === undefined) throw new Error(`"${name}" is no scenario like 4to1 or 8x`);
  return { seeders: 1, downloaders: 1, downloads: Number(downloads), part: 1 / Number(downloads) };
}

const contents = new Map<number, Content>();
const shareSeconds: number[] = [];

/** A file of so many bytes, made and digested once. */
async function contentOf(totalBytes: number): Promise<Content> {
  const known = contents.get(totalBytes);
  if (known !== undefined) return known;
  const source = join(scratch, `source-${totalBytes}`);
  await (flags.sparse ? writeSparseFile : writeRandomFile)(source, totalBytes);
  const pieceBytes = flags.piece === undefined ? null : sizeOf(flags.piece);
  const { digested, seconds } = await digestOf(source, { scratch, workers: Number(flags.workers), pieceBytes });
  if (contents.size === 0) shareSeconds.push(seconds);
  const content = { source, totalBytes, digested };
  contents.set(totalBytes, content);
  return content;
}

/** Runs of one scenario, each right after its raw copy, and after the bare one that does the same: hash, and in mode tls encrypt. */
async function measure(
  scenario: Scenario,
  { plain, workers, runs }: { readonly plain: boolean; readonly workers: number; readonly runs: number },
): Promise<{ raw: number[]; bare: number[]; measured: Measurement[]; totalBytes: number }> {
  const { source, totalBytes, digested } = await contentOf(Math.ceil(size * scenario.part));
  const { seeders: senders, downloaders: receivers, downloads } = scenario;
  const [raw, bare, measured]: [number[], number[], Measurement[]] = [[], [], []];
  while (measured.length < runs) {
    const copy = downloads === 1 ? { source, totalBytes } : await contentOf(size);
    const floor = { source: copy.source, totalBytes: copy.totalBytes, senders, receivers };
    bare.push(await rawCopySeconds({ ...floor, isVerified: true, isEncrypted: !plain }));
    raw.push(await rawCopySeconds({ ...floor, isVerified: false, isEncrypted: false }));
    measured.push(await measureSwarm({ scratch, source, digested, ...scenario, workers, plain }));
  }
  return { raw, bare, measured, totalBytes: totalBytes * downloads * receivers };
}

/** Piece digests and the whole file's SHA-1 of the file, against what two threads hash. */
async function describeSharing(): Promise<object> {
  const { source, totalBytes } = await contentOf(size);
  const options = { scratch, workers: Number(flags.workers), pieceBytes: null };
  const rates = [];
  while (shareSeconds.length < Number(flags.runs)) shareSeconds.push((await digestOf(source, options)).seconds);
  for (let run = 0; run < Number(flags.runs); run++) rates.push(await sha1BytesPerSecond(2));
  const [share, ceiling] = [totalBytes / medianOf(shareSeconds), medianOf(rates)];
  const ratio = share / ceiling;
  say(
    `sharing: ${mibOf(share)} MiB/s (piece digests and SHA-1 of the whole), two threads hash ${mibOf(ceiling)} MiB/s, ratio ${ratio.toFixed(2)}`,
  );
  return { shareBytesPerSecond: share, sha1BytesPerSecond: ceiling, ratio, shareSeconds };
}

/** Rates over the number of workers with one seeder, and over the number of seeders. */
async function sweep(): Promise<object> {
  const runs = Math.min(3, Number(flags.runs));
  const workerCounts = Array.from({ length: Math.max(2, cpus().length) }, (_, index) => index + 1);
  const rateOf = async (name: string, plain: boolean, workers: number): Promise<number> => {
    const { measured, totalBytes } = await measure(scenarioOf(name), { plain, workers, runs });
    return totalBytes / 2 ** 20 / medianOf(measured.map(({ seconds }) => seconds));
  };
  const charts = [];
  for (const [title, axis, places] of [
    ['1 seeder', 'workers', workerCounts.map((count) => ({ x: count, name: '1to1', workers: count }))],
    [
      `${flags.workers} workers`,
      'seeders',
      [1, 2, 3, 4, 8].map((count) => ({ x: count, name: `${count}to1`, workers: Number(flags.workers) })),
    ],
  ] as const) {
    const lines = [];
    for (const mode of flags.modes.split(',')) {
      const points = [];
      for (const { x, name, workers } of places) points.push({ x, y: await rateOf(name, mode === 'plain', workers) });
      lines.push({ name: mode, points });
    }
    charts.push({ title, xLabel: axis, yLabel: 'MiB/s', lines });
  }
  writeFileSync(join(flags.out, 'rate.svg'), lineChart(charts));
  say(`rates over workers and seeders: ${join(flags.out, 'rate.svg')}`);
  return charts;
}

const size = sizeOf(flags.size);
const scratch = mkdtempSync(join(flags.scratch, 'cohort-bench-'));
try {
  mkdirSync(flags.out, { recursive: true });
  const machine = machineLine();
  say(machine);
  say(
    `${flags.size}${flags.sparse ? ' sparse' : ''}, medians of ${flags.runs}, ${flags.workers} workers, SHA-1 verified`,
  );
  const rows: Row[] = [];
  const runs = [];
  for (const mode of flags.modes.split(',')) {
    for (const name of flags.scenarios.split(',')) {
      const options = { plain: mode === 'plain', workers: Number(flags.workers), runs: Number(flags.runs) };
      const result = await measure(scenarioOf(name), options);
      rows.push(rowOf({ name, mode, ...result }));
      runs.push({ name, mode, ...result });
    }
  }
  say(tableOf(rows));
  const sharing = await describeSharing();
  const swept = flags.sweep ? await sweep() : null;
  const report = { machine, flags, rows, sharing, sweep: swept, runs };
  writeFileSync(join(flags.out, 'results.json'), `${JSON.stringify(report, null, 2)}\n`);
  say(`every run: ${join(flags.out, 'results.json')}`);
} finally {
  rmSync(scratch, { recursive: true });
}
