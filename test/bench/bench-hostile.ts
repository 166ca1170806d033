// `npm run bench:hostile`: what a good client of each door (a tracker, a peer's control endpoint, a peer's port for others)
// notices of a hostile one that holds thousands of connections, drips bytes, announces huge lengths, sends garbage, or greets
// and goes. Rounds without the attack, with the same attack on a decoy, and with the attack follow each other; the figure is the
// ratio of the p99, and what the decoy's round has of it is what the machine was busy with, not the door. What a thread
// behind the door has worked meanwhile is told as well: whatever else the machine is busy with does not change it. Fails when a ratio is
// beyond `--at-most`, or when the good client is turned away once. Prints a table, writes JSON. Linux only: the hostile client
// comes from loopback addresses of its own.
//   npm run bench:hostile -- --doors tracker,control,peer --seconds 5 --connections 2000 --addresses 8 --at-most 3
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { machineLine, residentBytes, threadCpuMs } from '../../infra/quick-start/measured.ts';
import { type Door, DOORS, type Work } from './hostile-doors.ts';
import type { DecoyPorts } from './hostile-decoy.ts';
import type { Attack, HostileCount, HostileOrder, HostileTarget } from './hostile-process.ts';
import { mibOf, quantileOf, say, type TextColumn, textTable } from './table.ts';

const ATTACKS: readonly Attack[] = ['hold', 'drip', 'announce', 'garbage', 'greet'];

const { values: flags } = parseArgs({
  options: {
    doors: { type: 'string', default: Object.keys(DOORS).join(',') },
    attacks: { type: 'string', default: ATTACKS.join(',') },
    /** Of each round. */
    seconds: { type: 'string', default: '5' },
    /** That the hostile client wants to hold. */
    connections: { type: 'string', default: '2000' },
    /** From which it comes. */
    addresses: { type: 'string', default: '8' },
    /** Times what the p99 is alone. */
    'at-most': { type: 'string', default: '3' },
    out: { type: 'string', default: join('dist', 'bench') },
  },
});

const PAUSE_MS = 10;
const GIVE_UP_MS = 10_000;
const SAMPLE_MS = 100;
/** An attack is under way before anything is measured, and over before the next round without one. */
const SETTLE_MS = 500;

/** Milliseconds of each thing done, and what went wrong. */
interface Done {
  readonly latenciesMs: number[];
  /** What the busiest thread behind the door has worked from the begin of each to its end, for whomever. */
  readonly workedMs: number[];
  readonly errors: string[];
}

/** What one attack did to one work. */
interface Row {
  readonly door: string;
  readonly attack: string;
  readonly work: string;
  readonly alone: Done;
  /** While a decoy is attacked. */
  readonly beside: Done;
  readonly attacked: Done;
  /** Most memory that the process behind the door had resident meanwhile. */
  readonly peakBytes: number;
  readonly hostile: HostileCount;
}

/** A measured round of all works of a door. */
interface Round {
  readonly done: ReadonlyMap<string, Done>;
  readonly peakBytes: number;
}

const p99 = ({ latenciesMs }: Done): number => quantileOf(latenciesMs, 0.99);
const p50 = ({ latenciesMs }: Done): number => quantileOf(latenciesMs, 0.5);
const worked = ({ workedMs }: Done): string => quantileOf(workedMs, 0.99).toFixed(1);
const ratioOf = ({ alone, attacked }: Row): number => p99(attacked) / p99(alone);
const ratioBeside = ({ alone, beside }: Row): number => p99(beside) / p99(alone);

const COLUMNS: readonly TextColumn<Row>[] = [
  ['door', ({ door }) => door],
  ['attack', ({ attack }) => attack],
  ['good client', ({ work }) => work],
  ['p50 ms', ({ alone }) => p50(alone).toFixed(2)],
  ['p99 ms', ({ alone }) => p99(alone).toFixed(2)],
  ['p50 attacked', ({ attacked }) => p50(attacked).toFixed(2)],
  ['p99 attacked', ({ attacked }) => p99(attacked).toFixed(2)],
  ['ratio of p99', (row) => ratioOf(row).toFixed(2)],
  ['of a decoy', (row) => ratioBeside(row).toFixed(2)],
  ['worked p99 ms', ({ alone }) => worked(alone)],
  ['of a decoy', ({ beside }) => worked(beside)],
  ['attacked', ({ attacked }) => worked(attacked)],
  ['failed', ({ attacked }) => `${attacked.errors.length} of ${attacked.latenciesMs.length}`],
  ['peak MiB', ({ peakBytes }) => mibOf(peakBytes)],
  ['hostile begun', ({ hostile }) => String(hostile.begun)],
  ['cut off', ({ hostile }) => String(hostile.ended)],
  ['held', ({ hostile }) => String(hostile.open)],
];

const scratch = mkdtempSync(join(tmpdir(), 'cohort-hostile-'));
const hostile = fork(new URL('./hostile-process.ts', import.meta.url));
const decoy = fork(new URL('./hostile-decoy.ts', import.meta.url));
try {
  const [[decoyPorts]] = (await Promise.all([once(decoy, 'message'), once(hostile, 'message')])) as [
    [DecoyPorts],
    unknown,
  ];
  const machine = machineLine();
  say(machine);
  const rows: Row[] = [];
  for (const name of flags.doors.split(',')) rows.push(...(await knock(name, decoyPorts)));
  say(textTable(rows, COLUMNS));
  report(machine, rows);
} finally {
  hostile.disconnect();
  decoy.disconnect();
  rmSync(scratch, { recursive: true });
}

