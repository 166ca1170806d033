// What verify says of logs and exports that lack something, and of what is no export at all.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openCheckpointNote } from '#wire/checkpoint-note';
import { exportSourceOf, openExportSource } from '../../../../apps/tracker/src/audit/export-source.ts';
import { type KeptCheckpoint, readKeptCheckpoint } from '../../../../apps/tracker/src/audit/kept-checkpoint.ts';
import { openLogSource } from '../../../../apps/tracker/src/audit/log-source.ts';
import { verify } from '../../../../apps/tracker/src/audit/verification.ts';
import { openCommandLog } from '../../../../apps/tracker/src/command-log/open-command-log.ts';
import { signedCheckpointNote } from '../../../../apps/tracker/src/replica/checkpoint-signature.ts';
import { newIdentity } from '../new-identity.ts';
import { derivedOf, randomRecords } from '../random-log.ts';
import { exported, sourceOf } from './sources.ts';

const records = randomRecords(7, 120, { isTruthful: true });
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cohort-damaged-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('a log without its genesis is incomplete, and so is one without records', async () => {
  const headless = records
    .slice(1, 20)
    .map(({ value }, offset) => ({ offset, value, sealed: null, appendTimeMs: null }));
  expect(await verify(sourceOf(headless))).toMatchObject({
    verdict: 'incomplete',
    firstBadOffset: 0,
    problem: expect.stringContaining('no genesis'),
  });
  expect(await verify(sourceOf([]))).toMatchObject({ verdict: 'incomplete', problem: 'there are no records' });
});

it('a log in a file that lacks a record is tampered with from there on, and not from its beginning', async () => {
  const path = join(folder, 'gap.sqlite');
  const url = `sqlite:${path}`;
  const log = await openCommandLog({ url, trackerInfoPath: null });
  await log.append(records);
  await log.close();
  const database = new DatabaseSync(path);
  database.exec('DELETE FROM records WHERE offset = 70');
  database.close();
  const source = await openLogSource(url, null);
  const found = await verify(source);
  await source.close();
  expect(found).toMatchObject({ verdict: 'tampered', records: 70, firstBadOffset: 70, lastSuspectOffset: 70 });
});

it('a kept checkpoint with another digest is contradicted, whoever has signed it', async () => {
  const identity = newIdentity();
  const derived = derivedOf(records.slice(0, 100));
  const note = signedCheckpointNote(identity, { ...derived.checkpoint()!, digest: 'f'.repeat(64) });
  const kept: KeptCheckpoint = { ...openCheckpointNote(note, () => true)!, name: 'kept.txt', note };
  expect(await verify(sourceOf(records), { kept: [kept] })).toMatchObject({
    verdict: 'tampered',
    problem: 'kept.txt is about other effects than the first 100 records here come to',
  });
});

it('a kept checkpoint about no records is none', async () => {
  const path = join(folder, 'kept.txt');
  await writeFile(path, signedCheckpointNote(newIdentity(), { ...derivedOf(records).checkpoint()!, size: 0 }));
  await expect(readKeptCheckpoint(path)).rejects.toThrow('is about no records');
});

it('a line that is longer than any record makes an export one that was tampered with', async () => {
  const [first] = (await exported(records)).toString('latin1').split('\n');
  const long = Buffer.from(`${first!}\n{"x":"${'x'.repeat(9 * 2 ** 20)}"}\n`, 'latin1');
  const path = join(folder, 'long.ndjson');
  await writeFile(path, long);
  for (const source of [exportSourceOf(long), openExportSource(path)]) {
    expect(await verify(source)).toMatchObject({
      verdict: 'tampered',
      firstBadOffset: 1,
      problem: 'there is no record of an export where that of offset 1 has to be',
    });
  }
});

it('a folder is no export', () => {
  expect(() => openExportSource(folder)).toThrow(`${folder} is a folder`);
});
