import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { keepLogId, refuseOtherLog } from '../../../../apps/tracker/src/replica/followed-log.ts';
import { MemoryLog } from '../memory-log.ts';
import { derivedOf, randomRecords } from '../random-log.ts';

const records = randomRecords(3, 20, { isTruthful: true });
const logId = derivedOf(records).state.logId!;
const otherId = 'f'.repeat(64);

let dataDirectory: string;
let stopping: AbortController;
beforeEach(async () => {
  dataDirectory = await mkdtemp(join(tmpdir(), 'cohort-followed-'));
  stopping = new AbortController();
});
afterEach(() => rm(dataDirectory, { recursive: true }));

async function logOf(count: number): Promise<MemoryLog> {
  const log = new MemoryLog();
  await log.append(records.slice(0, count));
  return log;
}

const refused = (log: MemoryLog): Promise<void> =>
  refuseOtherLog(log, { dataDirectory, logUrl: 'sqlite:a' }, stopping.signal);

it('a tracker that has followed none takes any log, and then that one', async () => {
  const log = await logOf(20);
  await expect(refused(log)).resolves.toBeUndefined();
  await keepLogId(dataDirectory, logId);
  await expect(refused(log)).resolves.toBeUndefined();
  expect(await readdir(dataDirectory)).toEqual(['log-id']);
});

it.each([
  [20, /^the log sqlite:a is another one, [0-9a-f]{64}, and this tracker has followed the log f{64}: give the --log/],
  [0, /^the log sqlite:a is empty, and this tracker has followed the log f{64}: give the --log .* remove .*log-id/],
])('with %i records, it is refused by who has followed another one', async (count, message) => {
  await keepLogId(dataDirectory, otherId);
  await expect(refused(await logOf(count))).rejects.toMatchObject({
    code: 'log_misconfigured',
    message: expect.stringMatching(message) as string,
  });
});

it('a log that is away when its id is looked for is waited for until the tracker is stopped', async () => {
  await keepLogId(dataDirectory, otherId);
  const log = await logOf(20);
  log.pauseReading();
  const looking = refused(log);
  stopping.abort();
  await expect(looking).resolves.toBeUndefined();
});

it.each(['', '\n', 'no id\n', otherId.slice(1), null])(
  'what is kept as %j does not say which log it was',
  async (text) => {
    const file = join(dataDirectory, 'log-id');
    await (text === null ? mkdir(file) : writeFile(file, text));
    await expect(refused(await logOf(20))).rejects.toMatchObject({
      code: 'log_misconfigured',
      message: `${file} does not say which log this tracker has followed: if that is sqlite:a, remove the file and start again`,
    });
  },
);