async function knock(name: string, decoyPorts: DecoyPorts): Promise<Row[]> {
  const open = DOORS[name];
  if (open === undefined)
    throw new Error(`--doors: there is no door "${name}"; choose from ${Object.keys(DOORS).join()}`);
  const folder = join(scratch, name);
  mkdirSync(folder);
  const door = await open(folder);
  try {
    await measure(door);
    const rounds: { attack: string; alone: Round; beside: Round; attacked: Round; count: HostileCount }[] = [];
    const { speaks } = door.target;
    for (const attack of flags.attacks.split(',') as Attack[]) {
      const alone = await measure(door);
      const { round: beside } = await measureAttacked(door, attack, { speaks, port: decoyPorts[speaks] });
      const { round: attacked, count } = await measureAttacked(door, attack, door.target);
      rounds.push({ attack, alone, beside, attacked, count });
    }
    return rounds.flatMap(({ attack, beside, attacked, count }) =>
      door.works.map(({ name: work }) => ({
        ...{ door: door.name, attack, work, hostile: count, peakBytes: attacked.peakBytes },
        // All rounds without an attack together: one alone has few of the slowest.
        alone: joined(rounds.map(({ alone }) => alone.done.get(work)!)),
        beside: beside.done.get(work)!,
        attacked: attacked.done.get(work)!,
      })),
    );
  } finally {
    await door.close();
  }
}

/** A round while the hostile client attacks a target: the door itself, or the decoy. */
async function measureAttacked(
  door: Door,
  attack: Attack,
  target: HostileTarget,
): Promise<{ round: Round; count: HostileCount }> {
  const { connections, addresses } = flags;
  await tell(hostile, { attack, target, connections: Number(connections), addresses: Number(addresses) });
  await delay(SETTLE_MS);
  const round = await measure(door);
  const count = (await tell(hostile, 'stop')) as HostileCount;
  await delay(SETTLE_MS);
  return { round, count };
}

async function tell(child: ChildProcess, order: HostileOrder): Promise<unknown> {
  const answered = once(child, 'message');
  child.send(order);
  return ((await answered) as [unknown])[0];
}

/** All works of a door for a while, each again and again. */
async function measure({ works, pid }: Door): Promise<Round> {
  const end = performance.now() + Number(flags.seconds) * 1_000;
  let peakBytes = residentBytes(pid) ?? NaN;
  const sampling = setInterval(() => (peakBytes = Math.max(peakBytes, residentBytes(pid) ?? NaN)), SAMPLE_MS);
  const done = await Promise.all(works.map(async (work) => [work.name, await repeat(work, { pid, end })] as const));
  clearInterval(sampling);
  return { done: new Map(done), peakBytes };
}

async function repeat({ run }: Work, { pid, end }: { readonly pid: number; readonly end: number }): Promise<Done> {
  const done: Done = { latenciesMs: [], workedMs: [], errors: [] };
  while (performance.now() < end) {
    const before = threadCpuMs(pid);
    const begin = performance.now();
    await within(GIVE_UP_MS, run()).catch((error: Error) => done.errors.push(error.message));
    done.latenciesMs.push(performance.now() - begin);
    const spent = [...threadCpuMs(pid)].map(([thread, cpuMs]) => cpuMs - (before.get(thread) ?? cpuMs));
    done.workedMs.push(Math.max(...spent));
    await delay(PAUSE_MS);
  }
  return done;
}

function within(timeoutMs: number, work: Promise<void>): Promise<void> {
  const timeout = Promise.withResolvers<void>();
  const timer = setTimeout(() => timeout.reject(new Error('no answer in time')), timeoutMs);
  return Promise.race([work, timeout.promise]).finally(() => clearTimeout(timer));
}

function joined(all: readonly Done[]): Done {
  return {
    latenciesMs: all.flatMap(({ latenciesMs }) => latenciesMs),
    workedMs: all.flatMap(({ workedMs }) => workedMs),
    errors: all.flatMap(({ errors }) => errors),
  };
}

function report(machine: string, rows: readonly Row[]): void {
  const atMost = Number(flags['at-most']);
  const worst = Math.max(...rows.map(ratioOf));
  const errors = rows.flatMap(({ attacked, beside, alone }) =>
    [attacked, beside, alone].flatMap((done) => done.errors),
  );
  say(`ratio of p99 at most ${worst.toFixed(2)} (at most ${atMost}), ${errors.length} failed`);
  for (const error of new Set(errors)) say(`failed: ${error}`);
  const figures = rows.map((row) => ({
    ...{ door: row.door, attack: row.attack, work: row.work, peakBytes: row.peakBytes, hostile: row.hostile },
    ...{ aloneP50Ms: p50(row.alone), aloneP99Ms: p99(row.alone), p50Ms: p50(row.attacked), p99Ms: p99(row.attacked) },
    ...{
      besideP99Ms: p99(row.beside),
      ratio: ratioOf(row),
      ratioBeside: ratioBeside(row),
      done: row.attacked.latenciesMs.length,
      failed: row.attacked.errors.length,
    },
  }));
  mkdirSync(flags.out, { recursive: true });
  writeFileSync(join(flags.out, 'hostile.json'), `${JSON.stringify({ machine, flags, rows: figures }, null, 2)}\n`);
  if (!(worst <= atMost) || errors.length > 0) process.exitCode = 1;
}
