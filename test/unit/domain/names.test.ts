import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FILE_NAME_BYTES_MAX, fileNameProblem, USER_NAME_BYTES_MAX, userNameProblem, utf8Bytes } from '#domain/names';

it.each(['a', 'data set.tar', 'Ünï', '日本', '.hidden', 'a..b', 'con-tent', '😀'])('%j is a name', (name) => {
  expect(fileNameProblem(name)).toBeNull();
  expect(userNameProblem(name)).toBeNull();
});

it.each([
  ['', 'must not be empty'],
  ['..', 'must not be . or ..'],
  ['.', 'must not be . or ..'],
  ['../x', 'must not contain / or \\'],
  ['a\\b', 'must not contain / or \\'],
  ['a\u0000', 'must not contain control characters'],
  ['a\nb', 'must not contain control characters'],
  ['a\u0085', 'must not contain control characters'],
  ['a\u202egpj', 'must not contain characters that turn the direction of text'],
  ['\ud800', 'must be well-formed Unicode'],
  [' a', 'must not begin or end with a space'],
  ['a.', 'must not end with a dot'],
  ['NUL', 'must not be a device name of Windows'],
  ['com1.txt', 'must not be a device name of Windows'],
])('%j is none: it %s', (name, problem) => expect(fileNameProblem(name)).toBe(problem));

it('the longest name fits and one byte more does not', () => {
  expect(fileNameProblem('a'.repeat(FILE_NAME_BYTES_MAX))).toBeNull();
  expect(fileNameProblem('a'.repeat(FILE_NAME_BYTES_MAX + 1))).toContain('255 bytes');
  expect(fileNameProblem('ü'.repeat(128))).toContain('255 bytes');
  expect(userNameProblem('a'.repeat(USER_NAME_BYTES_MAX + 1))).toContain('64 bytes');
});

it('bytes of UTF-8 are counted as the encoder writes them', () => {
  const wellFormed = fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed());
  fc.assert(fc.property(wellFormed, (text) => utf8Bytes(text) === Buffer.byteLength(text)));
});
