// Facts about copying a log, from SQLite files to others and to backups; Kafka is in test/e2e/log-copy.test.ts.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AppendRecord, StoredRecord } from '../../../../apps/tracker/src/command-log/command-log.ts';
import { openCommandLog } from '../../../../apps/tracker/src/command-log/open-command-log.ts';
import { openLogSource } from '../../../../apps/tracker/src/audit/log-source.ts';
import { BackupSource, BackupTarget } from '../../../../apps/tracker/src/log-copy/backup-file.ts';
import { LogTarget, openCopySource } from '../../../../apps/tracker/src/log-copy/copied-log.ts';
import type { CopySource, CopyTarget } from '../../../../apps/tracker/src/log-copy/copy-end.ts';
import { type Copied, copyLog } from '../../../../apps/tracker/src/log-copy/copy-log.ts';
import { skipOffsets } from '../../../../apps/tracker/src/log-copy/unused-offsets.ts';
import { exported } from '../audit/sources.ts';
import { derivedOf, randomRecords } from '../random-log.ts';

const records = randomRecords(7, 300, { isTruthful: true });
const derived = derivedOf(records);
const end = (url: string): { url: string; kafkaClientFile: null } => ({ url, kafkaClientFile: null });

let folder: string;
let count = 0;
let source: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cohort-log-copy-'));
  source = await logOf(records);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function unusedPath(): string {
  return join(folder, `file-${(count += 1)}`);
}

async function append(url: string, appended: readonly AppendRecord[]): Promise<void> {
  const log = await openCommandLog({ url, trackerInfoPath: null });
  await log.append(appended.map(({ value, sealed }) => ({ value, sealed })));
  await log.close();
}

async function logOf(appended: readonly AppendRecord[]): Promise<string> {
  const url = `sqlite:${unusedPath()}`;
  await append(url, appended);
  return url;
}

async function recordsIn(url: string): Promise<StoredRecord[]> {
  const log = await openLogSource(url, null);
  const found: StoredRecord[] = [];
  for await (const batch of log.records()) found.push(...batch);
  await log.close();
  return found;
}

async function copied(from: CopySource, to: () => Promise<CopyTarget>): Promise<Copied> {
  try {
    return await copyLog(from, to);
  } finally {
    await from.close();
  }
}

async function copiedTo(to: string, from = source): Promise<Copied> {
  return copied(await openCopySource(end(from)), () => LogTarget.open(end(to)));
}

async function backUp(from = source): Promise<string> {
  const path = unusedPath();
  await copied(await openCopySource(end(from)), () => BackupTarget.open(path));
  return path;
}

const same = (stored: readonly AppendRecord[]): object[] =>
  stored.map(({ value, sealed }) => ({ value: Buffer.from(value).toString('latin1'), sealed }));

