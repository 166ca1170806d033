import { expect, it } from 'vitest';
import type { StoredRecord } from '../../../../apps/tracker/src/command-log/command-log.ts';
import { replay, replayOfGroup, replayUnproved } from '../../../../apps/tracker/src/audit/replay.ts';
import { plainState } from '../../domain/plain-state.ts';
import { randomRecords } from '../random-log.ts';
import { sourceOf } from './sources.ts';

it('what is replayed without root and digest comes to the same state, record by record', async () => {
  const outcomes: unknown[] = [];
  const records = sourceOf(randomRecords(7, 600));
  const proved = await replay(records, { visit: ({ applied }) => void outcomes.push(applied) });
  const unproved = await replayUnproved(records, {
    visit: ({ applied, offset }) => expect(applied).toEqual(outcomes[offset]),
  });
  expect(unproved.state.appliedOffset).toBe(599);
  expect(plainState(unproved.state)).toEqual(plainState(proved.state));
});

/** Every seventh record says once more what the one before it says, with the same id, of another group. */
function withIdsUsedTwice(records: readonly StoredRecord[]): StoredRecord[] {
  return records.map((stored, at) => {
    const text = Buffer.from(records[at - 1]?.value ?? []).toString('latin1');
    const used =
      at % 7 === 0 ? text.replace(/"group":"[gh]"/, (name) => `"group":"${name.includes('h') ? 'g' : 'h'}"`) : '';
    return used === text || used === '' ? stored : { ...stored, value: Buffer.from(used, 'latin1') };
  });
}

it.each(['g', 'h'])('what is replayed of the group %s alone comes to the same, record by record', async (group) => {
  const reasons = new Set<string>();
  for (let seed = 0; seed < 3; seed++) {
    const records = sourceOf(withIdsUsedTwice(randomRecords(seed, 500)));
    const outcomes: unknown[] = [];
    const whole = await replayUnproved(records, { visit: ({ applied }) => void outcomes.push(applied) });
    const alone = await replayOfGroup(records, group, {
      visit: ({ applied, record, offset }) => {
        const named = (record?.command.data as { group?: unknown } | null | undefined)?.group ?? group;
        if (named !== group) return;
        expect(applied).toEqual(outcomes[offset]);
        if (applied.outcome.status === 'rejected') reasons.add(applied.outcome.reason);
      },
    });
    const [{ groups, ...others }, { groups: own, ...rest }] = [whole.state, alone.state];
    expect(plainState(rest)).toEqual(plainState(others));
    expect(plainState(own)).toEqual(plainState(new Map([...groups].filter(([name]) => name === group))));
  }
  expect(reasons).toContain('not_a_member');
  expect(reasons).toContain('idempotency_key_reused');
});
