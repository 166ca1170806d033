import { expect, it } from 'vitest';
import fc from 'fast-check';
import { formatByteRate, parseByteRate, parseTransferCount } from '#wire/limit-text';
import { ACTIVE_TRANSFERS_MAX, RATE_MAX, RATE_MIN } from '#wire/limits';

it.each([
  ['50MB', 50_000_000],
  ['50 MB', 50_000_000],
  ['50MB/s', 50_000_000],
  ['50mb', 50_000_000],
  ['512KiB', 524_288],
  ['1.5GiB', 1_610_612_736],
  ['1000000', 1_000_000],
  ['2048B', 2048],
  ['none', null],
])('%s is %s bytes a second', (text, bytesPerSecond) => {
  expect(parseByteRate(text)).toEqual({ ok: true, bytesPerSecond });
});

it.each(['', 'fast', '-1MB', '50Mbit', '1e6', 'MB', '50MBs', '0x400', 'None', '1..5MB', '50MB/h', '5 5MB'])(
  '"%s" is no rate',
  (text) => {
    const parsed = parseByteRate(text);
    expect(parsed).toMatchObject({ ok: false, message: expect.stringMatching(/^".*" is not a rate; write .*50MB/) });
  },
);

it.each(['0', '1023', '1.001TB', '1001GB', '999999999999999GB'])('%s is refused', (text) => {
  expect(parseByteRate(text).ok).toBe(false);
});

it('a rate reads back from what is shown of it', () => {
  fc.assert(
    fc.property(fc.integer({ min: RATE_MIN, max: RATE_MAX }), (bytesPerSecond) => {
      expect(parseByteRate(formatByteRate(bytesPerSecond))).toEqual({ ok: true, bytesPerSecond });
    }),
  );
  expect([50_000_000, 524_288, 1025, null].map(formatByteRate)).toEqual(['50MB/s', '512KiB/s', '1025B/s', 'none']);
});

it.each([
  ['1', 1],
  [String(ACTIVE_TRANSFERS_MAX), ACTIVE_TRANSFERS_MAX],
  ['none', null],
])('%s is %s transfers', (text, count) => {
  expect(parseTransferCount(text)).toEqual({ ok: true, count });
});

it.each(['', '0', '-1', '2.5', 'many', 'None', String(ACTIVE_TRANSFERS_MAX + 1)])(
  '"%s" is no number of transfers',
  (text) => {
    const message = `"${text}" does not fit. Give a number of transfers from 1 to ${ACTIVE_TRANSFERS_MAX}, or none.`;
    expect(parseTransferCount(text)).toEqual({ ok: false, message });
  },
);
