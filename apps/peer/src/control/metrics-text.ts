// Owns the text of /metrics, in the exposition format of Prometheus: what the workers did, and how the trackers stand.
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

/** The metrics of the engine and of the link as text. */
export function metricsText(engine: EngineMetrics, trackers: readonly TrackerStatus[]): string {
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
      { name: 'cohort_tracker_ready', type: 'gauge', help: 'Whether a tracker answers and has caught up.' },
      trackers.map(({ address, state }) => [`{tracker="${address}"}`, state === 'ready' ? 1 : 0]),
    ),
  ].join('');
}

function single(name: string, help: string, value: number): string {
  return lines({ name, type: 'counter', help }, [['', value]]);
}

function lines({ name, type, help }: Metric, samples: readonly (readonly [labels: string, value: number])[]): string {
  const values = samples.map(([labels, value]) => `${name}${labels} ${value}\n`).join('');
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${values}`;
}