describe('a log', () => {
  it('has in its copy the same bytes at every offset, the same password hashes, root and digest', async () => {
    const to = `sqlite:${unusedPath()}`;
    const { root, digest } = derived;
    expect(await copiedTo(to)).toMatchObject({ records: 300, heldCount: 0, root, digest, dispute: null });
    expect(same(await recordsIn(to))).toEqual(same(records));
    expect(records.filter(({ sealed }) => sealed !== null).length).toBeGreaterThan(5);
  });

  it.each([1, 150, 300])('goes on with a copy that was interrupted after %i records', async (held) => {
    const to = `sqlite:${unusedPath()}`;
    await append(`${to}.copying`, records.slice(0, held));
    expect(await copiedTo(to)).toMatchObject({ records: 300, heldCount: held, root: derived.root });
    expect(same(await recordsIn(to))).toEqual(same(records));
  });

  it.each(['not there', 'empty'])(
    'that is half copied to one that is %s is none that a tracker begins on',
    async (kind) => {
      const to = kind === 'empty' ? await logOf([]) : `sqlite:${unusedPath()}`;
      const from = await openCopySource(end(source));
      async function* half(): AsyncGenerator<readonly StoredRecord[]> {
        for await (const batch of from.records()) {
          yield batch.slice(0, 100);
          throw new Error('killed');
        }
      }
      const killed = { ...from, records: half };
      await expect(copied(killed, () => LogTarget.open(end(to)))).rejects.toThrow('killed');
      await expect(openCommandLog({ url: to, trackerInfoPath: null })).rejects.toMatchObject({
        code: 'log_misconfigured',
        message: expect.stringContaining('has not ended: run cohort log copy to it once more'),
      });
      expect(await copiedTo(to)).toMatchObject({ records: 300, heldCount: 100 });
      expect(same(await recordsIn(to))).toEqual(same(records));
      await append(to, []);
      expect(readdirSync(folder).filter((name) => name.includes('.copying'))).toEqual([]);
    },
  );

  it('is not copied behind records that a tracker may go on from, and the whole of it is known again', async () => {
    const to = await logOf(records.slice(0, 150));
    await expect(copiedTo(to)).rejects.toThrow(`${to} ends at 150, and there are more records to copy`);
    expect(await recordsIn(to)).toHaveLength(150);
    expect(await copiedTo(await logOf(records))).toMatchObject({ records: 300, heldCount: 300 });
  });

  it('does not take the name of one that was begun meanwhile', async () => {
    const to = `sqlite:${unusedPath()}`;
    const read = await openCopySource(end(source));
    const refuseUse = async (): Promise<void> => rename((await logOf(records.slice(0, 1))).slice(7), to.slice(7));
    await expect(copied({ ...read, refuseUse }, () => LogTarget.open(end(to)))).rejects.toThrow('has records by now');
    expect(await recordsIn(to)).toHaveLength(1);
    rmSync(`${to.slice(7)}.copying`);
  });

  const sealedAt = records.findIndex(({ sealed }) => sealed !== null);
  it.each([
    ['another record', 20, records.slice(0, 21).with(20, records[5]!)],
    ['another password hash', sealedAt, records.slice(0, 60).with(sealedAt, { ...records[sealedAt]!, sealed: null })],
  ])('is not copied to where %s stands, and nothing is appended there', async (_, offset, held) => {
    const to = await logOf(held);
    await expect(copiedTo(to)).rejects.toThrow(`${to} holds another record at offset ${offset}: name an empty log`);
    expect(await recordsIn(to)).toHaveLength(held.length);
  });

  it('is not copied to one that has more', async () => {
    const to = await logOf(records);
    const shorter = await logOf(records.slice(0, 100));
    await expect(copiedTo(to, shorter)).rejects.toThrow('holds 300 records, and there are 100 to copy');
  });

  it('is not copied while it grows; then the copy goes on', async () => {
    const from = await logOf(records.slice(0, 200));
    const to = `sqlite:${unusedPath()}`;
    const read = await openCopySource(end(from));
    const refuseUse: CopySource['refuseUse'] = (state) =>
      append(from, records.slice(200)).then(() => read.refuseUse(state));
    await expect(copied({ ...read, refuseUse }, () => LogTarget.open(end(to)))).rejects.toThrow(
      'grew to 300 records while 200 were copied: stop every tracker',
    );
    expect(await copiedTo(to, from)).toMatchObject({ records: 300, heldCount: 200 });
  });

  it('is not copied to one that somebody else writes to', async () => {
    const to = `sqlite:${unusedPath()}`;
    const from = await openCopySource(end(source));
    const target = async (): Promise<CopyTarget> => {
      const opened = await LogTarget.open(end(to));
      await append(`${to}.copying`, [{ value: Buffer.from('{}'), sealed: null }]);
      return opened;
    };
    await expect(copied(from, target)).rejects.toThrow('somebody else writes to');
  });

  it('without records is none', async () => {
    const from = await logOf([]);
    const to = unusedPath();
    await expect(copiedTo(`sqlite:${to}`, from)).rejects.toThrow('has no records');
    expect([to, `${to}.copying`].filter((path) => existsSync(path))).toEqual([]);
  });
});

