import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel';
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import type { CommandLog } from '../../apps/tracker/src/command-log/command-log.ts';
import { openCommandLog } from '../../apps/tracker/src/command-log/open-command-log.ts';
import { mounted, mountedReadOnly, remounted, unmount } from '../e2e/outage-checks.ts';
import { describeCommandLog, recordOf, take, textsOf } from './command-log.ts';

const folder = mkdtempSync(join(tmpdir(), 'cohort-sqlite-log-'));
/** Enough for a race between those that make a file to show nearly always. */
const FRESH_FILES = 15;
let logCount = 0;

function newFile(): string {
  logCount += 1;
  return join(folder, `log-${logCount}.sqlite`);
}

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describeCommandLog('SQLite', () => Promise.resolve(`sqlite:${newFile()}`));

describe('a SQLite log', () => {
  const opened: CommandLog[] = [];

  const open = async (file: string): Promise<CommandLog> => {
    const log = await openCommandLog({ url: `sqlite:${file}`, trackerInfoPath: null });
    opened.push(log);
    return log;
  };

  afterEach(async () => {
    await Promise.all(opened.splice(0).map((log) => log.close()));
  });

  test('its table is readable with any SQLite tool, and only by its owner', async () => {
    const file = newFile();
    const log = await open(file);
    await log.append([recordOf('{"a":1}', 'hash'), recordOf('{"b":2}')]);
    const database = new DatabaseSync(file, { readOnly: true });
    const rows = database.prepare('SELECT offset, value, typeof(value) AS type, sealed FROM records').all();
    const journal = database.prepare('PRAGMA journal_mode').get();
    database.close();
    expect(rows).toEqual([
      { offset: 0, value: '{"a":1}', type: 'text', sealed: 'hash' },
      { offset: 1, value: '{"b":2}', type: 'text', sealed: null },
    ]);
    expect(journal).toEqual({ journal_mode: 'wal' });
    expect([file, `${file}-wal`].map((path) => statSync(path).mode & 0o777)).toEqual([0o600, 0o600]);
  });

  test('that is not there yet is made once by all that open it at the same moment', async () => {
    for (let round = 0; round < FRESH_FILES; round++) {
      const file = newFile();
      const logs = await Promise.all([1, 2, 3, 4].map(() => open(file)));
      expect(await Promise.all(logs.map((log) => log.end()))).toEqual([0, 0, 0, 0]);
      await Promise.all(opened.splice(0).map((log) => log.close()));
    }
  });

  test('that is cut while it is in use takes no more records', async () => {
    const file = newFile();
    const log = await open(file);
    await log.append([recordOf('a')]);
    truncateSync(file);
    await expect(log.append([recordOf('b')])).rejects.toMatchObject({
      code: 'log_halted',
      message: expect.stringContaining('was cut while it was in use') as string,
    });
    await expect(log.end()).rejects.toMatchObject({ code: 'log_halted' });
  });

  test('a record that another tool inserts is heard', async () => {
    const file = newFile();
    const log = await open(file);
    await log.append([recordOf('a')]);
    const reading = take(log, { count: 2 });
    const database = new DatabaseSync(file);
    database.exec(`INSERT INTO records VALUES (1, 'foreign', NULL, 0)`);
    database.close();
    expect(textsOf(await reading)).toEqual(['a', 'foreign']);
  });

  test('a missing offset halts the reader at it', async () => {
    const file = newFile();
    const log = await open(file);
    await log.append([recordOf('a'), recordOf('b'), recordOf('c')]);
    const database = new DatabaseSync(file);
    database.exec('DELETE FROM records WHERE offset = 1');
    database.close();
    await expect(take(log, { count: 3 })).rejects.toMatchObject({
      code: 'log_halted',
      message: expect.stringContaining('offset 1'),
    });
  });

  test('the page after one that is full is looked for before it is asked for, and nothing after the last', async () => {
    const log = await open(newFile());
    await log.append(Array.from({ length: 600 }, (_, index) => recordOf(`${index}`)));
    const said = vi.spyOn(Worker.prototype, 'postMessage');
    const looks = (): unknown[] =>
      said.mock.calls.map(([message]) => (message as { request: { fromOffset: number } }).request.fromOffset);
    const pages = log.read(0, new AbortController().signal)[Symbol.asyncIterator]();
    const lengths: number[] = [];
    for (const looked of [
      [0, 256],
      [0, 256, 512],
      [0, 256, 512],
    ]) {
      lengths.push(((await pages.next()).value as readonly unknown[]).length);
      expect(looks()).toEqual(looked);
    }
    expect(lengths).toEqual([256, 256, 88]);
    said.mockRestore();
    await pages.return!();
  });

  test('while another process holds the lock, an append is log_unavailable; afterwards it works by itself', async () => {
    const file = newFile();
    const log = await open(file);
    await log.append([recordOf('a')]);
    const reading = take(log, { count: 2 });
    const database = new DatabaseSync(file);
    database.exec('BEGIN IMMEDIATE');
    const startedAt = performance.now();
    await expect(log.append([recordOf('lost')])).rejects.toMatchObject({
      code: 'log_unavailable',
      retryable: true,
      cause: expect.objectContaining({ message: 'database is locked' }),
    });
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    database.exec('COMMIT');
    database.close();
    expect(await log.append([recordOf('b')])).toEqual([1]);
    expect(textsOf(await reading)).toEqual(['a', 'b']);
  });

  test('a file that is deleted or replaced under a running log halts it, instead of taking records nobody reads', async () => {
    const file = newFile();
    const log = await open(file);
    await log.append([recordOf('a')]);
    renameSync(file, `${file}.moved`);
    await expect(log.append([recordOf('b')])).rejects.toMatchObject({ code: 'log_halted' });
    await expect(take(log, { from: 1, count: 1 })).rejects.toMatchObject({ code: 'log_halted' });
    writeFileSync(file, '');
    await expect(log.end()).rejects.toMatchObject({ code: 'log_halted' });
    expect(statSync(file).size).toBe(0);
  });

  test('a worker that dies fails what it had not answered, and a fresh one goes on', async () => {
    const workers: Worker[] = [];
    const onWorker = (message: unknown): void => void workers.push((message as { worker: Worker }).worker);
    subscribe('worker_threads', onWorker);
    const log = await open(newFile());
    await log.append([recordOf('a')]);
    const reading = take(log, { count: 2 });
    // Asked in the turn in which the worker is stopped: it cannot answer any more, and nobody knows yet that it is gone.
    const ended = workers[0]!.terminate();
    await expect(log.end()).rejects.toMatchObject({ code: 'log_unavailable', retryable: true });
    await ended;
    expect(await log.append([recordOf('b')])).toEqual([1]);
    expect(textsOf(await reading)).toEqual(['a', 'b']);
    unsubscribe('worker_threads', onWorker);
    expect(workers.length).toBe(2);
    expect(channel('worker_threads').hasSubscribers).toBe(false);
  });

  test('a file that is no log is refused and left as it is', async () => {
    const text = newFile();
    writeFileSync(
      text,
      'not a database, but long enough to be looked at as one by SQLite, which reads 100 bytes '.repeat(9),
    );
    await expect(open(text)).rejects.toMatchObject({ code: 'log_misconfigured', retryable: false });
    const other = newFile();
    const database = new DatabaseSync(other);
    database.exec('CREATE TABLE records (offset INTEGER PRIMARY KEY)');
    database.close();
    await expect(open(other)).rejects.toMatchObject({
      code: 'log_misconfigured',
      message: expect.stringContaining('--log'),
    });
    await expect(open(folder)).rejects.toMatchObject({ code: 'log_misconfigured' });
  });
});

