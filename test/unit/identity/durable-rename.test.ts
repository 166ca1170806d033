// What a crash of the machine leaves of a replaced file: the system's calls are watched, since no test can pull the plug.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test, vi } from 'vitest';
import { LineFile, ReplacedFile } from '#identity/durable-file';

const calls = vi.hoisted((): string[] => []);

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  return {
    ...real,
    rename: async (from: string, to: string) => {
      await real.rename(from, to);
      calls.push(`rename to ${to}`);
    },
    open: async (path: string, flags: string) => {
      const handle = await real.open(path, flags);
      const sync = handle.sync.bind(handle);
      handle.sync = async () => {
        await sync();
        calls.push(`flush ${path}`);
      };
      return handle;
    },
  };
});

vi.mock('node:fs', async (original) => {
  const real = await original<typeof import('node:fs')>();
  const paths = new Map<number, string>();
  return {
    ...real,
    renameSync: (from: string, to: string) => {
      real.renameSync(from, to);
      calls.push(`rename to ${to}`);
    },
    openSync: (path: string, flags: string) => {
      const handle = real.openSync(path, flags);
      paths.set(handle, path);
      return handle;
    },
    fsyncSync: (handle: number) => {
      real.fsyncSync(handle);
      calls.push(`flush ${paths.get(handle)}`);
    },
  };
});

const directory = mkdtempSync(join(tmpdir(), 'cohort-durable-'));
const path = join(directory, 'file');
/** Windows opens no folder. */
const replaced = [`rename to ${path}`, ...(process.platform === 'win32' ? [] : [`flush ${directory}`])];
const throws = (_path: string, error: Error): never => {
  throw error;
};
beforeEach(() => void calls.splice(0));
afterAll(() => rmSync(directory, { recursive: true }));

test('a file is replaced on the disk when its write is over', async () => {
  await new ReplacedFile(path).write('new');
  expect(calls).toEqual(replaced);
});

test('lines are replaced on the disk when that is over', () => {
  new LineFile(path, throws).replace([{ n: 1 }]);
  expect(calls).toEqual([`flush ${path}.new`, ...replaced]);
});
