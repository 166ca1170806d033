// `npm run bench:crowd`: what the presence of many peers costs one tracker. Every peer is real: a key, a TLS connection and a
// stream of pushes of its own, from processes beside the tracker's, and a heartbeat every ten seconds. Where the limit on open
// files of a process is below the number of peers, there are as many as it allows, and the table says how many. What
// fails it is a heartbeat that is refused, or a peer that the tracker does not take to be there. Linux only: peers come from
// many loopback addresses, and processor time is read from /proc.
//   npm run bench:crowd -- --peers 2000,20000 --seconds 30
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { LocalSystem, type LocalTracker } from '../../infra/quick-start/local-system.ts';
import { cpuSeconds, machineLine, residentBytes } from '../../infra/quick-start/measured.ts';
import type { HeartbeatCount, HeartbeatOrder } from './crowd-process.ts';
import { mibOf, quantileOf, say, type TextColumn, textTable } from './table.ts';

const { values: flags } = parseArgs({
  options: {
    peers: { type: 'string', default: '2000,20000' },
    seconds: { type: 'string', default: '30' },
  },
});

/** One line of the table. */
interface Row {
  readonly peers: number;
  readonly perSecond: number;
  /** Of one processor. */
  readonly cpuPart: number;
  readonly residentBytes: number;
  readonly bytesPerPeer: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const COLUMNS: readonly TextColumn<Row>[] = [
  ['peers', ({ peers }) => String(peers)],
  ['heartbeats/s', ({ perSecond }) => perSecond.toFixed(0)],
  ['of one CPU', ({ cpuPart }) => `${(cpuPart * 100).toFixed(1)} %`],
  ['CPU each', ({ cpuPart, perSecond }) => `${((cpuPart * 1e6) / perSecond).toFixed(0)} us`],
  ['resident MiB', (row) => mibOf(row.residentBytes)],
  ['KiB a peer', ({ bytesPerPeer }) => (bytesPerPeer / 1024).toFixed(1)],
  ['p50 ms', ({ p50Ms }) => p50Ms.toFixed(2)],
  ['p99 ms', ({ p99Ms }) => p99Ms.toFixed(2)],
];

const PROCESSES = 2;
/** Files that a tracker has open beside its peers' connections, and room for connections that it tries itself. */
const OTHER_FILES = 200;
/** What connecting so many leaves behind is collected and settled after one round of heartbeats. */
const SETTLE_MS = 10_000;
/** How long peers that were cut off while others connected may take to be there again. */
const GATHER_TIMEOUT_MS = 120_000;

const folder = await mkdtemp(join(tmpdir(), 'cohort-crowd-'));
const system = await LocalSystem.prepare({ folder, trackerCount: 1 });
const children: ChildProcess[] = [];
try {
  await system.startTrackers();
  const machine = machineLine();
  say(machine);
  const rows = await measureAll(system.trackers[0]!);
  say(textTable(rows, COLUMNS));
  say(JSON.stringify({ machine, rows }));
} finally {
  for (const child of children) child.disconnect();
  await system.stop();
  await rm(folder, { recursive: true, force: true });
}

async function measureAll(tracker: LocalTracker): Promise<Row[]> {
  const port = tracker.address.split(':').at(-1)!;
  const script = new URL('./crowd-process.ts', import.meta.url);
  for (let number = 1; number <= PROCESSES; number++) children.push(fork(script, [port, String(number)]));
  const emptyBytes = residentBytes(tracker.process.pid) ?? NaN;
  const filesMax = await openFilesMax(tracker.process.pid);
  const rows: Row[] = [];
  for (const wanted of flags.peers.split(',').map(Number)) {
    const peers = Math.min(wanted, filesMax - OTHER_FILES);
    if (peers < wanted) say(`${peers} peers instead of ${wanted}: a process may have ${filesMax} files open here`);
    rows.push(await measure(tracker, { peers, emptyBytes }));
    say(`measured ${peers}`);
  }
  return rows;
}

async function measure(tracker: LocalTracker, about: { peers: number; emptyBytes: number }): Promise<Row> {
  const { peers, emptyBytes } = about;
  const { pid } = tracker.process;
  await toAll((index) => ({ peers: Math.floor((peers + index) / PROCESSES) }));
  const giveUpAt = performance.now() + GATHER_TIMEOUT_MS;
  do await toAll(() => ({ countMs: SETTLE_MS }));
  while ((await onlineCount(tracker)) < peers && performance.now() < giveUpAt);
  const [begin, cpuBefore] = [performance.now(), cpuSeconds(pid) ?? NaN];
  const counts = (await toAll(() => ({ countMs: Number(flags.seconds) * 1000 }))) as HeartbeatCount[];
  const seconds = (performance.now() - begin) / 1000;
  const cpuPart = ((cpuSeconds(pid) ?? NaN) - cpuBefore) / seconds;
  const bytes = residentBytes(pid) ?? NaN;
  const latenciesMs = counts.flatMap((count) => count.latenciesMs);
  await expectAllThere(tracker, { peers, refused: counts.reduce((sum, { refused }) => sum + refused, 0) });
  return {
    peers,
    perSecond: latenciesMs.length / seconds,
    cpuPart,
    residentBytes: bytes,
    bytesPerPeer: (bytes - emptyBytes) / peers,
    p50Ms: quantileOf(latenciesMs, 0.5),
    p99Ms: quantileOf(latenciesMs, 0.99),
  };
}

/** Tells every process what to do and waits for what each has to say about it. */
function toAll(orderOf: (index: number) => HeartbeatOrder): Promise<unknown[]> {
  return Promise.all(
    children.map(async (child, index) => {
      const ended = once(child, 'exit').then(() => Promise.reject(new Error('a process of peers has ended')));
      const answered = once(child, 'message');
      child.send(orderOf(index));
      const [answer] = (await Promise.race([answered, ended])) as [unknown];
      ended.catch(() => undefined);
      return answer;
    }),
  );
}

async function onlineCount({ http }: LocalTracker): Promise<number> {
  const metrics = await (await fetch(`${http}/metrics`)).text();
  return Number(/^cohort_peers_online (\d+)$/m.exec(metrics)?.[1]);
}

async function expectAllThere(tracker: LocalTracker, about: { peers: number; refused: number }): Promise<void> {
  const online = await onlineCount(tracker);
  if (online !== about.peers) throw new Error(`of ${about.peers} peers the tracker takes ${online} to be there`);
  if (about.refused > 0) throw new Error(`${about.refused} heartbeats were refused`);
}

async function openFilesMax(pid: number): Promise<number> {
  const limits = await readFile(`/proc/${pid}/limits`, 'utf8');
  const text = /^Max open files +(\S+)/m.exec(limits)?.[1];
  return text === 'unlimited' ? Infinity : Number(text);
}
