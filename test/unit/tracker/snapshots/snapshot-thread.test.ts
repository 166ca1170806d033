import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { constants, getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { takeInThread } from '../../../../apps/tracker/src/snapshots/snapshot-thread.ts';
import { MemoryLog } from '../memory-log.ts';
import { derivedOf, randomRecords } from '../random-log.ts';

let folder: string;
beforeEach(async () => {
  // Not at once: as in a tracker, the threads that work on files are there before one takes a snapshot.
  folder = await mkdtemp(join(tmpdir(), 'cohort-snapshots-'));
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

it.runIf(process.platform === 'linux')('the thread that takes a snapshot makes way for all others', async () => {
  const log = new MemoryLog();
  await log.append(randomRecords(1, 60));
  const read = log.read.bind(log);
  let lowCount = 0;
  log.read = (...args) => {
    lowCount = prioritiesOfThreads().filter((priority) => priority === constants.priority.PRIORITY_BELOW_NORMAL).length;
    return read(...args);
  };
  const { root, digest } = derivedOf(log.records.slice(0, 40));
  const take = takeInThread({ folder, log, warn: (message) => expect.unreachable(message) });
  await take({ offset: 39, root, digest }, new AbortController().signal);
  expect([lowCount, getPriority()]).toEqual([1, 0]);
});

/** Of every thread of this process, see proc_pid_stat(5): the 19th field, the 17th behind the name, is its nice value. */
function prioritiesOfThreads(): number[] {
  return readdirSync('/proc/self/task').map((thread) => {
    const stat = readFileSync(`/proc/self/task/${thread}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]);
  });
}
