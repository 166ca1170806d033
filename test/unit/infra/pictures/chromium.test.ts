import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { chromiumPath } from '../../../../infra/pictures/chromium.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cohort-chromium-'));
  await writeFile(join(folder, 'chromium'), '');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('a Chromium is the one that is named, whatever is on the path', () => {
  expect(chromiumPath({ COHORT_CHROMIUM: '/opt/chromium', PATH: folder })).toBe('/opt/chromium');
});

it('a Chromium is none that cannot be run, and the first on the path that can', async () => {
  const path = `${join(folder, 'nowhere')}:${folder}`;
  expect(chromiumPath({ COHORT_CHROMIUM: '', PATH: path })).toBeNull();
  await chmod(join(folder, 'chromium'), 0o755);
  expect(chromiumPath({ PATH: path })).toBe(join(folder, 'chromium'));
});
