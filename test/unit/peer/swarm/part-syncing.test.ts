import { expect, it } from 'vitest';
import type { WorkerPool } from '../../../../apps/peer/src/data-plane/worker-pool.ts';
import { PartSyncing } from '../../../../apps/peer/src/swarm/part-syncing.ts';

const MIB = 2 ** 20;

/** What the pool was asked to do, when so many bytes of so many files came at a time. */
async function askedOf({ files, writes }: { files: number; writes: readonly number[] }): Promise<unknown[]> {
  const asked: unknown[] = [];
  const run = (task: string, request: unknown): Promise<unknown> => Promise.resolve(asked.push([task, request]));
  const syncing = new PartSyncing({ run } as unknown as WorkerPool, '/films/summer');
  for (const bytes of writes) await syncing.wrote(bytes, manifestFiles(files));
  return asked;
}

function manifestFiles(count: number) {
  return Array.from({ length: count }, (_, number) => ({ path: `${number}`, bytes: 1, sha1: '' }));
}

it('what came of a few files is pushed to the disk file by file, each time that 64 MiB more are there', async () => {
  const pushed = ['syncPart', { root: '/films/summer.part', files: manifestFiles(2) }];
  expect(await askedOf({ files: 2, writes: [63 * MIB] })).toEqual([]);
  expect(await askedOf({ files: 2, writes: [63 * MIB, MIB, 63 * MIB] })).toEqual([pushed]);
  expect(await askedOf({ files: 2, writes: [64 * MIB, 64 * MIB] })).toEqual([pushed, pushed]);
});

it('of many files, none is opened for that: all that waits on their file system is pushed', async () => {
  const pushed = ['syncPart', { root: '/films/summer.part', files: null }];
  expect(await askedOf({ files: 17, writes: [64 * MIB] })).toEqual([pushed]);
});
