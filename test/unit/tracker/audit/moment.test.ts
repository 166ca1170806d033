import { expect, it } from 'vitest';
import { momentOf } from '../../../../apps/tracker/src/audit/moment.ts';

it.each([
  ['2026-02-28T23:59:59Z', Date.UTC(2026, 1, 28, 23, 59, 59)],
  ['2028-02-29t00:00:00.25+01:00', Date.UTC(2028, 1, 28, 23, 0, 0, 250)],
])('%s is a time', (text, timeMs) => {
  expect(momentOf('--at', text)).toEqual({ kind: 'time', timeMs });
});

it.each([
  '2026-02-29T00:00:00Z',
  '2026-02-30T00:00:00Z',
  '2026-04-31T00:00:00Z',
  '2026-13-01T00:00:00Z',
  '2026-01-00T00:00:00Z',
  '2026-01-01T24:00:00Z',
  '2026-01-01T00:60:00Z',
  '2026-01-01T00:00:00+24:00',
  '2026-01-01T00:00:00',
])('%s is no time', (text) => {
  expect(() => momentOf('--at', text)).toThrow(`--at: "${text}" is neither an offset nor a time`);
});