describe('a SQLite log that is only read', () => {
  const read = (file: string): Promise<CommandLog> =>
    openCommandLog({ url: `sqlite:${file}`, trackerInfoPath: null, readsOnly: true });

  /** A log with one record, open or closed. */
  async function written(file: string): Promise<CommandLog> {
    const log = await openCommandLog({ url: `sqlite:${file}`, trackerInfoPath: null });
    await log.append([recordOf('{"a":1}')]);
    return log;
  }

  test('takes no record, and is as it was when it is closed', async () => {
    const file = newFile();
    await (await written(file)).close();
    const before = readFileSync(file);
    const log = await read(file);
    expect(await log.end()).toBe(1);
    await expect(log.append([recordOf('{"b":2}')])).rejects.toMatchObject({ code: 'log_unavailable' });
    expect(await log.end()).toBe(1);
    await log.close();
    expect(readFileSync(file)).toEqual(before);
    expect(existsSync(`${file}-wal`)).toBe(false);
  });

  test('is not made where none is: a missing file stays missing, and an empty one empty', async () => {
    const [missing, empty] = [newFile(), newFile()];
    writeFileSync(empty, '');
    await expect(read(missing)).rejects.toMatchObject({ code: 'log_misconfigured' });
    await expect(read(empty)).rejects.toThrow(`${empty} is empty, and no log: say which one with --log.`);
    expect([existsSync(missing), statSync(empty).size]).toEqual([false, 0]);
  });

  test('may be on a disk that nobody can write, unless records of it are in its side file alone', async ({ skip }) => {
    const disk = mkdtempSync(join(folder, 'disk-'));
    skip(!mounted(disk, 'size=4m'), 'needs the right to mount a small file system');
    try {
      const [closed, open] = [newFile(), newFile()];
      await (await written(closed)).close();
      const log = await written(open);
      copyFileSync(closed, join(disk, 'closed'));
      for (const side of ['', '-wal']) copyFileSync(`${open}${side}`, join(disk, `open${side}`));
      await log.close();
      skip(!remounted(disk, 'ro'), 'needs the right to mount a file system read-only');
      const there = await read(join(disk, 'closed'));
      expect(textsOf(await take(there, { count: 1 }))).toEqual(['{"a":1}']);
      await there.close();
      await expect(read(join(disk, 'open'))).rejects.toThrow(
        /open-wal: copy both to a folder that this user may write/,
      );
    } finally {
      unmount(disk);
    }
  });

  test('is not read where others write it and this one may not: what is half written would pass for tampered with', async ({
    skip,
  }) => {
    const [folderOfWriter, seen] = [mkdtempSync(join(folder, 'written-')), mkdtempSync(join(folder, 'seen-'))];
    const file = join(folderOfWriter, 'log.sqlite');
    await (await written(file)).close();
    skip(!mountedReadOnly(folderOfWriter, seen), 'needs the right to mount a folder read-only');
    try {
      const there = await read(join(seen, 'log.sqlite'));
      expect(await there.end()).toBe(1);
      const writer = await openCommandLog({ url: `sqlite:${file}`, trackerInfoPath: null });
      await writer.append([recordOf('{"b":2}')]);
      await expect(there.end()).rejects.toMatchObject({
        code: 'log_unavailable',
        message: expect.stringContaining('is being written') as unknown,
      });
      await writer.close();
      expect(await there.end()).toBe(2);
      await there.close();
    } finally {
      unmount(seen);
    }
  });
});
