// Owns which figures of a peer stand in /metrics: what the workers did, how transfers, trackers and disks are, and what is limited. It is
// told without a token, so no names of groups, files or users stand in it.
import type { StatsFs } from 'node:fs';
import { type Figure, Figures, type Sample } from '#metrics/figures';
import { BUILD } from '#wire/build';
import { TRANSFER_STATES, type TransferState } from '#wire/control-api';
import type { LimitsBody, RateLimitsBody } from '#wire/control-limits';
import type { KeepingView, ScrubView } from '#wire/control-upkeep';
import type { EngineMetrics, WorkerMetrics } from '../swarm/transfer-engine.ts';
import type { TrackerStatus } from '../tracker-link/tracker-link.ts';
import { DiskLooks } from './disk-looks.ts';

/** What the figures are read from, each when it is asked for. */
export interface PeerFigureSources {
  readonly engine: () => EngineMetrics;
  readonly trackers: () => readonly TrackerStatus[];
  readonly transferStates: () => readonly TransferState[];
  readonly limits: () => LimitsBody;
  readonly scrub: () => ScrubView;
  /** Null for a peer that keeps no copies by itself. */
  readonly keeping: () => KeepingView | null;
  readonly dataDirectory: string;
  readonly eventStreamCount: () => number;
  /** Of the control endpoint; the engine has those of the port for other peers. */
  readonly controlRefusals: () => readonly (readonly [code: string, count: number])[];
}

const OF_A_WORKER: readonly (Figure & { readonly type: 'counter' | 'gauge'; readonly field: keyof WorkerMetrics })[] = [
  { field: 'tasks', name: 'cohort_worker_tasks_total', type: 'counter', help: 'Tasks that a worker took on.' },
  {
    ...{ field: 'receivedBytes', name: 'cohort_worker_received_bytes_total', type: 'counter' },
    help: 'Piece bytes received.',
  },
  { field: 'sentBytes', name: 'cohort_worker_sent_bytes_total', type: 'counter', help: 'Piece bytes sent.' },
  { field: 'hashedBytes', name: 'cohort_worker_hashed_bytes_total', type: 'counter', help: 'Bytes hashed.' },
  { field: 'connections', name: 'cohort_worker_connections', type: 'gauge', help: 'Open connections to peers.' },
];

/** The figures of a peer. */
export function peerFigures(sources: PeerFigureSources): Figures {
  const figures = new Figures();
  figures.read({
    ...{ name: 'cohort_build_info', type: 'gauge', help: 'Always 1: which build this is.', labels: ['build'] },
    read: () => [[{ build: BUILD }, 1]],
  });
  addWorkers(figures, sources);
  addRefusals(figures, sources);
  addTransfers(figures, sources);
  addLimits(figures, sources);
  addScrub(figures, sources);
  addDisks(figures, sources);
  const gauge = gaugesOf(figures);
  gauge('cohort_event_streams', 'Who follows the events of this peer.', sources.eventStreamCount);
  return figures;
}

function addWorkers(figures: Figures, { engine }: PeerFigureSources): void {
  for (const { field, ...figure } of OF_A_WORKER) {
    const read = (): Sample[] =>
      engine().workers.map((worker) => [{ worker: String(worker.worker) }, worker[field]] as const);
    figures.read({ ...figure, labels: ['worker'], read });
  }
  const [gauge, counter] = [gaugesOf(figures), countersOf(figures)];
  gauge('cohort_pool_workers', 'Threads that move and verify bytes.', () => engine().workers.length);
  counter(
    'cohort_pool_busy_seconds_total',
    'For how long those threads were at work.',
    () => engine().pool.busySeconds,
  );
  gauge('cohort_pool_tasks_running', 'Tasks that threads have taken on.', () => engine().pool.runningTasks);
  gauge('cohort_pool_tasks_queued', 'Tasks that no thread has room for.', () => engine().pool.queuedTasks);
  counter('cohort_workers_replaced_total', 'Threads that died and were replaced.', () => engine().replacedWorkers);
  counter('cohort_pieces_verified_total', 'Pieces that passed verification.', () => engine().verifiedPieces);
  counter('cohort_pieces_failed_total', 'Pieces that failed verification.', () => engine().failedPieces);
  figures.read({
    name: 'cohort_write_failures_total',
    ...{ type: 'counter', help: 'Downloads that ended at their own disk, by code.', labels: ['code'] },
    read: () => engine().writeFailures.map(([code, count]) => [{ code }, count]),
  });
}

function addRefusals(figures: Figures, { engine, controlRefusals }: PeerFigureSources): void {
  const atDoor =
    (door: string) =>
    ([code, count]: readonly [string, number]): Sample => [{ door, code }, count];
  figures.read({
    name: 'cohort_refusals_total',
    ...{ type: 'counter', help: 'Connections and requests refused, by door and code.', labels: ['door', 'code'] },
    read: () => [...engine().refusals.map(atDoor('peers')), ...controlRefusals().map(atDoor('control'))],
  });
}

