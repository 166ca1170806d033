import { expect, it } from 'vitest';
import { LogFailure } from '../../../../apps/tracker/src/command-log/command-log.ts';
import { RecordFeed } from '../../../../apps/tracker/src/command-log/record-feed.ts';
import { MemoryLog } from '../memory-log.ts';
import { appended, newUserRecord } from '../user-records.ts';

const offsetsIn = async (feed: RecordFeed): Promise<number[] | undefined> =>
  (await feed.next())?.map(({ offset }) => offset);
const recordOf = (user: string) => newUserRecord(user, 'a'.repeat(64));

it('a batch comes when it is asked for, and what follows once it is there', async () => {
  const log = new MemoryLog();
  const feed = new RecordFeed(log);
  expect(await feed.next()).toBeNull();
  await appended(log, recordOf('alice'), recordOf('bob'));
  feed.begin(1);
  expect(await offsetsIn(feed)).toEqual([1]);
  const coming = offsetsIn(feed);
  await appended(log, recordOf('carol'));
  expect(await coming).toEqual([2]);
});

it('what was asked of a reading that ends, or that another one takes the place of, is nothing', async () => {
  const log = new MemoryLog();
  await appended(log, recordOf('alice'));
  const feed = new RecordFeed(log);
  feed.begin(1);
  const [ofFirst] = [feed.next(), feed.begin(0)];
  expect(await ofFirst).toBeNull();
  expect(await offsetsIn(feed)).toEqual([0]);
  const waiting = feed.next();
  feed.end();
  expect(await waiting).toBeNull();
});

it('a reader that waits to be asked is told that nobody will', async () => {
  const log = new MemoryLog();
  await appended(log, recordOf('alice'));
  let isOver = false;
  const feed = new RecordFeed({
    async *read(fromOffset, signal) {
      try {
        yield* log.read(fromOffset, signal);
      } finally {
        isOver = true;
      }
    },
  });
  feed.begin(0);
  await feed.next();
  feed.end();
  await expect.poll(() => isOver).toBe(true);
});

it('a log that is at fault is told to whoever asks', async () => {
  const failure = new LogFailure('log_halted', 'cut');
  const feed = new RecordFeed({
    // oxlint-disable-next-line require-yield
    async *read() {
      await Promise.resolve();
      throw failure;
    },
  });
  feed.begin(0);
  await expect(feed.next()).rejects.toBe(failure);
});
