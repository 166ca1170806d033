// `npm run bench:state`: a tracker with a large state. What each user, group and share takes in memory, how large a snapshot of
// them is and how long it takes, what commands notice while one is taken, and how soon the tracker is ready with it and without.
// Targets are printed and not judged. What is judged: after the restart the tracker has the digest that it had before.
//   npm run bench:state -- --users 1000000 --groups 100000 --shares 2000000 --in-flight 1 --seconds 10
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { loadOrCreateIdentity } from '#identity/identity';
import type { AppendRecord } from '../../apps/tracker/src/command-log/command-log.ts';
import { openCommandLog } from '../../apps/tracker/src/command-log/open-command-log.ts';
import { DerivedState } from '../../apps/tracker/src/replica/derived-state.ts';
import { LocalSystem, type LocalTracker } from '../../infra/quick-start/local-system.ts';
import { machineLine, peakResidentBytes, residentBytes } from '../../infra/quick-start/measured.ts';
import { digestAt, trackerStatus } from '../../infra/quick-start/tracker-status.ts';
import { CommandLoad } from './command-load.ts';
import { type CommunitySize, largeLog, type Phase } from './large-log.ts';
import { quantileOf, say, type TextColumn, textTable } from './table.ts';

const { values: flags } = parseArgs({
  options: {
    users: { type: 'string', default: '1000000' },
    groups: { type: 'string', default: '100000' },
    shares: { type: 'string', default: '2000000' },
    'in-flight': { type: 'string', default: '1' },
    seconds: { type: 'string', default: '10' },
  },
});

interface Figure {
  readonly what: string;
  readonly value: string;
  readonly target?: string;
}

const COLUMNS: readonly TextColumn<Figure>[] = [
  ['what', ({ what }) => what],
  ['measured', ({ value }) => value],
  ['target', ({ target = '' }) => target],
];

const APPENDED_AT_ONCE = 1_000;
const READY_TIMEOUT_MS = 30 * 60_000;
const PEERS = 8;
const MIB = 2 ** 20;

const size: CommunitySize = {
  users: Number(flags.users),
  groups: Number(flags.groups),
  shares: Number(flags.shares),
};
const inFlight = Number(flags['in-flight']);
const folder = await mkdtemp(join(tmpdir(), 'cohort-state-'));
const logUrl = `sqlite:${join(folder, 'large.sqlite')}`;
const system = await LocalSystem.prepare({ folder, trackerCount: 1, logUrl, readyTimeoutMs: READY_TIMEOUT_MS });
try {
  const machine = machineLine();
  say(machine);
  say(`${size.users} users, ${size.groups} groups of one with a session, ${size.shares} shares`);
  const figures = [...(await fillLog()), ...(await measureTracker())];
  say(textTable(figures, COLUMNS));
  say(JSON.stringify({ machine, size, figures }));
} finally {
  await system.stop();
  await rm(folder, { recursive: true, force: true });
}

/** Fills the log, and applies it here as it goes: what each kind of record adds to what is alive in memory. */
async function fillLog(): Promise<Figure[]> {
  const log = await openCommandLog({ url: logUrl, trackerInfoPath: null });
  const identity = await loadOrCreateIdentity(join(folder, 'filler'));
  const derived = new DerivedState();
  const aliveAfter = new Map<Phase, number>();
  let waiting: AppendRecord[] = [];
  let phase: Phase = 'genesis';
  for (const [next, record] of largeLog(identity, size)) {
    if (next !== phase) aliveAfter.set(phase, aliveBytes());
    phase = next;
    derived.apply({ ...record, offset: derived.state.appliedOffset + 1, appendTimeMs: null });
    waiting.push(record);
    if (waiting.length < APPENDED_AT_ONCE) continue;
    await log.append(waiting);
    waiting = [];
  }
  aliveAfter.set(phase, aliveBytes());
  if (waiting.length > 0) await log.append(waiting);
  await log.close();
  const { state } = derived;
  const remembered = `of them ${state.outcomes.size} outcomes and the digests of a million records`;
  return [
    perEntity('a user with a password', { count: state.users.size, from: 'genesis', to: 'users' }, aliveAfter),
    perEntity(
      'a group with its owner and a session',
      { count: state.groups.size, from: 'users', to: 'groups' },
      aliveAfter,
    ),
    perEntity('a share with its seeder', { count: size.shares, from: 'groups', to: 'shares' }, aliveAfter),
    { what: `the whole, ${remembered}`, value: `${(aliveAfter.get(phase)! / MIB).toFixed(0)} MiB` },
  ];
}

