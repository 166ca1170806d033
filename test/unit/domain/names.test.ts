import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FILE_NAME_BYTES_MAX, fileNameProblem, USER_NAME_BYTES_MAX, userNameProblem, utf8Bytes } from '#domain/names';

const PLAIN = ['a', 'data set.tar', 'Ünï', '日本', '.hidden', 'a..b', 'con-tent', '😀'];
/** Just beside what is forbidden: characters, pairs of surrogates, names of devices. */
const NEIGHBOURS = [
  ...['a~b', 'a\u00a0b', '\u2027', '\u202f', '\u2065', '\u206a'],
  ...['\u{10000}', '\u{10ffff}', '\ud7ff', '\ue000'],
  ...['falcon', 'console', 'com', 'com10', 'comx', 'lpt', 'lpt10', 'lptx', 'a.con', 'nul-1', 'auxa', 'prn1'],
];

it.each([...PLAIN, ...NEIGHBOURS])('%j is a name', (name) => {
  expect(fileNameProblem(name)).toBeNull();
  expect(userNameProblem(name)).toBeNull();
});

const NO_NAMES: Readonly<Record<string, readonly string[]>> = {
  'must not be empty': [''],
  'must not be . or ..': ['.', '..'],
  'must not contain / or \\': ['../x', 'a\\b'],
  'must not contain control characters': [
    ...['a\u0000', 'a\nb', 'a\u001fb', 'a\u007fb', 'a\u0085', 'a\u009fb', 'a\u2028b', 'a\u2029b'],
  ],
  'must not contain characters that turn the direction of text': ['a\u202ab', 'a\u202egpj', 'a\u2066b', 'a\u2069b'],
  'must be well-formed Unicode': [
    ...['\ud800', '\udbff', '\udc00', '\udfff', 'a\ud800b', 'a\udc00b', '\udc00\ud800', '\ud800\ue000', '\ud7ff\udfff'],
  ],
  'must not begin or end with a space': [' a', 'a '],
  'must not end with a dot': ['a.'],
  'must not be a device name of Windows': [
    ...['NUL', 'con', 'prn', 'Aux', 'com0', 'COM9', 'lpt0', 'lpt9', 'com1.txt', 'con.tar.gz', 'nul.a'],
  ],
};
const rows = Object.entries(NO_NAMES).flatMap(([problem, names]) => names.map((name) => ({ name, problem })));

it.each(rows)('$name is none: it $problem', ({ name, problem }) => {
  expect(fileNameProblem(name)).toBe(problem);
  expect(userNameProblem(name)).toBe(problem);
});

it('the longest name fits and one byte more does not', () => {
  expect(fileNameProblem('a'.repeat(FILE_NAME_BYTES_MAX))).toBeNull();
  expect(fileNameProblem('a'.repeat(FILE_NAME_BYTES_MAX + 1))).toContain('255 bytes');
  expect(fileNameProblem('ü'.repeat(128))).toContain('255 bytes');
  expect(userNameProblem('a'.repeat(USER_NAME_BYTES_MAX + 1))).toContain('64 bytes');
});

it.each(['\u007f', '\u0080', '\u07ff', '\u0800', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{10ffff}'])(
  '%j takes as many bytes as the encoder writes',
  (text) => expect(utf8Bytes(text)).toBe(Buffer.byteLength(text)),
);

it('bytes of UTF-8 are counted as the encoder writes them', () => {
  const wellFormed = fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed());
  fc.assert(fc.property(wellFormed, (text) => utf8Bytes(text) === Buffer.byteLength(text)));
});
