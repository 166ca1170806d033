import { expect, it } from 'vitest';
import { replay, replayUnproved } from '../../../../apps/tracker/src/audit/replay.ts';
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
