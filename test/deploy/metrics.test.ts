// Facts about a system that is watched: every metric of the runbook's table is told after the demo's main job, a real Prometheus
// answers every query of the dashboard, and every alert fires when what it is about really happens.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { LocalSystem } from '../../infra/quick-start/local-system.ts';
import { freePorts } from '../../infra/quick-start/ports.mjs';
import { until } from '../../infra/quick-start/until.ts';
import * as cause from './alert-causes.ts';
import { alertRules, dashboardQueries, metricTable } from './metric-table.ts';
import { Prometheus, reasonToSkipPrometheus, WINDOW } from './prometheus.ts';
import {
  beginDownload,
  beginWatched,
  happenOnce,
  peerOf,
  shared,
  targetsOf,
  type WatchedPeer,
} from './watched-system.ts';

vi.setConfig({ testTimeout: 120_000 });

/** Prometheus asks every second here, and looks at what came as often. */
const LOOKED_AT_WITHIN_MS = 6_000;
const MIB = 1024 * 1024;
const skipReason = reasonToSkipPrometheus();
const table = metricTable();
const seen = new Set<string>();
let folder: string;
let system: LocalSystem;
let keeper: WatchedPeer;
let end: () => void = () => undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cohort-metrics-'));
  system = await LocalSystem.prepare({ folder: join(folder, 'system'), trackerCount: 2 });
  await system.startTrackers();
  keeper = await beginWatched(system);
  end = await happenOnce(system, keeper);
}, 180_000);
afterAll(async () => {
  end();
  cause.unmountCramped(system);
  await system.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Name, type and labels of everything at a /metrics, and the values by name. */
async function toldAt(url: string) {
  const text = await (await fetch(`${url}/metrics`)).text();
  const types = new Map([...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name, type]) => [name!, type!]));
  const samples = [...text.matchAll(/^(\w+)(?:\{(.*)\})? (\S+)$/gm)].map(([, name, labels = '', value]) => ({
    name: name!.replace(/_(?:bucket|sum|count)$/, (suffix) => (types.has(name!) ? suffix : '')),
    labels: [...labels.matchAll(/(\w+)="/g)].map(([, label]) => label!).filter((label) => label !== 'le'),
    value: Number(value),
  }));
  return { types, samples };
}

describe('after the demo', () => {
  it.each(['tracker', 'peer'] as const)('a %s tells every metric of the table, as it stands there', async (kind) => {
    const told = await toldAt(kind === 'tracker' ? system.trackers[1]!.http : keeper.control.url);
    for (const { name, type, labels, of } of table) {
      if (of !== kind && of !== 'both') continue;
      expect(told.types.get(name), name).toBe(type);
      const samples = told.samples.filter((sample) => sample.name === name);
      expect(samples.length, name).toBeGreaterThan(0);
      for (const sample of samples) {
        expect(sample.labels.toSorted(), name).toEqual(labels.toSorted());
        expect(sample.value, name).toBeGreaterThanOrEqual(name === 'cohort_snapshot_offset' ? -1 : 0);
      }
    }
    const ofTable = new Set(table.filter(({ of }) => of === kind || of === 'both').map(({ name }) => name));
    expect([...told.types.keys()].filter((name) => name.startsWith('cohort_') && !ofTable.has(name))).toEqual([]);
  });

  it('the values are those of what was done', async () => {
    const [one, two] = await Promise.all(system.trackers.map(({ http }) => toldAt(http)));
    const sumOf = ({ samples }: Awaited<ReturnType<typeof toldAt>>, name: string): number =>
      samples.filter((sample) => sample.name === name).reduce((sum, { value }) => sum + value, 0);
    expect(sumOf(one!, 'cohort_ready')).toBe(1);
    expect(sumOf(one!, 'cohort_unready')).toBe(0);
    expect(sumOf(one!, 'cohort_users')).toBe(4);
    expect(sumOf(one!, 'cohort_sessions')).toBe(4);
    expect(sumOf(one!, 'cohort_groups')).toBe(2);
    expect(sumOf(one!, 'cohort_peers_online')).toBe(4);
    expect(sumOf(one!, 'cohort_log_lag_records')).toBe(0);
    expect(sumOf(one!, 'cohort_end_offset')).toBe(sumOf(one!, 'cohort_applied_offset') + 1);
    expect(sumOf(one!, 'cohort_rules_version')).toBe(3);
    expect(sumOf(two!, 'cohort_commands_total')).toBeGreaterThan(5);
    const carol = await toldAt(peerOf(system, 'carol').control.url);
    // The big file, and four small ones of two pieces and a byte altogether.
    expect(sumOf(carol, 'cohort_worker_received_bytes_total')).toBeGreaterThanOrEqual(17 * MIB);
    expect(sumOf(carol, 'cohort_pieces_verified_total')).toBe(36);
    expect(sumOf(carol, 'cohort_pieces_failed_total')).toBe(0);
    expect(sumOf(carol, 'cohort_transfers')).toBe(5);
    expect(sumOf(carol, 'cohort_tracker_ready')).toBe(2);
    expect(sumOf(carol, 'cohort_pool_busy_seconds_total')).toBeGreaterThan(0.01);
    const keeps = await toldAt(keeper.control.url);
    expect(sumOf(keeps, 'cohort_event_streams')).toBe(1);
    expect(sumOf(keeps, 'cohort_kept_copies_limit_bytes')).toBe(64 * MIB);
    expect(sumOf(keeps, 'process_resident_memory_bytes')).toBeGreaterThan(50 * MIB);
  });
});

describe.skipIf(skipReason !== null)('a Prometheus that watches it', () => {
  let prometheus: Prometheus;
  beforeAll(async () => {
    prometheus = await Prometheus.start(join(folder, 'prometheus'), targetsOf(system));
  }, 60_000);
  afterAll(() => prometheus.stop());

  /** Waits until an alert fires with these labels, and says how severe it is. */
  async function severity(alertname: string, labels: Readonly<Record<string, string>> = {}): Promise<string> {
    const fits = (alert: Readonly<Record<string, string>>): boolean =>
      Object.entries({ ...labels, alertname }).every(([name, value]) => alert[name] === value);
    const alert = await until(
      `${alertname} fires`,
      async () => (await prometheus.firing()).find((each) => fits(each)) ?? null,
    );
    seen.add(alertname);
    return alert['severity']!;
  }

  /** What a tracker signs next ends a dispute with it: one that was over before anybody looked is begun anew. Its offset. */
  async function disputedCheckpoint(): Promise<number> {
    let [offset, begunMs] = [await cause.falseCheckpoint(system), performance.now()];
    await until('a dispute is told of', async () => {
      const firing = new Set((await prometheus.firing()).map(({ alertname, reason }) => reason ?? alertname));
      if (firing.has('CohortCheckpointDisputed') && firing.has('checkpoint_disputed')) return true;
      if (performance.now() - begunMs < LOOKED_AT_WITHIN_MS) return false;
      [offset, begunMs] = [await cause.falseCheckpoint(system), performance.now()];
      return false;
    });
    return offset;
  }

  it('answers every query of the dashboard', async () => {
    const unanswered = new Set(dashboardQueries().map((query) => query.replaceAll('$__rate_interval', WINDOW)));
    // What shows only while something is wrong has nothing to show now.
    unanswered.delete('cohort_unready == 1');
    await until('every query has an answer', async () => {
      for (const query of unanswered) if ((await prometheus.query(query)).length > 0) unanswered.delete(query);
      return unanswered.size === 0;
    }).catch(() => expect([...unanswered]).toEqual([]));
  });

  it('says nothing while all is well', async () => {
    // The disk of this machine may be as full as it is; and where it is busy, an answer takes longer than the rules wait here.
    const others = async () => (await prometheus.firing()).filter(({ alertname }) => alertname !== 'CohortDiskFilling');
    let firing: Awaited<ReturnType<typeof others>> = [];
    await until('it is silent', async () => (firing = await others()).length === 0).catch(() =>
      expect(firing).toEqual([]),
    );
  });

  it('tells of a member who sends wrong bytes', async () => {
    const mallory = await cause.hostileMember(system);
    await shared(system, mallory, { name: 'lie.bin', totalBytes: MIB });
    await beginDownload(peerOf(system, 'bob').control, { file: 'lie.bin', destination: join(folder, 'lies') });
    expect(await severity('CohortPiecesFailing')).toBe('warning');
    await mallory.process.stop();
  });

  it('tells of damage on a disk', async () => {
    const path = await shared(system, keeper, { name: 'rotten.bin', totalBytes: 2 * MIB });
    await cause.rot(path);
    expect(await severity('CohortDamageFound')).toBe('warning');
  });

  it('tells of a disk that fills up, and of a download that ends there', async ({ skip }) => {
    const cramped = await cause.crampedPeer(system);
    if (cramped === null) return skip('needs the right to mount a small file system');
    await prometheus.ask(targetsOf(system));
    expect(await severity('CohortDiskFilling', { instance: new URL(cramped.control.url).host, folder: 'data' })).toBe(
      'warning',
    );
    await until('the peer has been asked', async () => {
      const series = await prometheus.query(`cohort_write_failures_total{code="disk_full"}`);
      return series.some(({ metric }) => metric['instance'] === new URL(cramped.control.url).host);
    });
    await beginDownload(cramped.control, { file: 'big.bin', destination: join(system.folder, 'cramped', 'files') });
    expect(await severity('CohortWritesFailing', { code: 'disk_full' })).toBe('warning');
    await cramped.process.stop();
  });

  it('tells of threads that are at work all the time', async () => {
    const done = await cause.keepBusy(system, keeper);
    expect(await severity('CohortPoolSaturated')).toBe('warning');
    await done();
  });

  it('tells of many refusals', async () => {
    await cause.annoy(system);
    expect(await severity('CohortRefusalsJump')).toBe('warning');
  });

  it('tells of a log that takes no records', async () => {
    const unlock = cause.lockLog(system);
    try {
      expect(await cause.failingCommand(system)).toBe('log_unavailable');
      expect(
        await Promise.all([
          severity('CohortLogUnavailable'),
          severity('CohortAppendsFailing', { code: 'log_unavailable' }),
          severity('CohortAppendsSlow'),
        ]),
      ).toEqual(['critical', 'warning', 'warning']);
    } finally {
      unlock();
    }
  });

  it('tells of trackers that do not agree, and of why they take no commands', async () => {
    const offset = await disputedCheckpoint();
    expect(
      await Promise.all([
        severity('CohortCheckpointDisputed'),
        severity('CohortTrackerNotReady', { reason: 'checkpoint_disputed' }),
      ]),
    ).toEqual(['critical', 'critical']);
    await cause.ruleAgainst(system, offset);
  });

  it('tells of a tracker that is behind its log, and of one that follows another log', async () => {
    const [port] = await freePorts('127.0.0.1', [0]);
    const { trackers, peers } = targetsOf(system);
    await prometheus.ask({ trackers: [...trackers, `127.0.0.1:${port}`], peers });
    const stray = await cause.strayTracker(join(folder, 'stray'), `127.0.0.1:${port}`);
    const ready = stray.ready();
    expect(await severity('CohortLogLag')).toBe('warning');
    await ready;
    expect(await severity('CohortTrackersDiffer', { job: 'cohort-tracker' })).toBe('critical');
    await stray.stop();
  });

  it('tells of processes that are down, and of peers that reach no tracker', async () => {
    await Promise.all(system.trackers.map(({ process }) => process.kill()));
    expect(
      await Promise.all([
        severity('CohortProcessDown', { job: 'cohort-tracker' }),
        severity('CohortNoTrackerReachable', { job: 'cohort-peer' }),
      ]),
    ).toEqual(['critical', 'critical']);
  });

  it('has told of everything that there is an alert for', ({ skip }) => {
    skip(!seen.has('CohortDiskFilling'), 'a small file system could not be mounted');
    expect([...seen].toSorted()).toEqual(alertRules().names.toSorted());
  });
});
