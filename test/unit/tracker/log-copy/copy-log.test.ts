// Facts about copying a log, from SQLite files to others and to backups; Kafka is in test/e2e/log-copy.test.ts.
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

async function copied(from: CopySource, to: CopyTarget): Promise<Copied> {
  try {
    return await copyLog(from, to);
  } finally {
    await from.close();
    await to.close();
  }
}

async function copiedTo(to: string, from = source): Promise<Copied> {
  return copied(await openCopySource(end(from)), await LogTarget.open(end(to)));
}

async function backUp(from = source): Promise<string> {
  const path = unusedPath();
  await copied(await openCopySource(end(from)), await BackupTarget.open(path));
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
    const to = await logOf(records.slice(0, held));
    expect(await copiedTo(to)).toMatchObject({ records: 300, heldCount: held, root: derived.root });
    expect(same(await recordsIn(to))).toEqual(same(records));
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
    await expect(copied({ ...read, refuseUse }, await LogTarget.open(end(to)))).rejects.toThrow(
      'grew to 300 records while 200 were copied: stop every tracker',
    );
    expect(await copiedTo(to, from)).toMatchObject({ records: 300, heldCount: 200 });
  });

  it('is not copied to one that somebody else writes to', async () => {
    const to = `sqlite:${unusedPath()}`;
    const from = await openCopySource(end(source));
    const target = await LogTarget.open(end(to));
    await append(to, [{ value: Buffer.from('{}'), sealed: null }]);
    await expect(copied(from, target)).rejects.toThrow('somebody else writes to');
  });

  it('without records is none', async () => {
    const from = await logOf([]);
    await expect(copiedTo(`sqlite:${unusedPath()}`, from)).rejects.toThrow('has no genesis');
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
    return { to, copied: await copied(new BackupSource(from), await LogTarget.open(end(to))) };
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
    expect(existsSync(interrupted)).toBe(false);
    await copied(await openCopySource(end(source)), await BackupTarget.open(interrupted));
    expect(readFileSync(interrupted)).toEqual(bytes);
  });

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
  ])('of which %s was changed is refused, and the log stays empty', async (_, before, after) => {
    const from = unusedPath();
    writeFileSync(
      from,
      bytes.toString('latin1').replace(before, () => after),
      'latin1',
    );
    const to = `sqlite:${unusedPath()}`;
    await expect(copied(new BackupSource(from), await LogTarget.open(end(to)))).rejects.toThrow(
      'is no backup to go on from',
    );
    expect(await recordsIn(to)).toEqual([]);
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
  it('come to nothing, and the next record stands behind them', async () => {
    const url = await logOf(records.slice(0, 100));
    const log = await openCommandLog({ url, trackerInfoPath: null });
    expect(await skipOffsets(log, 700)).toBe(600);
    expect(await skipOffsets(log, 700)).toBe(0);
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
    await expect(skipOffsets(log, 1_000_002)).rejects.toThrow('at most 1000000 offsets');
    await log.close();
    const empty = await openCommandLog({ url: await logOf([]), trackerInfoPath: null });
    await expect(skipOffsets(empty, 5)).rejects.toThrow('the log is empty');
    await empty.close();
  });
});
