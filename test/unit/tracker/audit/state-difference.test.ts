import { expect, it } from 'vitest';
import { factsOf } from '../../../../apps/tracker/src/audit/facts.ts';
import { type AuditedRecord, replay } from '../../../../apps/tracker/src/audit/replay.ts';
import { StateDifference } from '../../../../apps/tracker/src/audit/state-difference.ts';
import { seeded } from '../../../seeded-random.ts';
import { randomRecords } from '../random-log.ts';
import { sourceOf } from './sources.ts';

it.each([...Array(30).keys()])('what is different makes the later facts of the earlier ones (log %i)', async (seed) => {
  const random = seeded(seed);
  const records = randomRecords(seed, 600, { isTruthful: true, hasVersions: seed % 2 === 0 });
  const [from, to] = [random(), random()]
    .sort((left, right) => left - right)
    .map((part) => Math.floor(part * records.length)) as [number, number];
  const before = await replay(sourceOf(records), { until: { kind: 'offset', offset: from } });
  const facts = new Map(factsOf(before.state).map((fact) => [`${fact.kind} ${fact.name}`, fact.value]));
  const difference = new StateDifference(before.state);
  const visit = (audited: AuditedRecord): void => {
    if (audited.offset > from) difference.note(audited);
  };
  const after = await replay(sourceOf(records), { until: { kind: 'offset', offset: to }, visit });
  for (const { kind, name, change, after: value, cause } of difference.changesTo(after.state)) {
    expect(facts.has(`${kind} ${name}`)).toBe(change !== 'added');
    if (value === null) facts.delete(`${kind} ${name}`);
    else facts.set(`${kind} ${name}`, value);
    expect(cause.offset).toBeGreaterThan(from);
    expect(cause.offset).toBeLessThanOrEqual(to);
  }
  const wanted = new Map(factsOf(after.state).map((fact) => [`${fact.kind} ${fact.name}`, fact.value]));
  expect(facts).toEqual(wanted);
});

it.each([...Array(10).keys()])(
  'what is gone went with the record after which it was not there (log %i)',
  async (seed) => {
    const records = randomRecords(seed, 600, { isTruthful: true, hasVersions: seed % 2 === 0 });
    const before = await replay(sourceOf(records), { until: { kind: 'offset', offset: 150 } });
    const difference = new StateDifference(before.state);
    const lastSeen = new Map<string, number>();
    const note = (derived: typeof before): void => {
      for (const { kind, name } of factsOf(derived.state)) lastSeen.set(`${kind} ${name}`, derived.state.appliedOffset);
    };
    note(before);
    const visit = (audited: AuditedRecord, derived: typeof before): void => {
      if (audited.offset <= 150) return;
      difference.note(audited);
      note(derived);
    };
    const after = await replay(sourceOf(records), { visit });
    const removed = difference.changesTo(after.state).filter(({ change }) => change === 'removed');
    const causes = removed.map(({ kind, name, cause }) => [`${kind} ${name}`, cause.offset]);
    expect(causes).toEqual(causes.map(([key]) => [key, lastSeen.get(String(key))! + 1]));
  },
);
