import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { takeInThread } from '../../../../apps/tracker/src/snapshots/snapshot-thread.ts';
import { MemoryLog } from '../memory-log.ts';
import { derivedOf, randomRecords } from '../random-log.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cohort-snapshots-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it('a thread that has taken its snapshot lets go of the log, of which it has not read all', async () => {
  const log = new MemoryLog();
  await log.append(randomRecords(1, 600));
  const read = log.read.bind(log);
  let readerCount = 0;
  log.read = async function* (fromOffset, signal) {
    readerCount += 1;
    try {
      yield* read(fromOffset, signal);
    } finally {
      readerCount -= 1;
    }
  };
  const { root, digest } = derivedOf(log.records.slice(0, 40));
  const take = takeInThread({ folder, log, warn: (message) => expect.unreachable(message) });
  const taken = await take({ offset: 39, root, digest }, new AbortController().signal);
  expect([taken, readerCount]).toEqual([{ kept: { offset: 39, hash: expect.any(String) as unknown } }, 0]);
});
