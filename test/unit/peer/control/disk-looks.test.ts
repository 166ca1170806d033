// How disks are asked that answer, hang, or are gone.
import type { StatsFs } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect, it } from 'vitest';
import { DiskLooks } from '../../../../apps/peer/src/control/disk-looks.ts';

const DISK = { bavail: 3, bsize: 512 } as StatsFs;

it('a disk is asked once for all who ask at one time, and anew after that', async () => {
  const asked: string[] = [];
  const disks = new DiskLooks((folder) => {
    asked.push(folder);
    return Promise.resolve(DISK);
  });
  expect(await Promise.all([disks.look('/a'), disks.look('/a'), disks.look('/b')])).toEqual([DISK, DISK, DISK]);
  expect(asked).toEqual(['/a', '/b']);
  await disks.look('/a');
  expect(asked).toEqual(['/a', '/b', '/a']);
});

it('a disk that hangs is not asked again until it answers, and nobody waits for it', async () => {
  const gates: PromiseWithResolvers<StatsFs>[] = [];
  const disks = new DiskLooks(() => {
    const gate = Promise.withResolvers<StatsFs>();
    gates.push(gate);
    return gate.promise;
  });
  expect(await disks.look('/stale')).toBeNull();
  expect(await disks.look('/stale')).toBeNull();
  expect(gates).toHaveLength(1);
  gates[0]!.resolve(DISK);
  await gates[0]!.promise;
  await expect.poll(() => (void disks.look('/stale'), gates.length)).toBe(2);
});

it('of a folder that is gone nothing is known', async () => {
  const disks = new DiskLooks();
  expect(await disks.look('/nowhere/at/all')).toBeNull();
  expect((await disks.look(tmpdir()))?.bsize).toBeGreaterThan(0);
});
