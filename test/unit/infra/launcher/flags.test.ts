// Facts about the flags of the programs that npm runs.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { readFlags } from '../../../../infra/launcher/flags.mjs';

const options = { fresh: { type: 'boolean' }, state: { type: 'string', default: '.cohort' } } as const;
const usage = 'npm start -- [--fresh] [--state <folder>]';
let out: string;
let complaint: string;

beforeEach(() => {
  out = '';
  complaint = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((out += String(text)), true));
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((complaint += String(text)), true));
});

afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

it('flags that are left out have their defaults', () => {
  expect(readFlags(['--fresh'], { options, usage })).toEqual({ fresh: true, state: '.cohort' });
  expect(process.exitCode).toBeUndefined();
});

it.each([
  [['--frehs'], "Unknown option '--frehs'"],
  [['folder'], "Unexpected argument 'folder'"],
  [['--state'], "Option '--state <value>' argument missing"],
])('%j ends with what is wrong and with the flags that there are', (words, what) => {
  expect(readFlags(words, { options, usage })).toBeNull();
  expect(complaint).toContain(what);
  expect(complaint.endsWith(`\n${usage}\n`)).toBe(true);
  expect(process.exitCode).toBe(64);
});

it('--help shows the flags and runs nothing', () => {
  expect(readFlags(['--help'], { options, usage })).toBeNull();
  expect(out).toBe(`${usage}\n`);
  expect(process.exitCode).toBeUndefined();
});
