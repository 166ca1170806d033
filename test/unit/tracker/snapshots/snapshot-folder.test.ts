// Facts about a folder of snapshots in which something else stands: it is a cache, and has to work by itself again.
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RULES } from '#domain/rules';
import type { Restart } from '../../../../apps/tracker/src/replica/replica.ts';
import { SnapshotFolder } from '../../../../apps/tracker/src/snapshots/snapshot-folder.ts';
import { SnapshotStore } from '../../../../apps/tracker/src/snapshots/snapshot-store.ts';
import { derivedOf, randomRecords } from '../random-log.ts';

const OFFSET = 99;
const NAME = `snapshot-${String(OFFSET).padStart(16, '0')}`;
const turn = (): undefined => undefined;
const restart: Restart = { problemOf: () => Promise.resolve(null), rules: RULES, turn };
let directory: string;
let folder: string;
let store: SnapshotStore;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'cohort-snapshots-'));
  folder = join(directory, 'snapshots');
  store = new SnapshotStore(new SnapshotFolder(folder), () => undefined);
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('the snapshots of a tracker', () => {
  it('give way to new ones when they are folders', async () => {
    for (const name of [NAME, 'set-aside-0000000000000050', 'unfinished']) {
      mkdirSync(join(folder, name, 'deep'), { recursive: true });
    }
    await expect(store.load(restart)).resolves.toBeNull();
    expect(readdirSync(folder).toSorted()).toEqual([NAME.replace('snapshot', 'set-aside'), 'unfinished']);
    const derived = derivedOf(randomRecords(3, OFFSET + 1));
    await expect(store.save(derived, turn)).rejects.toThrow('EISDIR');
    const kept = await store.save(derived, turn);
    expect((await store.load(restart))?.digest).toBe(derived.digest);
    expect(store.kept).toEqual([kept]);
  });
});
