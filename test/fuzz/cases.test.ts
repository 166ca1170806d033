// Inputs that fuzzing begins from, and those that it found: each is taken as its target says, on every run of the tests.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { casesOf } from './cases.ts';
import { problemOf } from './execution.ts';
import { beginningsOf, FUZZ_TARGETS } from './fuzz-target.ts';

// Who runs these tests ends this process before it can clean up by itself.
const scratch = mkdtempSync(join(tmpdir(), 'cohort-fuzz-'));
process.env['TMPDIR'] = scratch;
afterAll(() => rmSync(scratch, { recursive: true }));

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
