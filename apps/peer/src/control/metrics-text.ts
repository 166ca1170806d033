// Owns the text of /metrics, in the exposition format of Prometheus: what the workers did, how transfers and trackers stand,
// and what is limited. It is told without a token, so no names of groups, files or users stand in it.
import { TRANSFER_STATES, type TransferState } from '#wire/control-api';
import type { LimitsBody, RateLimitsBody } from '#wire/control-limits';
import type { ScrubView } from '#wire/control-upkeep';
import type { EngineMetrics, WorkerMetrics } from '../swarm/transfer-engine.ts';
import type { TrackerStatus } from '../tracker-link/tracker-link.ts';

interface Metric {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
}

const OF_A_WORKER: readonly (Metric & { readonly field: keyof WorkerMetrics })[] = [
  { field: 'tasks', name: 'cohort_worker_tasks_total', type: 'counter', help: 'Tasks that a worker took on.' },
  {
    field: 'receivedBytes',
    name: 'cohort_worker_received_bytes_total',
    type: 'counter',
    help: 'Piece bytes received.',
  },
  { field: 'sentBytes', name: 'cohort_worker_sent_bytes_total', type: 'counter', help: 'Piece bytes sent.' },
  { field: 'hashedBytes', name: 'cohort_worker_hashed_bytes_total', type: 'counter', help: 'Bytes hashed.' },
  { field: 'connections', name: 'cohort_worker_connections', type: 'gauge', help: 'Open connections to peers.' },
];

/** What the metrics are made from. */
export interface MetricsSources {
  readonly engine: EngineMetrics;
  readonly trackers: readonly TrackerStatus[];
  readonly transferStates: readonly TransferState[];
  readonly limits: LimitsBody;
  readonly scrub: ScrubView;
  /** Of the control endpoint; the engine has those of the port for other peers. */
  readonly controlRefusals: readonly (readonly [code: string, count: number])[];
}

/** The metrics of a peer as text. */
export function metricsText(sources: MetricsSources): string {
  const { engine, trackers, transferStates, limits, scrub, controlRefusals } = sources;
  const ofWorkers = OF_A_WORKER.map(({ field, ...metric }) =>
    lines(
      metric,
      engine.workers.map((worker) => [`{worker="${worker.worker}"}`, worker[field]]),
    ),
  );
  return [
    ...ofWorkers,
    single('cohort_pieces_verified_total', 'Pieces that passed verification.', engine.verifiedPieces),
    single('cohort_pieces_failed_total', 'Pieces that failed verification.', engine.failedPieces),
    single('cohort_workers_replaced_total', 'Workers that died and were replaced.', engine.replacedWorkers),
    lines(
      { name: 'cohort_refusals_total', type: 'counter', help: 'Connections and requests refused, by door and code.' },
      [...refusalsAt('peers', engine.refusals), ...refusalsAt('control', controlRefusals)],
    ),
    lines(
      { name: 'cohort_transfers', type: 'gauge', help: 'Transfers by state.' },
      TRANSFER_STATES.map((state) => [`{state="${state}"}`, transferStates.filter((each) => each === state).length]),
    ),
    lines(
      {
        name: 'cohort_limit_bytes_per_second',
        type: 'gauge',
        help: 'Limits of everything together, where there are any.',
      },
      rateSamples(limits),
    ),
    lines({ name: 'cohort_limited_groups', type: 'gauge', help: 'Groups that have limits of their own.' }, [
      ['', limits.groups.length],
    ]),
    lines(
      { name: 'cohort_limit_active_transfers', type: 'gauge', help: 'Limit of active transfers, where there is one.' },
      limits.activeTransfers === null ? [] : [['', limits.activeTransfers]],
    ),
    ...scrubLines(scrub),
    lines(
      { name: 'cohort_tracker_ready', type: 'gauge', help: 'Whether a tracker answers and has caught up.' },
      trackers.map(({ address, state }) => [`{tracker="${address}"}`, state === 'ready' ? 1 : 0]),
    ),
  ].join('');
}

function scrubLines({ readBytes, damagedPieces, bytesPerSecond, roundEndedAt }: ScrubView): string[] {
  const endedSeconds = roundEndedAt === null ? null : Math.floor(Date.parse(roundEndedAt) / 1000);
  return [
    single('cohort_scrub_read_bytes_total', 'Bytes read in search of damage.', readBytes),
    single('cohort_scrub_damaged_pieces_total', 'Damaged pieces found by that.', damagedPieces),
    lines({ name: 'cohort_scrub_bytes_per_second', type: 'gauge', help: 'Rate of the search for damage; 0 is none.' }, [
      ['', bytesPerSecond ?? 0],
    ]),
    lines(
      {
        name: 'cohort_scrub_round_ended_seconds',
        type: 'gauge',
        help: 'When everything that is seeded had been read last, in seconds since 1970.',
      },
      endedSeconds === null ? [] : [['', endedSeconds]],
    ),
  ];
}

function refusalsAt(
  door: string,
  refusals: readonly (readonly [code: string, count: number])[],
): (readonly [string, number])[] {
  return refusals.map(([code, count]) => [`{door="${door}",code="${code}"}`, count]);
}

function rateSamples(rates: RateLimitsBody): (readonly [string, number])[] {
  return [['upload', rates.uploadBytesPerSecond] as const, ['download', rates.downloadBytesPerSecond] as const].flatMap(
    ([direction, rate]) => (rate === null ? [] : [[`{direction="${direction}"}`, rate] as const]),
  );
}

function single(name: string, help: string, value: number): string {
  return lines({ name, type: 'counter', help }, [['', value]]);
}

function lines({ name, type, help }: Metric, samples: readonly (readonly [labels: string, value: number])[]): string {
  const values = samples.map(([labels, value]) => `${name}${labels} ${value}\n`).join('');
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${values}`;
}
