// Facts about ranges of a file of 100 bytes, and about conditions of a request, by RFC 9110.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseRange, isNoneMatched, isRangeWanted } from '#wire/byte-range';

const part = (begin: number, end: number) => ({ kind: 'part', begin, end });

describe('a range', () => {
  it.each([
    ['bytes=0-0', part(0, 1)],
    ['bytes=0-', part(0, 100)],
    ['bytes=10-19', part(10, 20)],
    ['bytes=99-99', part(99, 100)],
    ['bytes=90-1000', part(90, 100)],
    ['bytes=-1', part(99, 100)],
    ['bytes=-100', part(0, 100)],
    ['bytes=-1000', part(0, 100)],
    ['BYTES=5-6', part(5, 7)],
    ['bytes= 5-6 ', part(5, 7)],
    ['bytes=0-99999999999999999999999', part(0, 100)],
  ])('%s is that part', (header, chosen) => expect(chooseRange(header, 100)).toEqual(chosen));

  it.each(['bytes=100-', 'bytes=100-200', 'bytes=-0', 'bytes=99999999999999999999999-'])(
    '%s is not in the file',
    (header) => expect(chooseRange(header, 100)).toEqual({ kind: 'unsatisfiable' }),
  );

  it.each([
    ...[
      undefined,
      '',
      'bytes',
      'bytes=',
      'bytes=-',
      'bytes=5-4',
      'bytes=a-b',
      'bytes=1-2-3',
      'bytes=0x1-2',
      'bytes=+1-2',
    ],
    ...['bytes=1.5-2', 'bytes=--1', 'bytes 0-1', 'items=0-1', 'bytes=0-1,5-6', 'bytes=0-0,', 'bytes=0-1;5'],
  ])('%s asks for the whole', (header) => expect(chooseRange(header, 100)).toEqual({ kind: 'whole' }));

  it('of an empty file is never a part', () => {
    expect(chooseRange('bytes=0-', 0)).toEqual({ kind: 'unsatisfiable' });
    expect(chooseRange('bytes=-5', 0)).toEqual({ kind: 'whole' });
    expect(chooseRange(undefined, 0)).toEqual({ kind: 'whole' });
  });

  it('is within the file and not empty, whatever is asked', () => {
    const ends = fc.oneof(fc.nat(300), fc.constantFrom('', '-', ' ', 'a'));
    fc.assert(
      fc.property(ends, ends, fc.nat(200), (first, last, totalBytes) => {
        const chosen = chooseRange(`bytes=${first}-${last}`, totalBytes);
        if (chosen.kind !== 'part') return;
        expect(chosen.begin).toBeGreaterThanOrEqual(0);
        expect(chosen.begin).toBeLessThan(chosen.end);
        expect(chosen.end).toBeLessThanOrEqual(totalBytes);
      }),
    );
  });
});

describe('If-None-Match', () => {
  it.each(['"a"', 'W/"a"', '"b", "a"', '"b",W/"a"', '*', ' * '])('%s names it', (header) =>
    expect(isNoneMatched(header, '"a"')).toBe(true),
  );
  it.each([undefined, '', '"b"', 'a', '"a', 'W/"b", "aa"', '"*"'])('%s does not', (header) =>
    expect(isNoneMatched(header, '"a"')).toBe(false),
  );
});

describe('If-Range', () => {
  it.each([undefined, '"a"', ' "a" '])('%s lets the range count', (header) =>
    expect(isRangeWanted(header, '"a"')).toBe(true),
  );
  it.each(['W/"a"', '"b"', 'Fri, 27 Nov 2026 09:30:00 GMT', '*', ''])('%s does not', (header) =>
    expect(isRangeWanted(header, '"a"')).toBe(false),
  );
});
