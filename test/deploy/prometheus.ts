// Owns a real Prometheus for tests: Debian's, on a free port, with the project's own configuration and rules. Only whom it asks,
// how often, and for how long a rule looks back are others, so that minutes take seconds.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePorts } from '../../infra/quick-start/ports.mjs';
import { ROOT } from '../../infra/quick-start/node-process.ts';
import { until } from '../../infra/quick-start/until.ts';

const STEP = '200ms';
/** What a rule looks back on here, whatever it is in earnest. */
export const WINDOW = '2s';
const METRICS = join(ROOT, 'infra/metrics');

/** Where Prometheus is demanded its absence is a failure, not a reason to leave the test out. */
export function reasonToSkipPrometheus(): string | null {
  const isThere = ['prometheus', 'promtool'].every((tool) => spawnSync(tool, ['--version']).status === 0);
  if (isThere || process.env['COHORT_REQUIRE_PROMETHEUS'] === '1') return null;
  process.stderr.write('left out, alerts and the dashboard: prometheus and promtool are not installed\n');
  return 'prometheus and promtool are not installed';
}

/** Runs promtool on the files of infra/metrics. */
export function promtool(...words: string[]): { readonly code: number | null; readonly output: string } {
  const { status, stdout, stderr } = spawnSync('promtool', words, { cwd: METRICS, encoding: 'utf8' });
  return { code: status, output: `${stdout}${stderr}` };
}

/** Whom it asks, as `host:port`. */
export interface Targets {
  readonly trackers: readonly string[];
  readonly peers: readonly string[];
}

/** One series of an answer. */
export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [time: number, value: string];
}

interface Alert {
  readonly state: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** A Prometheus that runs. */
export class Prometheus {
  readonly #folder: string;
  readonly #url: string;
  readonly #child: ChildProcess;

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.#url = `http://127.0.0.1:${port}`;
    const flags = [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      ...[`--web.listen-address=127.0.0.1:${port}`, '--web.enable-lifecycle', '--log.level=warn'],
    ];
    this.#child = spawn('prometheus', flags, { stdio: ['ignore', 'inherit', 'inherit'] });
  }

  static async start(folder: string, targets: Targets): Promise<Prometheus> {
    await mkdir(folder, { recursive: true });
    const [port] = await freePorts('127.0.0.1', [0]);
    const rules = await readFile(join(METRICS, 'alerts.yml'), 'utf8');
    await writeFile(join(folder, 'alerts.yml'), hurried(rules));
    await writeFile(join(folder, 'prometheus.yml'), await configuration(targets));
    const prometheus = new Prometheus(folder, port!);
    await until('Prometheus is ready', async () => {
      const answer = await fetch(`${prometheus.#url}/-/ready`).catch(() => null);
      return answer?.ok ?? false;
    });
    return prometheus;
  }

  /** Asks others from now on. */
  async ask(targets: Targets): Promise<void> {
    await writeFile(join(this.#folder, 'prometheus.yml'), await configuration(targets));
    const { status } = await fetch(`${this.#url}/-/reload`, { method: 'POST' });
    if (status !== 200) throw new Error(`Prometheus does not take its configuration: ${status}`);
  }

  async query(expression: string): Promise<readonly Series[]> {
    const answer = await fetch(`${this.#url}/api/v1/query?query=${encodeURIComponent(expression)}`);
    const { status, error, data } = (await answer.json()) as {
      status: string;
      error?: string;
      data?: { result: Series[] };
    };
    if (status !== 'success') throw new Error(`${expression}: ${error}`);
    return data!.result;
  }

  /** The labels of the alerts that fire. */
  async firing(): Promise<readonly Alert['labels'][]> {
    const answer = await fetch(`${this.#url}/api/v1/alerts`);
    const { data } = (await answer.json()) as { data: { alerts: Alert[] } };
    return data.alerts.filter(({ state }) => state === 'firing').map(({ labels }) => labels);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await ended;
  }
}

/** Rules that look back two seconds, and wait for nothing. */
export function hurried(text: string): string {
  return text.replaceAll(/\[\d+[smh]\]/g, `[${WINDOW}]`).replaceAll(/for: \d+[smh]/g, 'for: 0s');
}

async function configuration({ trackers, peers }: Targets): Promise<string> {
  const text = await readFile(join(METRICS, 'prometheus.yml'), 'utf8');
  const asked = (job: string, targets: readonly string[]) => (yaml: string) =>
    yaml.replace(
      new RegExp(`(job_name: ${job}\\n[^]*?targets:\\n)(?: +- .*\\n)+`),
      (_, head: string) => `${head}${targets.map((target) => `          - ${target}\n`).join('')}`,
    );
  const hurriedText = text.replaceAll(/_interval: 15s/g, `_interval: ${STEP}`);
  return asked('cohort-peer', peers)(asked('cohort-tracker', trackers)(hurriedText));
}
