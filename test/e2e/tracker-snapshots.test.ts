// Facts about trackers as processes with snapshots: killed, damaged, emptied.
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { openCommandLog } from '../../apps/tracker/src/command-log/open-command-log.ts';
import { SNAPSHOT_INTERVAL_RECORDS } from '../../apps/tracker/src/snapshots/snapshot-writer.ts';
import { randomRecords } from '../unit/tracker/random-log.ts';
import { Cleanup } from './tracker-harness.ts';
import { type Status, TrackerFolder, type TrackerProcess } from './tracker-processes.ts';

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

const BATCH_RECORDS = 4_000;
const SNAPSHOT = `snapshot-${String(SNAPSHOT_INTERVAL_RECORDS).padStart(16, '0')}`;
const logUrlOf = (folder: TrackerFolder): string => `sqlite:${join(folder.directory, 'cohort-log.sqlite')}`;

/** Fills the embedded log of a folder, mostly with bytes that are no records. */
async function fill(folder: TrackerFolder): Promise<void> {
  const log = await openCommandLog({ url: logUrlOf(folder), trackerInfoPath: null });
  const records = randomRecords(21, 400, { isTruthful: true }).map(({ value, sealed }) => ({ value, sealed }));
  const filler = { value: Buffer.from('{}'), sealed: null };
  await log.append(records.slice(0, 300));
  for (let size = 300; size < SNAPSHOT_INTERVAL_RECORDS; size += BATCH_RECORDS) {
    await log.append(Array.from({ length: BATCH_RECORDS }, () => filler));
  }
  // What a checkpoint says of the log is not so any more with the filler in between.
  await log.append(records.slice(300).filter(({ value }) => !Buffer.from(value).includes('checkpoint')));
  await log.close();
}

async function withSnapshot(tracker: TrackerProcess): Promise<Status> {
  return vi.waitFor(
    async () => {
      const status = await tracker.status();
      expect(status.snapshots).toMatchObject([{ offset: SNAPSHOT_INTERVAL_RECORDS }]);
      return status;
    },
    { timeout: 20_000, interval: 200 },
  );
}

async function sameAnswers(one: TrackerProcess, other: TrackerProcess): Promise<void> {
  const { appliedOffset } = await one.status();
  for (const offset of [5, 299, SNAPSHOT_INTERVAL_RECORDS, SNAPSHOT_INTERVAL_RECORDS + 1, appliedOffset]) {
    expect(await one.digestAt(offset), `digest at ${offset}`).toBe(await other.digestAt(offset));
    expect(await one.rootAt(offset), `root at ${offset}`).toBe(await other.rootAt(offset));
  }
}

it('a tracker that was killed begins at its snapshot and answers as one that read the whole log', async () => {
  const folder = await TrackerFolder.create(cleanup, 2);
  await fill(folder);
  const first = await folder.start(1);
  const { snapshots } = await withSnapshot(first);
  const path = join(folder.dataDirectory(1), 'snapshots', SNAPSHOT);
  const bytes = await readFile(path);
  await first.kill();
  const again = await folder.start(1);
  expect((await again.status()).snapshots).toEqual(snapshots);
  const other = await folder.start(2);
  await sameAnswers(again, other);
  // The other one has read the whole log, and comes to the same bytes.
  expect((await withSnapshot(other)).snapshots).toEqual(snapshots);
  expect(await readFile(join(folder.dataDirectory(2), 'snapshots', SNAPSHOT))).toEqual(bytes);
  await again.kill();
  await writeFile(path, bytes.subarray(0, bytes.length - 10));
  const damaged = await folder.start(1);
  expect(damaged.errors).toContain(`${SNAPSHOT} is not used and set aside`);
  await sameAnswers(damaged, other);
  await damaged.kill();
  await rm(join(folder.dataDirectory(1), 'snapshots'), { recursive: true });
  await sameAnswers(await folder.start(1), other);
}, 120_000);
