// Facts about the fuzzing itself: it finds each of the bugs that were planted, within a bounded number of inputs from one seed,
// and nothing where there is none.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { PLANTED_BUGS } from './planted-bugs.ts';

const run = promisify(execFile);
const out = mkdtempSync(join(tmpdir(), 'cohort-fuzz-'));
afterAll(() => rmSync(out, { recursive: true }));

async function fuzzed(...flags: string[]): Promise<{ code: number; text: string }> {
  const words = ['test/fuzz/fuzz.ts', '--out', out, '--seed', '1', '--seconds', '600', ...flags];
  try {
    return { code: 0, text: (await run(process.execPath, words)).stdout };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, text: stdout + stderr };
  }
}

describe('a bug that was planted is found', () => {
  test.each(Object.entries(PLANTED_BUGS))(
    '%s',
    async (plant, { target, finding }) => {
      const { code, text } = await fuzzed(
        '--targets',
        target,
        '--executions',
        '200000',
        '--findings',
        '1',
        '--plant',
        plant,
      );
      expect(text).toMatch(finding);
      expect(code).toBe(1);
    },
    300_000,
  );
});

test('one seed makes the same inputs, and finds nothing where nothing is', async () => {
  const figures = async (): Promise<string | undefined> => {
    const { code, text } = await fuzzed('--targets', 'grant,manifest', '--executions', '3000');
    expect({ code, text }).toMatchObject({ code: 0 });
    return text
      .match(/[0-9]+ of [0-9]+ branches, [0-9]+ inputs kept/g)
      ?.toSorted()
      .join();
  };
  expect(await figures()).toBe(await figures());
});
