import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ERRORS, type ErrorCode } from '#wire/wire-error';
import { EXIT, exitCodeOf } from '../../../../apps/peer/src/cli/exit-codes.ts';
import { uploadArguments } from '../../../../apps/peer/src/cli/file-arguments.ts';
import { formatBytes, formatPercent, formatSeconds } from '../../../../apps/peer/src/cli/quantities.ts';
import { renderTable } from '#wire/text-table';
import { quotedWord, splitWords, typedSoFar, wordAfter } from '../../../../apps/peer/src/cli/words.ts';

test('every error code has an exit code of its kind', () => {
  const kinds = new Map<number, ErrorCode[]>();
  for (const code of Object.keys(ERRORS) as ErrorCode[]) {
    const exitCode = exitCodeOf(code);
    kinds.set(exitCode, [...(kinds.get(exitCode) ?? []), code]);
  }
  expect(kinds.get(EXIT.bug)).toEqual(['internal_error']);
  expect(kinds.get(EXIT.outcomeUnknown)).toEqual(['outcome_unknown']);
  expect(new Set(kinds.keys())).toEqual(new Set([64, 65, 66, 69, 70, 75, 77]));
});

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1.0 KiB'],
  [1536, '1.5 KiB'],
  [2 ** 20 - 1, '1.0 MiB'],
  [2 ** 30, '1.0 GiB'],
  [2 ** 53 - 1, '8.0 PiB'],
])('%i bytes are %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test.each([
  [0, '0:00'],
  [6.2, '0:07'],
  [3599, '59:59'],
  [3723, '1:02:03'],
])('%d seconds are %s', (seconds, text) => {
  expect(formatSeconds(seconds)).toBe(text);
});

test('100% means all of it', () => {
  expect(formatPercent(999_999, 1_000_000)).toBe('99%');
  expect(formatPercent(0, 0)).toBe('100%');
});

test('columns are as wide as their widest text, and numbers stand at the right', () => {
  const rows = [
    { name: 'a', count: 10 },
    { name: 'longer', count: 5 },
  ];
  const columns = [
    { heading: 'NAME', text: (row: (typeof rows)[0]) => row.name },
    { heading: 'COUNT', text: (row: (typeof rows)[0]) => String(row.count), align: 'right' as const },
  ];
  expect(renderTable(rows, columns, 'none')).toBe('NAME    COUNT\na          10\nlonger      5\n');
  expect(renderTable([], columns, 'none')).toBe('none\n');
});

describe('words of a line', () => {
  test.each([
    ['', []],
    ['  a   b ', ['a', 'b']],
    ['"a b" c', ['a b', 'c']],
    ["'a \"b' c", ['a "b', 'c']],
    ['a\\ b', ['a b']],
    ['pre"mid dle"post', ['premid dlepost']],
    ['""', ['']],
    ['"a \\" b"', ['a " b']],
    ['# nothing', []],
    ['a #b c', ['a']],
    ['a#b \\#c "#d"', ['a#b', '#c', '#d']],
  ])('%j is %j', (line, words) => {
    expect(splitWords(line)).toEqual({ ok: true, words });
  });

  test.each(['"open', "it's", 'end\\'])('%j is refused', (line) => {
    expect(splitWords(line).ok).toBe(false);
  });

  test('~/ is the home folder at the beginning of a word, unless it is quoted', () => {
    const line = `~/a x~/b '~/c' ~ ~d`;
    expect(splitWords(line, '/home/ann')).toEqual({ ok: true, words: ['/home/ann/a', 'x~/b', '~/c', '~', '~d'] });
  });

  test.each([
    ['', { words: [], text: '', raw: '', quote: '' }],
    ['a b', { words: ['a'], text: 'b', raw: 'b', quote: '' }],
    ['a b ', { words: ['a', 'b'], text: '', raw: '', quote: '' }],
    ["a 'b c", { words: ['a'], text: 'b c', raw: "'b c", quote: "'" }],
    ['a x"b \\"c', { words: ['a'], text: 'xb "c', raw: 'x"b \\"c', quote: '"' }],
    ['a "\\$b\\`c', { words: ['a'], text: '$b`c', raw: '"\\$b\\`c', quote: '"' }],
    ['a b\\ c', { words: ['a'], text: 'b c', raw: 'b\\ c', quote: '' }],
    ['a b\\', { words: ['a'], text: 'b', raw: 'b\\', quote: '' }],
  ])('%j is so far %j', (line, soFar) => {
    expect(typedSoFar(line)).toEqual(soFar);
  });

  test('a word that was completed is that word, whatever quote was begun', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        fc.constantFrom('' as const, "'" as const, '"' as const),
        (word, quote) => {
          expect(splitWords(wordAfter(quote, word, false))).toEqual({ ok: true, words: [word] });
        },
      ),
    );
  });

  test('whatever is quoted comes back', () => {
    const quoted = (word: string): string => `"${word.replaceAll(/["\\]/g, '\\$&')}"`;
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), (words) => {
        for (const quote of [quoted, quotedWord]) {
          expect(splitWords(words.map(quote).join(' '))).toEqual({ ok: true, words });
        }
      }),
    );
  });
});

describe('upload_file', () => {
  test.each([
    ['friends', 'film.mkv', 'friends', '/w/film.mkv'],
    ['./friends', 'film.mkv', 'film.mkv', '/w/friends'],
    ['/w/film.mkv', 'friends', 'friends', '/w/film.mkv'],
    ['friends', 'C:\\film.mkv', 'friends', '/w/C:\\film.mkv'],
    ['friends', '', 'friends', ''],
  ])('%s %s means group %s and path %s', (first, second, group, path) => {
    expect(uploadArguments(first, second, '/w')).toEqual({ group, path });
  });
});
