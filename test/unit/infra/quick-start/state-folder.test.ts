// Facts about the folder of `npm start`.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lockDataDir } from '#identity/data-dir-lock';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { StateInUse, takeStateFolder } from '../../../../infra/quick-start/state-folder.ts';

const FILES = ['tracker_info.txt', 'cohort-log.sqlite', 'cohort-log.sqlite-wal', 'README-of-bob.md'];
const FOLDERS = ['tracker-1', 'tracker-2', 'alice', 'bob'];
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cohort-state-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function leaveSystem(): void {
  for (const name of FILES) writeFileSync(join(folder, name), '');
  for (const name of FOLDERS) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, 'identity.key'), '');
  }
}

it('a start goes on with what the folder holds, and one in a new folder has nothing to go on with', async () => {
  const first = await takeStateFolder(join(folder, 'new'), { fresh: false });
  expect(first.isContinued).toBe(false);
  first.release();
  leaveSystem();
  const second = await takeStateFolder(folder, { fresh: false });
  expect(second.isContinued).toBe(true);
  expect(readdirSync(folder)).toEqual(expect.arrayContaining([...FILES, ...FOLDERS]));
  second.release();
});

it('a fresh start takes away what starts have made, and no file of anybody else', async () => {
  leaveSystem();
  writeFileSync(join(folder, 'thesis.txt'), '');
  mkdirSync(join(folder, 'carol'));
  const state = await takeStateFolder(folder, { fresh: true });
  expect(state.isContinued).toBe(false);
  state.release();
  expect(readdirSync(folder).filter((name) => !name.startsWith('lock'))).toEqual(['carol', 'thesis.txt']);
});

it.each([false, true])('a second start is refused while the first runs (fresh: %s)', async (fresh) => {
  leaveSystem();
  const state = await takeStateFolder(folder, { fresh: false });
  await expect(takeStateFolder(folder, { fresh })).rejects.toThrow(StateInUse);
  await expect(takeStateFolder(folder, { fresh })).rejects.toThrow(/a system runs there already.*--state <folder>/);
  state.release();
  expect(readdirSync(folder)).toEqual(expect.arrayContaining([...FILES, ...FOLDERS]));
});

it('a fresh start removes nothing when a peer was started by hand on what it would remove', async () => {
  leaveSystem();
  const byHand = lockDataDir(join(folder, 'bob'));
  await expect(takeStateFolder(folder, { fresh: true })).rejects.toThrow(StateInUse);
  byHand.release();
  expect(readdirSync(folder)).toEqual(expect.arrayContaining([...FILES, ...FOLDERS]));
  expect(existsSync(join(folder, 'alice', 'identity.key'))).toBe(true);
  (await takeStateFolder(folder, { fresh: true })).release();
  expect(existsSync(join(folder, 'alice'))).toBe(false);
});