function perEntity(
  what: string,
  { count, from, to }: { count: number; from: Phase; to: Phase },
  aliveAfter: ReadonlyMap<Phase, number>,
): Figure {
  const bytes = (aliveAfter.get(to)! - aliveAfter.get(from)!) / count;
  return { what: `${what}, in memory with what is remembered of its records`, value: `${bytes.toFixed(0)} bytes` };
}

/** What is alive in this process, in bytes. */
function aliveBytes(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function measureTracker(): Promise<Figure[]> {
  const withoutMs = await timed(() => system.startTrackers());
  const [tracker] = system.trackers as [LocalTracker];
  const startedAtMs = performance.now();
  const alone = residentBytes(tracker.process.pid);
  const load = await CommandLoad.gather(tracker.address, { folder, count: PEERS });
  const during: number[] = [];
  while ((await trackerStatus(tracker)).snapshots.length === 0) {
    during.push(...(await load.commands({ inFlight, seconds: 1 })).latenciesMs);
  }
  const takingMs = performance.now() - startedAtMs;
  const peak = peakResidentBytes(tracker.process.pid);
  const calm = (await load.commands({ inFlight, seconds: Number(flags.seconds) })).latenciesMs;
  load.disconnect();
  const { snapshots, appliedOffset } = await trackerStatus(tracker);
  const { digest } = await digestAt(tracker.http, appliedOffset);
  const withMs = await restart(tracker, { appliedOffset, digest });
  const name = `snapshot-${String(snapshots[0]!.offset).padStart(16, '0')}`;
  const { size: bytes } = await stat(join(tracker.dataDirectory, 'snapshots', name));
  return [
    { what: `a snapshot of offset ${snapshots[0]!.offset}`, value: `${(bytes / MIB).toFixed(0)} MiB` },
    { what: 'taking the first one, from offset 0 on, under load', value: seconds(takingMs) },
    { what: 'resident memory, at most while it was taken', value: `${mib(alone)}, ${mib(peak)}` },
    ...latencies(calm, during),
    { what: 'ready without a snapshot', value: seconds(withoutMs) },
    { what: 'ready with it', value: seconds(withMs), target: '20 s' },
  ];
}

/** Kills the tracker and starts it again; how long until it is ready. */
async function restart(tracker: LocalTracker, had: { appliedOffset: number; digest: string }): Promise<number> {
  await tracker.process.kill();
  const elapsedMs = await timed(() => system.restartTracker(tracker.ordinal));
  const { digest } = await digestAt(system.trackers[0]!.http, had.appliedOffset);
  if (digest !== had.digest) throw new Error(`offset ${had.appliedOffset} had ${had.digest}, now it has ${digest}`);
  return elapsedMs;
}

function latencies(calm: readonly number[], during: readonly number[]): Figure[] {
  const of = (latenciesMs: readonly number[]): string =>
    `p50 ${quantileOf(latenciesMs, 0.5).toFixed(1)} ms, p99 ${quantileOf(latenciesMs, 0.99).toFixed(1)} ms (${latenciesMs.length})`;
  const ratio = quantileOf(during, 0.99) / quantileOf(calm, 0.99);
  return [
    { what: `commands, ${inFlight} in flight, otherwise`, value: of(calm) },
    { what: `commands, ${inFlight} in flight, while it was taken`, value: of(during) },
    { what: 'ratio of the p99', value: ratio.toFixed(2), target: '3 at most' },
  ];
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAtMs = performance.now();
  await work();
  return performance.now() - startedAtMs;
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

function mib(bytes: number | null): string {
  return bytes === null ? 'not told' : `${(bytes / MIB).toFixed(0)} MiB`;
}
