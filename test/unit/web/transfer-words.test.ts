import { describe, expect, it } from 'vitest';
import type { DatedReasonView, RecheckView, TransferView } from '#wire/control-api';
import {
  actionsOf,
  isServedWhole,
  isWhole,
  newsOf,
  progressText,
  recheckText,
  removalWords,
  sinceText,
  stateWords,
} from '../../../apps/peer/web/src/transfers/transfer-words.ts';
import { transferOf } from './sample-transfers.ts';

const REASON: DatedReasonView = {
  code: 'disk_full',
  detail: 'There is no room.',
  action: 'Make room.',
  since: '2026-11-28T08:00:00.000Z',
};
const RECHECK: RecheckView = {
  ...{
    startedAt: '2026-11-28T08:00:00.000Z',
    endedAt: '2026-11-28T08:00:09.000Z',
    verdict: 'sound',
    checkedPieces: 1200,
  },
  ...{ damagedPieces: 0, repairedPieces: 0, absentFiles: [], misfitFiles: [], sha1Mismatches: [], treeDifferences: [] },
};
const WHOLE = { state: 'complete', verifiedBytes: 1_000 } as const;

describe('the words for a transfer', () => {
  it('do not call good what has a reason to be looked at', () => {
    expect(stateWords(transferOf(WHOLE))).toEqual({ word: 'Complete', tone: 'good' });
    expect(stateWords(transferOf({ ...WHOLE, reason: REASON }))).toEqual({ word: 'Complete', tone: 'bad' });
    expect(stateWords(transferOf({ ...WHOLE, recheck: { ...RECHECK, endedAt: null, verdict: null } })).word).toBe(
      'Rechecking',
    );
  });

  it.each<[string, Partial<TransferView>, string[]]>([
    ['a download under way', {}, ['pause', 'cancel', 'remove']],
    ['a paused one', { state: 'paused' }, ['resume', 'remove']],
    ['a failed one', { state: 'failed' }, ['resume', 'remove']],
    ['a whole one', WHOLE, ['recheck', 'remove']],
    ['one of some files', { state: 'complete', verifiedBytes: 400, wantedBytes: 400 }, ['remove']],
    ['what is shared', { direction: 'upload', state: 'seeding' }, ['pause', 'recheck', 'remove']],
    ['a share that was found damaged', { direction: 'upload', state: 'failed' }, ['resume', 'recheck', 'remove']],
    [
      'an upload that is hashed',
      { direction: 'upload', state: 'hashing', contentId: null },
      ['pause', 'cancel', 'remove'],
    ],
  ])('offer for %s what can be done', (_, about, actions) => {
    expect(actionsOf(transferOf(about))).toEqual(actions);
  });

  it('say how far it is, and only the size when it is there', () => {
    const moving = transferOf({ verifiedBytes: 512, wantedBytes: 1_024, bytesPerSecond: 2_048, etaSeconds: 90 });
    expect(progressText(moving)).toBe('512 B of 1.0 KiB (50 %), 2.0 KiB/s, 2 min left');
    expect(progressText(transferOf(WHOLE))).toBe('1000 B');
  });

  it('say exactly what is deleted, and nothing of it for what was shared from its place', () => {
    expect(removalWords(transferOf({ direction: 'upload', state: 'seeding', path: '/home/me/film.mkv' }))).toEqual({
      keeps: '/home/me/film.mkv stays on this disk as it is. This peer stops sharing it.',
      deletes: null,
    });
    expect(removalWords(transferOf(WHOLE)).deletes).toBe(
      '/d/film.mkv (1000 B) is deleted from this disk. It cannot be undone. This peer stops sharing it.',
    );
    expect(removalWords(transferOf({ state: 'paused' })).deletes).toBe(
      'What came so far (100 B in /d/film.mkv.part) is deleted. What was at /d/film.mkv before stays.',
    );
  });

  it('say that what was dropped goes with its transfer', () => {
    const path = '/d/dropped/11111111-1111-4111-8111-111111111111/film.mkv';
    expect(removalWords(transferOf({ direction: 'upload', state: 'seeding', path }))).toEqual({
      keeps: `${path} is the copy of what was dropped here, and goes in about an hour unless it is shared again before. This peer stops sharing it.`,
      deletes: null,
    });
    expect(removalWords(transferOf({ direction: 'upload', path: '/me/dropped/film.mkv' })).keeps).toContain('stays');
  });

  it('say for how long a reason has held', () => {
    const at = Date.parse(REASON.since);
    expect(sinceText(REASON, at + 20_000)).toBe('since just now');
    expect(sinceText(REASON, at + 12 * 60_000)).toBe('for 12 min');
    expect(sinceText(REASON, at + 27 * 3_600_000)).toBe('for 1 d 3 h');
  });

  it('say what a recheck came to', () => {
    const said = (recheck: Partial<RecheckView>): string | null =>
      recheckText(transferOf({ recheck: { ...RECHECK, ...recheck } }));
    expect(said({})).toBe('Sound: all 1,200 pieces are as they were shared.');
    expect(said({ verdict: 'repaired', damagedPieces: 1, repairedPieces: 1 })).toBe(
      'Repaired: 1 piece fetched again from others, and all is as it was shared.',
    );
    expect(said({ verdict: 'repaired', treeDifferences: ['a', 'b/run'] })).toBe(
      'Repaired: all 1,200 pieces were as they were shared. It lacked empty folders, or the right to run files: a, b/run.',
    );
    expect(said({ verdict: 'damaged', treeDifferences: ['1', '2', '3', '4', '5', '6'] })).toBe(
      'Damaged: all 1,200 pieces are as they were shared. It lacks empty folders, or the right to run files: 1, 2, 3, 4, 5 and 1 more.',
    );
    expect(said({ verdict: 'damaged', damagedPieces: 5, repairedPieces: 2 })).toBe(
      'Damaged: 3 pieces still not as shared.',
    );
    expect(said({ verdict: 'incomplete', absentFiles: ['a.txt'] })).toBe(
      'Incomplete: 1 file not there or not to be read, the first is a.txt.',
    );
    expect(recheckText(transferOf())).toBeNull();
  });

  it('tell a person that a download is complete and that something failed, once and of nothing else', () => {
    expect(newsOf('downloading', transferOf(WHOLE))?.text).toBe('film.mkv of friends is complete: 1000 B.');
    expect(newsOf('downloading', transferOf({ state: 'failed', reason: REASON }))).toEqual({
      kind: 'bad',
      text: 'The download of film.mkv (friends) failed. There is no room.',
    });
    expect(newsOf('complete', transferOf(WHOLE))).toBeNull();
    expect(newsOf(undefined, transferOf(WHOLE))).toBeNull();
    expect(newsOf('downloading', transferOf({ ...WHOLE, temporary: true }))).toBeNull();
    expect(newsOf('paused', transferOf({ state: 'downloading' }))).toBeNull();
  });

  it('say of a copy that is not served any more that it is whole, and nothing of sharing', () => {
    const stopped = transferOf({ direction: 'upload', state: 'complete', served: false });
    expect([isWhole(stopped), isServedWhole(stopped), isServedWhole(transferOf(WHOLE))]).toEqual([true, false, true]);
    expect(removalWords(stopped).keeps).toBe('/d/film.mkv stays on this disk as it is.');
  });

  it('call whole what has all of it, and not what has all that was wanted', () => {
    expect(isWhole(transferOf(WHOLE))).toBe(true);
    expect(isWhole(transferOf({ state: 'complete', verifiedBytes: 400, wantedBytes: 400 }))).toBe(false);
  });
});
