import { describe, expect, it, test } from 'vitest';
import type { TransferReasonView, TransferState } from '#wire/control-api';
import {
  datedReason,
  noteReason,
  type ReasonSince,
  sentence,
} from '../../../../apps/peer/src/transfers/reason-since.ts';

interface Waiting {
  state: TransferState;
  reason: TransferReasonView | null;
  reasonSince?: ReasonSince;
}

const nobody: TransferReasonView = { code: 'no_seeder_online', detail: 'nobody who has it is online', action: 'wait' };
const noTrackers: TransferReasonView = { code: 'trackers_unreachable', detail: 'no tracker answers', action: 'wait' };
const full: TransferReasonView = { code: 'disk_full', detail: 'no room left', action: 'make room' };

/** What a record says of its reason after each step: state, reason, verified bytes, time. */
function sincesOf(...steps: readonly (readonly [TransferState, TransferReasonView | null, number, number])[]) {
  const record: Waiting = { state: 'queued', reason: null };
  return steps.map(([state, reason, verifiedBytes, nowMs]) => {
    Object.assign(record, { state, reason });
    noteReason(record, verifiedBytes, nowMs);
    return record.reasonSince?.atMs;
  });
}

describe('a reason has begun', () => {
  it('when it was first there, also after a restart in which nothing came', () => {
    expect(
      sincesOf(
        ['stalled', nobody, 5, 10],
        ['queued', null, 0, 20],
        ['downloading', null, 5, 21],
        ['stalled', nobody, 5, 30],
      ),
    ).toEqual([10, 10, 10, 10]);
  });

  it('anew when something came meanwhile', () => {
    expect(sincesOf(['stalled', nobody, 5, 10], ['downloading', null, 6, 20], ['stalled', nobody, 6, 30])).toEqual([
      10, 10, 30,
    ]);
  });

  it('where a crash took some of what had come, still then', () => {
    expect(sincesOf(['stalled', nobody, 5, 10], ['queued', null, 0, 20], ['stalled', nobody, 4, 30])).toEqual([
      10, 10, 10,
    ]);
  });

  it('anew when it is another one', () => {
    expect(sincesOf(['stalled', nobody, 5, 10], ['stalled', noTrackers, 5, 20])).toEqual([10, 20]);
  });

  it('anew when it does not pass by itself and was gone, or the transfer ended', () => {
    expect(sincesOf(['failed', full, 5, 10], ['queued', null, 5, 20], ['failed', full, 5, 30])).toEqual([
      10,
      undefined,
      30,
    ]);
    expect(sincesOf(['stalled', nobody, 5, 10], ['complete', null, 9, 20])).toEqual([10, undefined]);
    expect(sincesOf(['stalled', nobody, 5, 10], ['paused', null, 5, 20])).toEqual([10, undefined]);
  });
});

test('a reason is told with the moment at which it began, and in whole sentences', () => {
  const sinceMs = Date.UTC(2026, 2, 1, 14, 3, 9);
  expect(datedReason(nobody, sinceMs)).toEqual({
    code: 'no_seeder_online',
    detail: 'Nobody who has it is online.',
    action: 'Wait.',
    since: '2026-03-01T14:03:09.000Z',
  });
  expect(datedReason(full, sinceMs)).toMatchObject({ detail: 'No room left.', action: 'Make room.' });
  expect(['it is. (a)', 'Done.', '/a is gone', 'why?'].map(sentence)).toEqual([
    'It is. (a)',
    'Done.',
    '/a is gone.',
    'Why?',
  ]);
});
