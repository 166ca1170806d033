import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { BUILD } from '#wire/build';

it('a build is named as package.json names it', () => {
  const { name, version } = JSON.parse(readFileSync('package.json', 'utf8')) as { name: string; version: string };
  expect(BUILD).toBe(`${name} ${version}`);
});
