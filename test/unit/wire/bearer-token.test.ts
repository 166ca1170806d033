import { expect, it } from 'vitest';
import { bearerToken } from '#wire/bearer-token';

it.each([
  ['Bearer abc', 'abc'],
  ['bearer a.b-c_d', 'a.b-c_d'],
  [`Bearer ${'a'.repeat(512)}`, 'a'.repeat(512)],
])('%j has a token', (authorization, token) => {
  expect(bearerToken(authorization)).toBe(token);
});

it.each([
  undefined,
  '',
  'Bearer',
  'Bearer ',
  'Bearer  abc',
  'Bearer a b',
  'Basic abc',
  'Bearer ä',
  `Bearer ${'a'.repeat(513)}`,
])('%j has none', (authorization) => {
  expect(bearerToken(authorization)).toBeNull();
});
