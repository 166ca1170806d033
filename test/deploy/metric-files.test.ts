// Facts about metrics on paper: the table of the runbook, the code, the dashboard and the alerts speak of the same.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../../infra/quick-start/node-process.ts';
import {
  alertRules,
  dashboardPanels,
  dashboardQueries,
  explainedAlerts,
  metricsIn,
  metricTable,
} from './metric-table.ts';
import { hurried, promtool, reasonToSkipPrometheus } from './prometheus.ts';

const table = metricTable();
const { names: alerts, text: rules, tests } = alertRules();
const skipReason = reasonToSkipPrometheus();

describe('the table of metrics', () => {
  it('has the metrics of the code, each once', () => {
    const sources = globSync('apps/*/src/**/*.ts', { cwd: ROOT }).map((file) => readFileSync(join(ROOT, file), 'utf8'));
    const inCode = new Set(
      sources.flatMap((source) => [...source.matchAll(/'(cohort_[a-z0-9_]+)'/g)].map(([, name]) => name!)),
    );
    const own = table.map(({ name }) => name).filter((name) => name.startsWith('cohort_'));
    expect(own.toSorted()).toEqual([...inCode].toSorted());
  });

  it('names them by the conventions of Prometheus', () => {
    for (const { name, type } of table) expect(name.endsWith('_total'), name).toBe(type === 'counter');
    const spread = table.filter(({ type }) => type === 'histogram').map(({ name }) => name);
    expect(spread.filter((name) => !/_(?:seconds|bytes)$/.test(name))).toEqual([]);
    expect(table.filter(({ name }) => /milli|kilo|_ms\b|_kb\b|percent/.test(name))).toEqual([]);
  });

  it('has what the dashboard and the alerts ask for, and the dashboard has all of it', () => {
    const names = new Set(table.map(({ name }) => name));
    const asked = metricsIn(dashboardQueries().join('\n'));
    expect([...metricsIn(rules), ...asked].filter((name) => !names.has(name))).toEqual([]);
    expect([...names].filter((name) => !asked.has(name))).toEqual([]);
  });
});

it('every panel of the dashboard says what it shows, in which unit', () => {
  expect(dashboardPanels().length).toBeGreaterThan(30);
  for (const { title, description, fieldConfig } of dashboardPanels()) {
    expect(description, title).toMatch(/\.$/);
    expect(fieldConfig?.defaults.unit, title).toMatch(/^[a-zA-Z]+$/);
  }
});

it('every alert is explained in the runbook and tested, and no other', () => {
  expect(explainedAlerts().toSorted()).toEqual(alerts.toSorted());
  const tested = new Set([...tests.matchAll(/alertname: (\w+)/g)].map(([, name]) => name!));
  expect([...tested].toSorted()).toEqual(alerts.toSorted());
});

it('rules that are hurried for tests are the rules otherwise', () => {
  expect(hurried('expr: rate(a[5m]) > 1\n  for: 10m\n')).toBe('expr: rate(a[2s]) > 1\n  for: 0s\n');
});

describe.skipIf(skipReason !== null)('promtool', () => {
  it.each([
    ['check', 'rules', 'alerts.yml'],
    ['check', 'config', 'prometheus.yml'],
    ['test', 'rules', 'alerts.test.yml'],
  ])('%s %s %s succeeds', (...words) => {
    const { code, output } = promtool(...words);
    expect(output).toContain('SUCCESS');
    expect(code, output).toBe(0);
  });
});
