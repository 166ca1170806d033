// Owns reading what infra/README.md promises of metrics and alerts, and the queries of the dashboard.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../infra/quick-start/node-process.ts';

/** A line of the table. */
export interface MetricLine {
  readonly name: string;
  readonly type: string;
  readonly labels: readonly string[];
  readonly of: 'tracker' | 'peer' | 'both';
}

const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

/** The table of all metrics. */
export function metricTable(): MetricLine[] {
  const lines = read('infra/README.md').matchAll(/^\| `(\w+)` +\| (\w+) +\| ([\w, ]*?) *\| (\w+) +\|/gm);
  return [...lines].map(([, name, type, labels, of]) => ({
    name: name!,
    type: type!,
    labels: labels === '' ? [] : labels!.split(', '),
    of: of as MetricLine['of'],
  }));
}

/** The names of the alerts that the runbook explains. */
export function explainedAlerts(): string[] {
  return [...read('infra/README.md').matchAll(/^### (Cohort\w+)$/gm)].map(([, name]) => name!);
}

/** The names of the alerts, and what they ask for. */
export function alertRules(): { readonly names: string[]; readonly text: string; readonly tests: string } {
  const text = read('infra/metrics/alerts.yml');
  return {
    names: [...text.matchAll(/- alert: (\w+)$/gm)].map(([, name]) => name!),
    text,
    tests: read('infra/metrics/alerts.test.yml'),
  };
}

interface Panel {
  readonly title: string;
  readonly type: string;
  readonly description?: string;
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

/** The panels of the dashboard, without the headings of its rows. */
export function dashboardPanels(): readonly Panel[] {
  const { panels } = JSON.parse(read('infra/metrics/dashboard.json')) as { panels: Panel[] };
  return panels.filter(({ type }) => type !== 'row');
}

/** All queries of the dashboard. */
export function dashboardQueries(): string[] {
  return dashboardPanels().flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
}

/** The metrics of an expression, without what histograms add to a name. */
export function metricsIn(text: string): Set<string> {
  const names = text.matchAll(/\b(?:cohort|process|nodejs)_[a-z0-9_]+\b/g);
  return new Set([...names].map(([name]) => name.replace(/_bucket$/, '')));
}
