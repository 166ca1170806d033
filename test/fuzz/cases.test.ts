// Inputs that fuzzing begins from, and those that it found: each is taken as its target says, on every run of the tests.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { casesOf } from './cases.ts';
import { problemOf } from './execution.ts';
import { beginningsOf, FUZZ_TARGETS } from './fuzz-target.ts';

test('every folder of cases belongs to a target', () => {
  expect(Object.keys(FUZZ_TARGETS)).toEqual(expect.arrayContaining(readdirSync(join(import.meta.dirname, 'cases'))));
});

describe.each(Object.entries(FUZZ_TARGETS))('%s', (name, load) => {
  test('takes what it begins from, and what was found once', async () => {
    const target = await load();
    expect(target.name).toBe(name);
    const inputs = beginningsOf(target);
    expect(inputs.length).toBeGreaterThan(casesOf(name).length);
    for (const input of inputs) expect(await problemOf(target, input)).toBeNull();
  });
});