describe('a backup', () => {
  let path: string;
  let bytes: Buffer;
  beforeAll(async () => {
    path = await backUp();
    bytes = readFileSync(path);
  });

  async function restored(from: string): Promise<{ to: string; copied: Copied }> {
    const to = `sqlite:${unusedPath()}`;
    return { to, copied: await copied(new BackupSource(from), () => LogTarget.open(end(to))) };
  }

  it('is read by its owner only, holds everything, and is restored to the same', async () => {
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const { to, copied: found } = await restored(path);
    expect(found).toMatchObject({ records: 300, root: derived.root, digest: derived.digest });
    expect(same(await recordsIn(to))).toEqual(same(records));
  });

  it('is never written over, and one that was interrupted is not there', async () => {
    await expect(BackupTarget.open(path)).rejects.toThrow('is there already');
    const interrupted = unusedPath();
    const target = await BackupTarget.open(interrupted);
    await target.take(records);
    await target.close();
    expect(leftOf(interrupted)).toEqual([]);
    await copied(await openCopySource(end(source)), () => BackupTarget.open(interrupted));
    expect(readFileSync(interrupted)).toEqual(bytes);
    expect(leftOf(interrupted)).toEqual([basename(interrupted)]);
  });

  it('takes no other name, and one that goes on beside it has its own file', async () => {
    const to = unusedPath();
    const [first, second] = [await BackupTarget.open(to), await BackupTarget.open(to)];
    await first.take(records);
    expect(leftOf(to)).toHaveLength(2);
    for (const name of leftOf(to)) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
    writeFileSync(to, 'of somebody else');
    await expect(first.keep()).rejects.toThrow('is there already');
    for (const target of [first, second]) await target.close();
    expect(readFileSync(to, 'utf8')).toBe('of somebody else');
    expect(leftOf(to)).toEqual([basename(to)]);
  });

  it('that is discarded leaves nothing', async () => {
    const to = unusedPath();
    const target = await BackupTarget.open(to);
    await target.take(records);
    target.discard();
    expect(leftOf(to)).toEqual([]);
    await target.close();
  });

  /** Whatever has its name or one that begins with it. */
  function leftOf(named: string): string[] {
    return readdirSync(folder).filter((name) => name === basename(named) || name.startsWith(`${basename(named)}.`));
  }

  it.each([
    ['its last byte', -1, 'the last line is cut off'],
    ['its trailer', undefined, 'the trailer is missing, so the end may have been cut off'],
    ['half of it', 0.5, 'the last line is cut off'],
  ])('without %s is refused', async (_, cut, problem) => {
    const lastLine = bytes.lastIndexOf('\n', bytes.length - 2) + 1;
    const size = cut === undefined ? lastLine : cut < 0 ? bytes.length + cut : Math.floor(bytes.length * cut);
    const from = unusedPath();
    writeFileSync(from, bytes.subarray(0, size));
    await expect(restored(from)).rejects.toThrow(`${from} is no backup to go on from: ${problem}`);
  });

  it.each([
    ['a record', '"type":"cohort.create_group.v1"', '"type":"cohort.create_grouq.v1"'],
    ['a password hash', '$argon2id$v=19', '$argon2id$v=18'],
  ])('of which %s was changed is refused, and no log is made', async (_, before, after) => {
    const from = unusedPath();
    writeFileSync(
      from,
      bytes.toString('latin1').replace(before, () => after),
      'latin1',
    );
    const to = `sqlite:${unusedPath()}`;
    await expect(copied(new BackupSource(from), () => LogTarget.open(end(to)))).rejects.toThrow(
      'is no backup to go on from',
    );
    expect([to, `${to}.copying`].filter((url) => existsSync(url.slice(7)))).toEqual([]);
  });

  it('is not what an auditor exports: nobody could log in', async () => {
    const from = unusedPath();
    writeFileSync(from, await exported(records));
    await expect(restored(from)).rejects.toThrow(
      'has no password hashes: it is an export of cohort audit, and no backup',
    );
  });

  it('is not written into a folder that is not there', async () => {
    await expect(BackupTarget.open(join(unusedPath(), 'backup'))).rejects.toThrow('cannot be written: ENOENT');
  });
});

describe('offsets that are left out', () => {
  const unforced = { isForced: false };

  it('are no more than a log plausibly lost, unless they are forced', async () => {
    const log = await openCommandLog({ url: await logOf(records.slice(0, 100)), trackerInfoPath: null });
    await expect(skipOffsets(log, 10_101, unforced)).rejects.toThrow(
      'the log ends at 100: 10001 offsets would be left out, and nobody can take that back; more than 10000 are with --force',
    );
    expect(await log.end()).toBe(100);
    expect(await skipOffsets(log, 10_101, { isForced: true })).toBe(10_001);
    await log.close();
  });

  it('come to nothing, and the next record stands behind them', async () => {
    const url = await logOf(records.slice(0, 100));
    const log = await openCommandLog({ url, trackerInfoPath: null });
    expect(await skipOffsets(log, 700, unforced)).toBe(600);
    expect(await skipOffsets(log, 700, unforced)).toBe(0);
    expect(await log.end()).toBe(700);
    await log.close();
    const before = derivedOf(records.slice(0, 100));
    const after = derivedOf(await recordsIn(url));
    expect(after.state.appliedOffset).toBe(699);
    expect([...after.state.groups.keys()]).toEqual([...before.state.groups.keys()]);
    expect(after.state.logTimeMs).toBe(before.state.logTimeMs);
  });

  it('are no more than a peer may be behind, and none of an empty log', async () => {
    const log = await openCommandLog({ url: await logOf(records.slice(0, 1)), trackerInfoPath: null });
    await expect(skipOffsets(log, 1_000_002, { isForced: true })).rejects.toThrow('at most 1000000 offsets');
    await log.close();
    const empty = await openCommandLog({ url: await logOf([]), trackerInfoPath: null });
    await expect(skipOffsets(empty, 5, unforced)).rejects.toThrow('the log is empty');
    await empty.close();
  });
});
