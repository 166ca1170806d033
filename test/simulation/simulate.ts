// `npm run simulate`: the whole on a simulated log, network and clock, one run for each seed, with faults; what has to hold is
// checked all along, in every processor at once. A seed that finds something wrong prints itself and what happened last, and
// replays exactly.
//   npm run simulate -- --seed 1 --count 100 --workers 2 --trace
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import 'reflect-metadata';
import { machineLine } from '../../infra/quick-start/measured.ts';
import { byLength, soakSeed } from '../soak/soak-length.ts';
import type { SeedReport } from './simulation.ts';

/** The seeds from `first` on, of which each thread takes the next that none has taken. */
interface Seeds {
  readonly first: number;
  readonly count: number;
  /** How many are taken, of one element. */
  readonly taken: Int32Array<SharedArrayBuffer>;
}

/** What lives for one seed alone is mostly gone before it is looked at, if there is room for it. */
const YOUNG_MIB = 192;

if (isMainThread) process.exitCode = await lead();
else await work(workerData as Seeds);

async function lead(): Promise<number> {
  const { values: flags } = parseArgs({
    options: {
      seed: { type: 'string', default: soakSeed() },
      count: { type: 'string', default: '100' },
      workers: { type: 'string', default: String(availableParallelism()) },
      soak: { type: 'boolean', default: false },
      trace: { type: 'boolean', default: false },
    },
  });
  const first = natural('--seed', flags.seed);
  const count = natural('--count', flags.soak ? byLength({ full: '20000', short: '4' }) : flags.count);
  const workers = Math.max(1, Math.min(count, natural('--workers', flags.workers)));
  say(machineLine());
  say(`seeds ${first} to ${first + count - 1} on ${workers} threads`);
  const beginMs = performance.now();
  const reports: SeedReport[] = [];
  const heard = (report: SeedReport): void => {
    reports.push(report);
    if (flags.trace) say(`seed ${report.seed}: ${report.records} records, trace ${report.traceHash}`);
    if (report.violation !== null) tellWrong(report);
  };
  const seeds = { first, count, taken: new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)) };
  await Promise.all(Array.from({ length: workers }, () => workedOff(seeds, heard)));
  return summary(reports, (performance.now() - beginMs) / 1_000);
}

/** Runs one seed after the other while there are any. */
async function work({ first, count, taken }: Seeds): Promise<void> {
  const { simulate } = await import('./simulation.ts');
  const next = (): number => first + Atomics.add(taken, 0, 1);
  let seed = next();
  process.on('unhandledRejection', (reason) => {
    throw new Error(`seed ${seed} is wrong: a promise was rejected and nobody heard`, { cause: reason });
  });
  for (; seed < first + count; seed = next()) {
    const report = await simulate(seed);
    parentPort!.postMessage(report.violation === null ? { ...report, lastLines: [] } : report);
  }
}

function workedOff(seeds: Seeds, heard: (report: SeedReport) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), {
      workerData: seeds,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB },
    });
    worker.on('message', heard);
    worker.on('error', reject);
    worker.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`a thread ended with code ${code}`))));
  });
}

function tellWrong({ seed, violation, lastLines }: SeedReport): void {
  for (const line of lastLines) say(`  ${line}`);
  say(`seed ${seed} is wrong: ${violation}`);
  say(`again: npm run simulate -- --seed ${seed} --count 1`);
}

/** Says what was done; the exit code. */
function summary(reports: readonly SeedReport[], seconds: number): number {
  const sum = (count: (report: SeedReport) => number): string =>
    reports.reduce((total, report) => total + count(report), 0).toLocaleString('en');
  const mean = (count: (report: SeedReport) => number, digits: number): string =>
    (reports.reduce((total, report) => total + count(report), 0) / reports.length).toFixed(digits);
  const wrong = reports.filter(({ violation }) => violation !== null);
  say(
    `${sum(({ commands }) => commands)} commands (${sum(({ accepted }) => accepted)} accepted, ` +
      `${sum(({ retries }) => retries)} sent again), ${sum(({ faults }) => faults)} faults, ` +
      `${sum(({ grants }) => grants)} grants, ${sum(({ checks }) => checks)} checks, ` +
      `${sum(({ simulatedMs }) => Math.round(simulatedMs / 1_000))} s of simulated time`,
  );
  say(
    `a seed has on average ${mean(({ trackers }) => trackers, 1)} trackers, ${mean(({ peers }) => peers, 1)} peers, ` +
      `${mean(({ commands }) => commands, 0)} commands, ${mean(({ records }) => records, 0)} records`,
  );
  const happened = new Map<string, number>();
  for (const what of reports.flatMap((report) => report.happened)) happened.set(what, (happened.get(what) ?? 0) + 1);
  say(`in so many seeds: ${[...happened].map(([what, count]) => `${what} ${count}`).join(', ') || 'nothing special'}`);
  const rate = (reports.length / seconds).toFixed(2);
  say(`${reports.length} seeds in ${seconds.toFixed(1)} s, ${rate} seeds/s: ${wrong.length} with something wrong`);
  return wrong.length === 0 ? 0 : 1;
}

function natural(flag: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  say(`${flag} must be an integer of 0 or more, not ${text}`);
  process.exit(64);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
