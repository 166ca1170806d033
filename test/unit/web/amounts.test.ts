import { describe, expect, it } from 'vitest';
import {
  bytesText,
  countText,
  durationText,
  percentText,
  rateText,
  whenText,
} from '../../../apps/peer/web/src/lists/amounts.ts';

describe('amounts', () => {
  it.each([
    [0, '0 B'],
    [1_023, '1023 B'],
    [1_536, '1.5 KiB'],
    [1024 ** 2 - 1, '1.0 MiB'],
    [3.25 * 1024 ** 3, '3.3 GiB'],
    [1024 ** 6, '1024.0 PiB'],
  ])('%i bytes are %s', (bytes, text) => expect(bytesText(bytes)).toBe(text));

  it.each([
    [0, '0 s'],
    [0.2, '1 s'],
    [59, '59 s'],
    [61, '1 min'],
    [3_599, '1 h'],
    [11_100, '3 h 5 min'],
    [187_200, '2 d 4 h'],
    [172_800, '2 d'],
  ])('%d seconds are %s', (seconds, text) => expect(durationText(seconds)).toBe(text));

  it('a part is the whole only when all of it is there', () => {
    expect([percentText(999, 1000), percentText(1000, 1000), percentText(0, 0)]).toEqual(['99 %', '100 %', '100 %']);
  });

  it('what does not move has no rate', () => expect([rateText(0), rateText(2048)]).toEqual(['', '2.0 KiB/s']));

  it('one is one, and many are grouped by thousands', () => {
    expect([countText(1, 'file'), countText(12_000, 'file'), countText(2, 'copy', 'copies')]).toEqual([
      '1 file',
      '12,000 files',
      '2 copies',
    ]);
  });

  it('a moment of today has its hour, one of this week its day, another one its date', () => {
    const now = new Date(2026, 10, 28, 12, 0).getTime();
    const at = (...parts: [number, number, number, number, number]): string => new Date(...parts).toISOString();
    expect(whenText(at(2026, 10, 28, 8, 5), now)).toBe('08:05');
    expect(whenText(at(2026, 10, 26, 8, 5), now)).toBe('Thu 08:05');
    expect(whenText(at(2026, 9, 1, 8, 5), now)).toBe('2026-10-01');
  });
});
