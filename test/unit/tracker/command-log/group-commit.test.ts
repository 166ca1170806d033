import { describe, expect, test } from 'vitest';
import { APPEND_BATCH_BYTES_MAX, RECORD_BYTES_MAX } from '#wire/limits';
import type { AppendRecord } from '../../../../apps/tracker/src/command-log/command-log.ts';
import { GroupCommit } from '../../../../apps/tracker/src/command-log/group-commit.ts';

/** A log in memory whose writes end when the test says so. */
class HeldLog {
  readonly batches: (readonly AppendRecord[])[] = [];
  readonly #held: { resolve: (offset: number) => void; reject: (error: Error) => void; offset: number }[] = [];
  #end = 0;
  #arrived: () => void = () => {};

  readonly write = (records: readonly AppendRecord[]): Promise<number> => {
    this.batches.push(records);
    const offset = this.#end;
    this.#end += records.length;
    return new Promise((resolve, reject) => {
      this.#held.push({ resolve, reject, offset });
      this.#arrived();
    });
  };

  /** The write that runs, as soon as there is one. */
  async #current() {
    if (this.#held.length === 0) await new Promise<void>((resolve) => (this.#arrived = resolve));
    return this.#held.shift()!;
  }

  async finish(): Promise<void> {
    const { resolve, offset } = await this.#current();
    resolve(offset);
  }

  async fail(error: Error): Promise<void> {
    const { reject } = await this.#current();
    reject(error);
  }

  async started(): Promise<void> {
    this.#held.unshift(await this.#current());
  }
}

const record = (byteCount: number): AppendRecord => ({ value: new Uint8Array(byteCount), sealed: null });

describe('group commit', () => {
  test('what one burst appends shares one write', async () => {
    const log = new HeldLog();
    const commit = new GroupCommit(log.write);
    const appends = Array.from({ length: 100 }, () => commit.append([record(10)]));
    await log.finish();
    expect(await Promise.all(appends)).toEqual(Array.from({ length: 100 }, (_, index) => [index]));
    expect(log.batches.map((batch) => batch.length)).toEqual([100]);
  });

  test('what queues during a write goes in the next one, in order', async () => {
    const log = new HeldLog();
    const commit = new GroupCommit(log.write);
    const first = commit.append([record(1)]);
    await log.started();
    const second = commit.append([record(2), record(3)]);
    const third = commit.append([record(4)]);
    await log.finish();
    await log.finish();
    expect(await Promise.all([first, second, third])).toEqual([[0], [1, 2], [3]]);
    expect(log.batches.map((batch) => batch.map(({ value }) => value.length))).toEqual([[1], [2, 3, 4]]);
  });

  test('no write is longer than a batch may be, and no append is split', async () => {
    const log = new HeldLog();
    const commit = new GroupCommit(log.write);
    const third = Math.floor(APPEND_BATCH_BYTES_MAX / 3 / 10);
    const appends = Array.from({ length: 7 }, () =>
      commit.append(Array.from({ length: 10 }, () => record(third - 64))),
    );
    for (let write = 0; write < 3; write += 1) await log.finish();
    expect((await Promise.all(appends)).map((offsets) => offsets[0])).toEqual([0, 10, 20, 30, 40, 50, 60]);
    expect(log.batches.map((batch) => batch.length)).toEqual([30, 30, 10]);
  });

  test('a record of exactly the limit is taken, one byte more is refused and nothing is written', async () => {
    const log = new HeldLog();
    const commit = new GroupCommit(log.write);
    await expect(commit.append([record(RECORD_BYTES_MAX + 1)])).rejects.toMatchObject({
      code: 'record_too_large',
      retryable: false,
    });
    await expect(commit.append([{ value: new Uint8Array(RECORD_BYTES_MAX), sealed: 'x' }])).rejects.toMatchObject({
      code: 'record_too_large',
    });
    const taken = commit.append([record(RECORD_BYTES_MAX)]);
    await log.finish();
    expect(await taken).toEqual([0]);
    expect(log.batches).toHaveLength(1);
  });

  test('an append above the batch limit is refused as a whole', async () => {
    const commit = new GroupCommit(new HeldLog().write);
    const tooMany = Array.from({ length: 16 }, () => record(RECORD_BYTES_MAX));
    await expect(commit.append(tooMany)).rejects.toMatchObject({ code: 'record_too_large' });
  });

  test('a full queue refuses with log_busy, and takes appends again once it has drained', async () => {
    const log = new HeldLog();
    const commit = new GroupCommit(log.write, { queueBytesMax: 1000 });
    const first = commit.append([record(10)]);
    await log.started();
    const second = commit.append([record(900)]);
    await expect(commit.append([record(100)])).rejects.toMatchObject({ code: 'log_busy', retryable: true });
    await log.finish();
    await log.finish();
    await Promise.all([first, second]);
    const third = commit.append([record(900)]);
    await log.finish();
    expect(await third).toEqual([2]);
  });

  test('an append that gets no answer is log_unavailable, in flight or queued, and the queued one is never written', async () => {
    const log = new HeldLog();
    const commit = new GroupCommit(log.write, { timeoutMs: 20 });
    const inFlight = commit.append([record(1)]);
    await log.started();
    const queued = commit.append([record(2)]);
    await expect(inFlight).rejects.toMatchObject({ code: 'log_unavailable', retryable: true });
    await expect(queued).rejects.toMatchObject({ code: 'log_unavailable' });
    await log.finish();
    const later = commit.append([record(3)]);
    await log.finish();
    expect(await later).toEqual([1]);
    expect(log.batches.map((batch) => batch.map(({ value }) => value.length))).toEqual([[1], [3]]);
  });

  test('a failed write fails its own appends only', async () => {
    const log = new HeldLog();
    const commit = new GroupCommit(log.write);
    const first = commit.append([record(1)]);
    await Promise.all([expect(first).rejects.toThrow('disk full'), log.fail(new Error('disk full'))]);
    const second = commit.append([record(2)]);
    await log.finish();
    expect(await second).toEqual([1]);
  });

  test('nothing to append needs no write', async () => {
    const log = new HeldLog();
    expect(await new GroupCommit(log.write).append([])).toEqual([]);
    expect(log.batches).toHaveLength(0);
  });

  test('close fails what is not answered and whatever comes after', async () => {
    const log = new HeldLog();
    const commit = new GroupCommit(log.write);
    const first = commit.append([record(1)]);
    await log.started();
    const second = commit.append([record(2)]);
    commit.close();
    await expect(first).rejects.toMatchObject({ code: 'log_unavailable' });
    await expect(second).rejects.toMatchObject({ code: 'log_unavailable' });
    await expect(commit.append([record(3)])).rejects.toMatchObject({ code: 'log_unavailable' });
  });
});
