// `npm run bench:tracker`: what one tracker does on this machine, with the load of its clients and, on Kafka, the broker on
// the same processors.
//   apply     records applied in a second: what was decoded, alone; decoded, applied, with root and digest; read from a log too
//   commands  sequential and with many in flight, beside the same records appended to the same log with nothing around it, in
//             turns; the ratio of the medians is the figure
//   views     who has a file, without and with a grant, over the same connections
// Targets are printed and not judged. What is judged: every command is accepted, and stands in the log once; what a tracker
// has applied is what the log replays to.
//   npm run bench:tracker -- --parts apply,commands,views --logs sqlite,kafka --in-flight 1,64,512 --rounds 3 --seconds 3
//                            --records 200000
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { kafkaSkipReason, startBroker } from '../../infra/kafka/broker.mjs';
import { LocalSystem, type LocalTracker } from '../../infra/quick-start/local-system.ts';
import { cpuSeconds, machineLine } from '../../infra/quick-start/measured.ts';
import { trackerStatus } from '../../infra/quick-start/tracker-status.ts';
import { type ApplyRates, applyRates, recordsOf, replayed } from './apply-rates.ts';
import { type Answered, CommandLoad } from './command-load.ts';
import { rawKafka, type RawRate, rawSqlite } from './raw-log.ts';
import { medianOf, quantileOf, say, type TextColumn, textTable } from './table.ts';

const { values: flags } = parseArgs({
  options: {
    parts: { type: 'string', default: 'apply,commands,views' },
    logs: { type: 'string', default: 'sqlite,kafka' },
    'in-flight': { type: 'string', default: '1,64,512' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '3' },
    records: { type: 'string', default: '200000' },
  },
});

const PEERS = 64;
const LOOKUPS_IN_FLIGHT = 64;

/** Where a tracker keeps its log, and what that is compared with. */
interface LogPlace {
  readonly name: string;
  /** As `--log` takes it, for a log of its own. */
  readonly urlOf: (purpose: string) => string;
  readonly rawRate: RawRate;
}

/** What was measured with so many in flight. */
interface CommandRow {
  readonly log: string;
  readonly inFlight: number;
  readonly commands: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly raw: number;
  /** Processor time of the tracker and of its clients for each command, in microseconds. */
  readonly trackerCpuUs: number;
  readonly clientCpuUs: number;
}

interface Figure {
  readonly what: string;
  readonly perSecond: number;
  /** What it should be at least; null where nothing is asked. */
  readonly target: number | null;
}

const COMMAND_COLUMNS: readonly TextColumn<CommandRow>[] = [
  ['log', (row) => row.log],
  ['in flight', (row) => String(row.inFlight)],
  ['commands/s', (row) => row.commands.toFixed(0)],
  ['p50 ms', (row) => row.p50Ms.toFixed(2)],
  ['p99 ms', (row) => row.p99Ms.toFixed(2)],
  ['raw/s', (row) => row.raw.toFixed(0)],
  ['ratio', (row) => (row.commands / row.raw).toFixed(2)],
  ['tracker CPU', (row) => `${row.trackerCpuUs.toFixed(0)} us`],
  ['clients', (row) => `${row.clientCpuUs.toFixed(0)} us`],
  ['target', targetOf],
];

const FIGURE_COLUMNS: readonly TextColumn<Figure>[] = [
  ['what', ({ what }) => what],
  ['in a second', ({ perSecond }) => perSecond.toFixed(0)],
  ['target', ({ target }) => (target === null ? '' : `${target}`)],
];

const parts = flags.parts.split(',');
const levels = flags['in-flight'].split(',').map(Number);
const folder = await mkdtemp(join(tmpdir(), 'cohort-tracker-'));
const logs = flags.logs.split(',').filter(isHere);
const broker = logs.includes('kafka') ? await startBroker({ isLasting: true }) : null;
const machine = machineLine();
try {
  say(machine);
  const places = logs.map(placeOf);
  const figures: Figure[] = [];
  const rows: CommandRow[] = [];
  if (parts.includes('apply')) figures.push(...(await measureApply(places)));
  if (parts.includes('commands') || parts.includes('views')) {
    for (const place of places) await measureTracker(place, { figures, rows });
  }
  if (rows.length > 0) say(textTable(rows, COMMAND_COLUMNS));
  if (figures.length > 0) say(textTable(figures, FIGURE_COLUMNS));
  say(JSON.stringify({ machine, commands: rows, figures }));
} finally {
  await broker?.stop();
  await rm(folder, { recursive: true, force: true });
}

/** Without Kafka the rest is measured, unless it has to be there. */
function isHere(log: string): boolean {
  const reason = log === 'kafka' ? kafkaSkipReason() : null;
  if (reason === null) return true;
  if (process.env['COHORT_REQUIRE_KAFKA'] === '1') throw new Error(`COHORT_REQUIRE_KAFKA=1, but ${reason}`);
  say(`without Kafka: ${reason}`);
  return false;
}

