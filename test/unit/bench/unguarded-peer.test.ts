import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { GUARDS, withoutGuards } from '../../bench/unguarded-peer.ts';

const files = [...new Set(GUARDS.map(({ file }) => file))];
const read = (file: string): string => readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8');

it.each(files)('%s is as sound a file without its guards as with them', (file) => {
  const left = withoutGuards(file, read(file));
  for (const { text } of GUARDS.filter((guard) => guard.file === file)) expect(left).not.toContain(text);
  expect(() => stripTypeScriptTypes(left)).not.toThrow();
});

it('a guard that stands where it stood no more is missed', () => {
  const { file, text, name } = GUARDS[0]!;
  expect(() =>
    withoutGuards(
      file,
      read(file).replace(text, () => ''),
    ),
  ).toThrow(name);
});

/** Hears of a frame that it does not take, and prints what it makes of that. */
const program = `
  import { FrameDecoder } from '#wire/transfer-frame';
  const decoder = new FrameDecoder(new Set());
  decoder.push(Uint8Array.of(0, 0, 0, 1, 14), { frame: ({ kind }) => console.log('taken', kind) });
  console.log(decoder.problem);
`;

it.each([
  ['in', 'keepAlive frame out of turn\n'],
  ['out', 'taken keepAlive\nnull\n'],
])('a program that is loaded with its guards %s is so', async (guards, said) => {
  const preload = new URL('../../bench/unguarded-peer.ts', import.meta.url).href;
  const words = ['--import', preload, '--input-type=module', '--no-warnings', '-e', program];
  const env = { ...process.env, COHORT_BENCH_GUARDS: guards };
  expect((await promisify(execFile)(process.execPath, words, { env })).stdout).toBe(said);
});