function addTransfers(figures: Figures, { transferStates, trackers }: PeerFigureSources): void {
  figures.read({
    ...{ name: 'cohort_transfers', type: 'gauge', help: 'Transfers by state.', labels: ['state'] },
    read: () => {
      const states = transferStates();
      return TRANSFER_STATES.map((state) => [{ state }, states.filter((each) => each === state).length]);
    },
  });
  const ofTrackers = (name: string, help: string, value: (tracker: TrackerStatus) => boolean): void =>
    figures.read({
      ...{ name, help, type: 'gauge', labels: ['tracker'] },
      read: () => trackers().map((tracker) => [{ tracker: tracker.address }, Number(value(tracker))]),
    });
  ofTrackers(
    'cohort_tracker_ready',
    '1 for a tracker that answers and has caught up.',
    ({ state }) => state === 'ready',
  );
  ofTrackers('cohort_tracker_active', '1 for the tracker that commands go to.', ({ active }) => active);
}

function addLimits(figures: Figures, { limits }: PeerFigureSources): void {
  figures.read({
    name: 'cohort_limit_bytes_per_second',
    ...{ type: 'gauge', help: 'Limits of everything together, where there are any.', labels: ['direction'] },
    read: () => rateSamples(limits()),
  });
  const gauge = gaugesOf(figures);
  gauge('cohort_limited_groups', 'Groups that have limits of their own.', () => limits().groups.length);
  figures.read({
    name: 'cohort_limit_active_transfers',
    ...{ type: 'gauge', help: 'Limit of active transfers, where there is one.' },
    read: () => sampleUnlessNull(limits().activeTransfers),
  });
}

function addScrub(figures: Figures, { scrub }: PeerFigureSources): void {
  const [gauge, counter] = [gaugesOf(figures), countersOf(figures)];
  counter('cohort_scrub_read_bytes_total', 'Bytes read in search of damage.', () => scrub().readBytes);
  counter('cohort_scrub_damaged_pieces_total', 'Damaged pieces found by that.', () => scrub().damagedPieces);
  gauge(
    'cohort_scrub_bytes_per_second',
    'Rate of the search for damage; 0 is none.',
    () => scrub().bytesPerSecond ?? 0,
  );
  figures.read({
    name: 'cohort_scrub_round_end_timestamp_seconds',
    ...{ type: 'gauge', help: 'When everything that is seeded had been read last, in seconds since 1970.' },
    read: () => sampleUnlessNull(secondsOf(scrub().roundEndedAt)),
  });
}

/** The disk of the data directory, and that of kept copies: where downloads go is known to who asked for them. */
function addDisks(figures: Figures, { dataDirectory, keeping }: PeerFigureSources): void {
  const disks = new DiskLooks();
  const onDisks = (name: string, help: string, value: (disk: StatsFs) => number): void =>
    figures.read({
      ...{ name, help, type: 'gauge', labels: ['folder'] },
      read: async () => {
        const kept = keeping();
        const folders = [{ folder: 'data', path: dataDirectory }];
        if (kept !== null) folders.push({ folder: 'kept-copies', path: kept.folder });
        const looks = await Promise.all(folders.map(({ path }) => disks.look(path)));
        return looks.flatMap((disk, at) => (disk === null ? [] : [[{ folder: folders[at]!.folder }, value(disk)]]));
      },
    });
  onDisks('cohort_disk_free_bytes', 'Room on the disk of a folder.', ({ bavail, bsize }) => bavail * bsize);
  onDisks('cohort_disk_size_bytes', 'Size of the disk of a folder.', ({ blocks, bsize }) => blocks * bsize);
  const ofKeeping = (name: string, help: string, value: (kept: KeepingView) => number): void =>
    figures.read({
      ...{ name, help, type: 'gauge' },
      read: () => {
        const kept = keeping();
        return sampleUnlessNull(kept === null ? null : value(kept));
      },
    });
  ofKeeping('cohort_kept_copies_bytes', 'Bytes of the copies that this peer keeps.', ({ keptBytes }) => keptBytes);
  ofKeeping('cohort_kept_copies_limit_bytes', 'How many it may keep.', ({ limitBytes }) => limitBytes);
}

type AddOne = (name: string, help: string, read: () => number) => void;

function gaugesOf(figures: Figures): AddOne {
  return (name, help, read) => figures.read({ name, help, type: 'gauge', read });
}

function countersOf(figures: Figures): AddOne {
  return (name, help, read) => figures.read({ name, help, type: 'counter', read });
}

function sampleUnlessNull(value: number | null): Sample[] {
  return value === null ? [] : [[{}, value]];
}

function secondsOf(time: string | null): number | null {
  return time === null ? null : Math.floor(Date.parse(time) / 1_000);
}

function rateSamples(rates: RateLimitsBody): Sample[] {
  return (
    [
      ['upload', rates.uploadBytesPerSecond],
      ['download', rates.downloadBytesPerSecond],
    ] as const
  ).flatMap(([direction, rate]) => (rate === null ? [] : [[{ direction }, rate] as const]));
}