function placeOf(name: string): LogPlace {
  if (name === 'kafka') {
    const { brokers } = broker!;
    return { name, urlOf: (purpose) => `kafka:${brokers}/bench-${purpose}`, rawRate: rawKafka(brokers.split(',')) };
  }
  return {
    name,
    urlOf: (purpose) => `sqlite:${join(folder, `${purpose}.sqlite`)}`,
    rawRate: rawSqlite(join(folder, 'raw')),
  };
}

async function measureApply(places: readonly LogPlace[]): Promise<Figure[]> {
  const rates: ApplyRates = await applyRates(Number(flags.records), places);
  return [
    { what: 'applied alone', perSecond: rates.applied, target: 300_000 },
    { what: 'decoded, applied, root and digest', perSecond: rates.derived, target: 100_000 },
    ...[...rates.replayed].map(([log, perSecond]) => ({ what: `replayed from ${log}`, perSecond, target: 60_000 })),
  ];
}

/** One tracker on a log, with everything that is asked of it over the wire. */
async function measureTracker(place: LogPlace, into: { figures: Figure[]; rows: CommandRow[] }): Promise<void> {
  const logUrl = place.urlOf('commands');
  const system = await LocalSystem.prepare({ folder: join(folder, place.name), trackerCount: 1, logUrl });
  try {
    await system.startTrackers();
    const [tracker] = system.trackers;
    const load = await CommandLoad.gather(tracker!.address, { folder: system.folder, count: PEERS });
    if (parts.includes('commands')) {
      for (const inFlight of levels)
        into.rows.push(await measureCommands({ place, load, inFlight, tracker: tracker! }));
    }
    if (parts.includes('views') && place.name === 'sqlite') into.figures.push(...(await measureViews(load)));
    load.disconnect();
    await expectSound(tracker!, logUrl, load);
  } finally {
    await system.stop();
  }
}

/** A tracker's turn, then the same records raw, and so on. */
async function measureCommands(at: {
  place: LogPlace;
  load: CommandLoad;
  inFlight: number;
  tracker: LocalTracker;
}): Promise<CommandRow> {
  const { place, load, inFlight, tracker } = at;
  const rounds: Answered[] = [];
  const raw: number[] = [];
  const cpu = { tracker: 0, clients: 0 };
  for (let round = 0; round < Number(flags.rounds); round++) {
    const { endOffset: from } = await trackerStatus(tracker);
    const before = cpuOf(tracker);
    rounds.push(await load.commands({ inFlight, seconds: Number(flags.seconds) }));
    const after = cpuOf(tracker);
    cpu.tracker += after.tracker - before.tracker;
    cpu.clients += after.clients - before.clients;
    const values = await recordsOf(place.urlOf('commands'), { from, to: (await trackerStatus(tracker)).endOffset });
    raw.push(await place.rawRate({ values, inFlight }));
  }
  const latenciesMs = rounds.flatMap((round) => round.latenciesMs);
  return {
    log: place.name,
    inFlight,
    commands: medianOf(rounds.map(({ perSecond }) => perSecond)),
    p50Ms: medianOf(latenciesMs),
    p99Ms: quantileOf(latenciesMs, 0.99),
    raw: medianOf(raw),
    trackerCpuUs: (cpu.tracker * 1e6) / latenciesMs.length,
    clientCpuUs: (cpu.clients * 1e6) / latenciesMs.length,
  };
}

/** Processor time so far, in seconds. */
function cpuOf(tracker: LocalTracker): { tracker: number; clients: number } {
  const { user, system } = process.cpuUsage();
  return { tracker: cpuSeconds(tracker.process.pid) ?? NaN, clients: (user + system) / 1e6 };
}

async function measureViews(load: CommandLoad): Promise<Figure[]> {
  const asking = { inFlight: LOOKUPS_IN_FLIGHT, seconds: Number(flags.seconds) };
  const rate = async (): Promise<number> => {
    const rounds: number[] = [];
    for (let round = 0; round < Number(flags.rounds); round++) rounds.push((await load.lookups(asking)).perSecond);
    return medianOf(rounds);
  };
  const without = await rate();
  await load.allowDownloads();
  return [
    { what: 'source look-ups', perSecond: without, target: 10_000 },
    { what: 'source look-ups, each with a grant', perSecond: await rate(), target: null },
  ];
}

/** Facts, whatever the timings: who was told "accepted" finds it in the log once, and the log replays to what was served. */
async function expectSound(tracker: LocalTracker, logUrl: string, load: CommandLoad): Promise<void> {
  const status = await trackerStatus(tracker);
  const replica = await replayed(logUrl);
  const own = replica.digestAt(status.appliedOffset);
  if (own !== status.digest) throw new Error(`${logUrl} replays to another digest than its tracker has`);
  const remembered = [...replica.state.outcomes.values()].filter(({ peerId }) => peerId !== null);
  const accepted = remembered.filter(({ outcome }) => outcome.status === 'accepted').length;
  if (accepted !== load.acceptedCount) {
    throw new Error(`${load.acceptedCount} commands were accepted, ${accepted} stand in ${logUrl}`);
  }
  say(`${logUrl}: ${accepted} commands accepted, each once in the log, which replays to the digest ${own}`);
}

function targetOf({ log, inFlight }: CommandRow): string {
  if (inFlight < 512) return '';
  return log === 'kafka' ? 'ratio 0.25, better 0.40' : '8000/s';
}
