// What every adapter of the log port does, as one suite. Each test gets a log of its own, by its address; instances are
// opened on it as a tracker would.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RECORD_BYTES_MAX } from '#wire/limits';
import type { AppendRecord, CommandLog, StoredRecord } from '../../apps/tracker/src/command-log/command-log.ts';
import { openCommandLog } from '../../apps/tracker/src/command-log/open-command-log.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function recordOf(text: string, sealed: string | null = null): AppendRecord {
  return { value: encoder.encode(text), sealed };
}

export function textOf({ value }: AppendRecord): string {
  return decoder.decode(value);
}

export function textsOf(records: readonly AppendRecord[]): string[] {
  return records.map(textOf);
}

/** Reads until there are so many records. */
export async function take(log: CommandLog, { from = 0, count }: { from?: number; count: number }) {
  const records: StoredRecord[] = [];
  const enough = new AbortController();
  for await (const batch of log.read(from, enough.signal)) {
    records.push(...batch);
    if (records.length >= count) break;
  }
  return records;
}

/** Appends texts one burst at a time. */
export async function appendTexts(log: CommandLog, texts: readonly string[]): Promise<number[]> {
  const offsets = await Promise.all(texts.map((text) => log.append([recordOf(text)])));
  return offsets.flat();
}

/** Runs the suite; `newLog` gives the address of a log that does not exist yet. */
export function describeCommandLog(name: string, newLog: () => Promise<string>): void {
  describe(`the log on ${name}`, () => {
    const opened: CommandLog[] = [];
    const writers: ChildProcess[] = [];
    let url: string;

    const open = async (): Promise<CommandLog> => {
      const log = await openCommandLog({ url, trackerInfoPath: null });
      opened.push(log);
      return log;
    };

    const startWriter = (writerName: string, count: number) => {
      const script = fileURLToPath(new URL('./command-log-writer.ts', import.meta.url));
      const writer = spawn(process.execPath, [script, url, writerName, String(count)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      writers.push(writer);
      return writer;
    };

    beforeEach(async () => {
      url = await newLog();
    });

    afterEach(async () => {
      for (const writer of writers.splice(0)) writer.kill('SIGKILL');
      await Promise.all(opened.splice(0).map((log) => log.close()));
    });

    test('an empty log ends at 0, and reading it waits until it is aborted', async () => {
      const log = await open();
      expect(await log.end()).toBe(0);
      const stop = new AbortController();
      const reading = log.read(0, stop.signal)[Symbol.asyncIterator]().next();
      stop.abort();
      expect(await reading).toEqual({ done: true, value: undefined });
    });

    test('appends get offsets from 0 without gaps, and are read in that order', async () => {
      const log = await open();
      expect(await log.append([recordOf('a'), recordOf('b')])).toEqual([0, 1]);
      expect(await log.append([recordOf('c')])).toEqual([2]);
      const records = await take(log, { count: 3 });
      expect(records.map(({ offset, ...record }) => [offset, textOf(record)])).toEqual([
        [0, 'a'],
        [1, 'b'],
        [2, 'c'],
      ]);
      expect(await log.end()).toBe(3);
    });

    test('a value comes back byte for byte, and what is sealed stays beside it', async () => {
      const log = await open();
      const text = '{"name":"Zoë \\u0000 😀","quote":"\'\\"","lines":"\\n"}\n';
      const sealed = '$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA nonce=é';
      await log.append([recordOf(text, sealed), recordOf(''), recordOf('x', '')]);
      const records = await take(log, { count: 3 });
      expect(textsOf(records)).toEqual([text, '', 'x']);
      expect(records.map((record) => record.sealed)).toEqual([sealed, null, '']);
    });

    test('the log stamps the time at which it took a record', async () => {
      const log = await open();
      const before = Date.now();
      await log.append([recordOf('a')]);
      const [record] = await take(log, { count: 1 });
      expect(record!.appendTimeMs).toBeGreaterThanOrEqual(before - 1);
      expect(record!.appendTimeMs).toBeLessThanOrEqual(Date.now() + 1);
    });

    test('a reader that waits gets what is appended later, from any instance', async () => {
      const log = await open();
      const other = await open();
      const reading = take(log, { count: 4 });
      await log.append([recordOf('own')]);
      await other.append([recordOf('foreign')]);
      await other.append([recordOf('foreign too')]);
      await log.append([recordOf('own again')]);
      expect(textsOf(await reading)).toEqual(['own', 'foreign', 'foreign too', 'own again']);
    });

    test('reading starts at the offset that is asked for', async () => {
      const log = await open();
      await appendTexts(log, ['a', 'b', 'c', 'd']);
      const records = await take(log, { from: 2, count: 2 });
      expect(records.map(({ offset, ...record }) => [offset, textOf(record)])).toEqual([
        [2, 'c'],
        [3, 'd'],
      ]);
    });

    test('reading at the end waits for the next record', async () => {
      const log = await open();
      await log.append([recordOf('a')]);
      const reading = take(log, { from: 1, count: 1 });
      await log.append([recordOf('b')]);
      expect(textsOf(await reading)).toEqual(['b']);
    });

    test('reading from beyond the end is a log that lost records: log_halted', async () => {
      const log = await open();
      await log.append([recordOf('a')]);
      await expect(take(log, { from: 2, count: 1 })).rejects.toMatchObject({ code: 'log_halted', retryable: false });
    });

    test('several readers of one instance each get everything', async () => {
      const log = await open();
      await appendTexts(log, ['a', 'b']);
      const readings = [take(log, { count: 3 }), take(log, { count: 3 }), take(log, { from: 1, count: 2 })];
      await log.append([recordOf('c')]);
      const texts = (await Promise.all(readings)).map(textsOf);
      expect(texts).toEqual([
        ['a', 'b', 'c'],
        ['a', 'b', 'c'],
        ['b', 'c'],
      ]);
    });

    test('an aborted reader ends, before and in the middle of records, and the instance reads on', async () => {
      const log = await open();
      await appendTexts(log, ['a', 'b']);
      const aborted = AbortSignal.abort();
      for await (const _ of log.read(0, aborted)) expect.unreachable();
      const stop = new AbortController();
      const seen: string[] = [];
      for await (const batch of log.read(0, stop.signal)) {
        seen.push(...textsOf(batch));
        if (seen.length === 2) stop.abort();
      }
      expect(seen).toEqual(['a', 'b']);
      expect(textsOf(await take(log, { count: 2 }))).toEqual(['a', 'b']);
    });

    test('a reader that takes its time misses nothing', async () => {
      const log = await open();
      const texts = Array.from({ length: 40 }, (_, index) => `record ${index}`);
      await appendTexts(log, texts.slice(0, 10));
      const stop = new AbortController();
      const seen: string[] = [];
      let appended = 10;
      for await (const batch of log.read(0, stop.signal)) {
        if (appended < texts.length) await appendTexts(log, texts.slice(appended, (appended += 10)));
        seen.push(...textsOf(batch));
        if (seen.length === texts.length) break;
      }
      expect(seen).toEqual(texts);
    });

    test('instances that append at once share one order, and an append keeps its records together', async () => {
      const logs = [await open(), await open()];
      const appends = Array.from({ length: 200 }, async (_, index) => {
        const pair = [recordOf(`${index} first`), recordOf(`${index} second`)];
        return logs[index % 2]!.append(pair);
      });
      const offsets = await Promise.all(appends);
      const orders = await Promise.all(logs.map((log) => take(log, { count: 400 })));
      expect(orders[0]!.map(({ offset }) => offset)).toEqual(Array.from({ length: 400 }, (_, offset) => offset));
      expect(textsOf(orders[1]!)).toEqual(textsOf(orders[0]!));
      for (const [index, [first, second]] of offsets.entries()) {
        expect(second).toBe(first! + 1);
        expect(textOf(orders[0]![first!]!)).toBe(`${index} first`);
        expect(textOf(orders[0]![second!]!)).toBe(`${index} second`);
      }
    });

    test('processes that append at once share one order, each in its own', async () => {
      const log = await open();
      const reading = take(log, { count: 100 });
      startWriter('left', 50);
      startWriter('right', 50);
      const texts = textsOf(await reading);
      const expected = (side: string) => Array.from({ length: 50 }, (_, index) => `${side}-${index}`);
      expect(texts.filter((text) => text.startsWith('left'))).toEqual(expected('left'));
      expect(texts.filter((text) => text.startsWith('right'))).toEqual(expected('right'));
    });

    test('what a killed process had acknowledged is in the log, at its offset', async () => {
      const writer = startWriter('killed', 100_000);
      const acknowledged: string[] = [];
      for await (const line of createInterface({ input: writer.stdout! })) {
        acknowledged.push(line);
        if (acknowledged.length === 50) writer.kill('SIGKILL');
      }
      const log = await open();
      expect(acknowledged.length).toBeGreaterThanOrEqual(50);
      const records = await take(log, { count: acknowledged.length });
      const stored = records.map((record) => `${record.offset} ${textOf(record)}`);
      expect(stored.slice(0, acknowledged.length)).toEqual(acknowledged);
      expect(await log.append([recordOf('after')])).toEqual([await log.end().then((end) => end - 1)]);
    });

    test('an append as long as a batch may be is stored as a whole', async () => {
      const log = await open();
      const texts = Array.from({ length: 14 }, (_, index) => String(index % 10).repeat(RECORD_BYTES_MAX));
      expect(await log.append(texts.map((text) => recordOf(text)))).toEqual([...texts.keys()]);
      expect(textsOf(await take(log, { count: 14 }))).toEqual(texts);
    });

    test('a record above the limit is refused, and nothing of its append is stored', async () => {
      const log = await open();
      const tooLarge = recordOf('x'.repeat(RECORD_BYTES_MAX + 1));
      await expect(log.append([recordOf('a'), tooLarge])).rejects.toMatchObject({ code: 'record_too_large' });
      expect(await log.end()).toBe(0);
      expect(await log.append([recordOf('b')])).toEqual([0]);
    });

    test('5,000 records are read in order by another instance', async () => {
      const log = await open();
      const texts = Array.from({ length: 5_000 }, (_, index) => `${index} ${'x'.repeat(index % 700)}`);
      expect(await appendTexts(log, texts)).toEqual([...texts.keys()]);
      expect(textsOf(await take(await open(), { count: 5_000 }))).toEqual(texts);
    });

    test('a closed log answers nothing more, and its readers end', async () => {
      const log = await open();
      const reading = take(log, { count: 1 });
      await log.close();
      expect(await reading).toEqual([]);
      await expect(log.append([recordOf('a')])).rejects.toMatchObject({ code: 'log_unavailable' });
      await log.close();
    });
  });
}
