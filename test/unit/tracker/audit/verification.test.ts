import { generateKeyPairSync, hash } from 'node:crypto';
import { expect, it, vi } from 'vitest';
import { openCheckpointNote } from '#wire/checkpoint-note';
import { decodeLogRecord } from '#wire/log-record';
import { entryOf, type LogEntry } from '../../../../apps/tracker/src/audit/log-entry.ts';
import { verificationText } from '../../../../apps/tracker/src/audit/audit-texts.ts';
import { signedExtentOf } from '../../../../apps/tracker/src/audit/last-checkpoint.ts';
import { replay } from '../../../../apps/tracker/src/audit/replay.ts';
import { writeExport } from '../../../../apps/tracker/src/audit/export-writing.ts';
import { exportSourceOf } from '../../../../apps/tracker/src/audit/export-source.ts';
import { trailerInLine, trailerLine } from '../../../../apps/tracker/src/audit/export-format.ts';
import type { KeptCheckpoint } from '../../../../apps/tracker/src/audit/kept-checkpoint.ts';
import { type Verification, verify, type VerifyOptions } from '../../../../apps/tracker/src/audit/verification.ts';
import { readGoldenLog } from '../../../golden/golden-log.ts';
import { seeded } from '../../../seeded-random.ts';
import { derivedOf, randomRecords } from '../random-log.ts';
import { exported, sourceOf } from './sources.ts';

vi.setConfig({ testTimeout: 90_000 });

const records = randomRecords(7, 400, { isTruthful: true });
const lastSize = Math.max(...[...derivedOf(records).checkpoints.entries.recordsSince, 0]);

function verdictOn(bytes: Uint8Array, options: VerifyOptions = {}): Promise<Verification> {
  return verify(exportSourceOf(bytes), options);
}

/** The last checkpoint of the first so many records, as somebody keeps it. */
function keptBefore(count: number): KeptCheckpoint {
  const notes = records.slice(0, count).flatMap(({ value }) => {
    const { command } = decodeLogRecord(value) ?? {};
    return command?.name === 'checkpoint' ? command.data.note : [];
  });
  const note = notes.at(-1)!;
  return { ...openCheckpointNote(note, () => true)!, name: 'kept.txt', note };
}

function linesOf(bytes: Buffer): string[] {
  return bytes.toString('latin1').split('\n').slice(0, -1);
}

function bytesOf(lines: readonly string[]): Buffer {
  return Buffer.from(lines.map((line) => `${line}\n`).join(''), 'latin1');
}

/** The lines with the trailer written anew for them, as somebody would who knows this format and has no key. */
function retold(lines: readonly string[]): Buffer {
  const trailer = trailerInLine(Buffer.from(lines.at(-1)!, 'latin1'))!;
  const body = bytesOf(lines.slice(0, -1));
  const told = { ...trailer, records: lines.length - 1, sha256: hash('sha256', body, 'hex'), auditor: null };
  return Buffer.concat([body, trailerLine(told)]);
}

it('an export is sound, ends at the last checkpoint that agrees, and replays to what the log came to there', async () => {
  const found = await verdictOn(await exported(records));
  const size = found.records;
  expect(found).toMatchObject({ verdict: 'sound', signedRecords: size, firstBadOffset: null, problem: null });
  expect(size).toBeGreaterThan(300);
  const derived = derivedOf(records.slice(0, size));
  expect(found).toMatchObject({ root: derived.root, digest: derived.digest, trust: 'consistent' });
});

it('an export with its tail has all records, and says which of them nobody signed', async () => {
  const cut = records.slice(0, lastSize + 5);
  const found = await verdictOn(await exported(cut, { tail: true }));
  expect(found).toMatchObject({ verdict: 'sound', records: cut.length });
  expect(found.signedRecords).toBeLessThan(cut.length);
});

it('an export holds no secret that was sealed beside a record, and bytes that are no record as they are', async () => {
  const bytes = await exported(records, { tail: true });
  expect(bytes.toString('latin1')).not.toContain('argon2id');
  const values = [];
  for await (const batch of exportSourceOf(bytes).records())
    values.push(...batch.map(({ value }) => Buffer.from(value)));
  expect(values).toEqual(records.map(({ value }) => Buffer.from(value)));
});

it('a password hash that was changed beside its record is found, and one that is missing is no fault', async () => {
  const sealed = records.filter((record) => record.sealed !== null);
  const [first, second] = [sealed[3]!, sealed[5]!];
  const changed = records.map((record) => {
    const isChanged = record === first || record === second;
    return isChanged ? { ...record, sealed: sealed[0]!.sealed } : { ...record, sealed: null };
  });
  expect(await verify(sourceOf(changed))).toMatchObject({
    verdict: 'tampered',
    firstBadOffset: first.offset,
    lastSuspectOffset: first.offset,
    problem: `beside the record at offset ${first.offset} is another password hash than it speaks of, and so with 1 more`,
  });
  expect(await verify(sourceOf(records.map((record) => ({ ...record, sealed: null }))))).toMatchObject({
    verdict: 'sound',
  });
});

it('records that are no line, or pretend to be a line of an export, come out as they went in', async () => {
  const trailer = linesOf(await exported(records)).at(-1)!;
  const strange = [
    '',
    '[1]',
    '{"a":\n1}',
    '\u0000',
    trailer,
    '{"specversion":"1.0","type":"cohort.unreadable_record.v1"}',
  ];
  const all = [
    ...records.slice(0, 3).map(({ value }) => value),
    Buffer.from(JSON.stringify(JSON.parse(Buffer.from(records[3]!.value).toString()), null, 1)),
    ...strange.map((text) => Buffer.from(text)),
    Buffer.of(255),
  ];
  const log = all.map((value, offset) => ({ offset, value, sealed: null, appendTimeMs: null }));
  const source = exportSourceOf(await exported(log, { tail: true }));
  const values = [];
  for await (const batch of source.records()) values.push(...batch.map(({ value }) => Buffer.from(value)));
  expect(source.problem).toBeNull();
  expect(values).toEqual(all.map((value) => Buffer.from(value)));
  expect((await replay(source)).digest).toBe((await replay(sourceOf(log))).digest);
});

it('a byte that is flipped is found, wherever it is', async () => {
  const bytes = await exported(records.slice(0, 150));
  const random = seeded(1);
  for (let trial = 0; trial < 200; trial++) {
    const at = Math.floor(random() * bytes.length);
    const flipped = Buffer.from(bytes);
    flipped[at] = flipped[at]! ^ (1 + Math.floor(random() * 255));
    expect((await verdictOn(flipped)).verdict, `byte ${at} is ${flipped[at]}`).not.toBe('sound');
  }
});

it('every record that is taken out, doubled or exchanged is found, also when the trailer is written anew', async () => {
  const lines = linesOf(await exported(records.slice(0, 60)));
  for (let at = 0; at < lines.length - 1; at += 1) {
    const without = lines.toSpliced(at, 1);
    const isLast = at === lines.length - 2;
    // Behind the last one it would be what nobody has signed, and said to be that.
    const doubled = isLast ? null : lines.toSpliced(at, 0, lines[at]!);
    const exchanged = isLast ? null : lines.toSpliced(at, 2, lines[at + 1]!, lines[at]!);
    for (const changed of [without, doubled, exchanged]) {
      if (changed === null || changed.join() === lines.join()) continue;
      expect((await verdictOn(bytesOf(changed))).verdict).toBe('tampered');
      const found = await verdictOn(retold(changed));
      expect(found.verdict).toBe('tampered');
      // What is doubled stands where it stood: the one after it is the first that is wrong.
      expect(found.firstBadOffset ?? 0).toBeLessThanOrEqual(changed === doubled ? at + 1 : at);
      expect(found.lastSuspectOffset ?? Number.POSITIVE_INFINITY).toBeGreaterThanOrEqual(at);
    }
  }
});

it('an export that is cut anywhere is not sound', async () => {
  const bytes = await exported(records.slice(0, 60));
  for (let length = 0; length < bytes.length; length += length < bytes.length - 400 ? 97 : 1) {
    expect((await verdictOn(bytes.subarray(0, length))).verdict, `${length} bytes`).not.toBe('sound');
  }
});

it('whoever kept a checkpoint finds a log that was cut before it, and one that was written anew', async () => {
  const kept = keptBefore(200);
  expect((await verify(sourceOf(records), { kept: [kept] })).verdict).toBe('sound');
  const cut = await verify(sourceOf(records.slice(0, 100)), { kept: [kept] });
  expect(cut).toMatchObject({ verdict: 'tampered', firstBadOffset: 100 });
  const other = await verify(sourceOf(randomRecords(8, 400, { isTruthful: true })), { kept: [kept] });
  expect(other).toMatchObject({ verdict: 'tampered', firstBadOffset: 0, lastSuspectOffset: kept.size - 1 });
  const forged = { ...kept, note: kept.note.replace(/\n— (\S+) ..../, '\n— $1 AAAA') };
  expect(await verify(sourceOf(records), { kept: [forged] })).toMatchObject({
    verdict: 'tampered',
    problem: expect.stringContaining('signed by no tracker'),
  });
});

it('trust is in keys that were given, not in those that the log brings along', async () => {
  const { signers } = await verify(sourceOf(records));
  expect(signers.length).toBe(2);
  const [one] = signers;
  const found = await verify(sourceOf(records), { trusted: new Set([one!.tracker]) });
  expect(found).toMatchObject({ verdict: 'sound', trust: 'signed', signedRecords: one!.records });
  const foreign = await verify(sourceOf(records), { trusted: new Set(['f'.repeat(64)]) });
  expect(foreign).toMatchObject({ verdict: 'incomplete', trust: 'consistent', signedRecords: 0 });
  expect(foreign.problem).toContain('none of the trackers that you trust');
});

it('a log without a checkpoint yet is incomplete for who names trackers, and says how to go on; nothing of it is suspect', async () => {
  const firstCheckpoint = records.findIndex(({ value }) => decodeLogRecord(value)?.command.name === 'checkpoint');
  const young = records.slice(0, firstCheckpoint);
  expect(young.length).toBeGreaterThan(3);
  const { signers } = await verify(sourceOf(records));
  const trusted = new Set(signers.map(({ tracker }) => tracker));
  const found = await verify(sourceOf(young), { trusted });
  expect(found).toMatchObject({ verdict: 'incomplete', firstBadOffset: null, lastSuspectOffset: null });
  expect(found.problem).toMatch(/^there is no checkpoint in it yet.*verify it again then/);
  const text = verificationText(found, { namesTrackers: true });
  expect(text).not.toMatch(/bad record|--trackers/);
  expect(text).toContain('no tracker whose key you gave has signed it');
  expect(await verdictOn(await exported(young, { tail: true }), { trusted })).toMatchObject({
    verdict: 'incomplete',
    problem: found.problem,
  });
});

it('what only nobody has signed is not called bad', async () => {
  const { signers } = await verify(sourceOf(records));
  const trusted = new Set([signers[0]!.tracker]);
  const found = await verdictOn(await exported(records, { tail: true }), { trusted });
  expect(found.verdict).toBe('incomplete');
  const text = verificationText(found, { namesTrackers: true });
  expect(text).toMatch(/signed its last records.*; this is about offsets \d+ to \d+$/m);
  expect(text).not.toContain('bad record');
});

it('records that are put behind what trusted trackers signed do not pass for signed', async () => {
  const lines = linesOf(await exported(records));
  const invented = linesOf(await exported(randomRecords(8, 30), { tail: true })).slice(20, 25);
  const forged = retold(lines.toSpliced(-1, 0, ...invented));
  const trailer = trailerInLine(Buffer.from(lines.at(-1)!, 'latin1'))!;
  const trusted = new Set([trailer.checkpoint!.trackerId]);
  expect(await verdictOn(forged, { trusted })).toMatchObject({
    verdict: 'incomplete',
    firstBadOffset: trailer.signedRecords,
    signedRecords: trailer.signedRecords,
  });
  expect(await verdictOn(forged, { trusted, allowsTail: true })).toMatchObject({ verdict: 'sound' });
  expect(await verdictOn(await exported(records), { trusted })).toMatchObject({ verdict: 'sound', trust: 'signed' });
});

it('the checkpoint that is kept is the last one of who is trusted, the one in the trailer included', async () => {
  const source = exportSourceOf(await exported(records));
  const { last } = await signedExtentOf(source);
  expect(last!.size).toBe(source.trailer!.signedRecords);
  const { signers } = await verify(sourceOf(records));
  const other = signers.find(({ tracker }) => tracker !== last!.trackerId)!;
  const ofOther = await signedExtentOf(sourceOf(records), { trusted: new Set([other.tracker]) });
  expect(ofOther.last).toMatchObject({ trackerId: other.tracker, size: other.records });
});

it('a record that is nested deeper than anybody can write is refused like any other that is malformed', async () => {
  const genesis = Buffer.from(records[0]!.value).toString();
  const deep = genesis.replace('"data":{', `"data":{"x":${'['.repeat(30_000)}${']'.repeat(30_000)},`);
  const log = [...records.slice(0, 3), { ...records[3]!, value: Buffer.from(deep) }];
  const entries: LogEntry[] = [];
  await replay(sourceOf(log), { visit: (audited) => entries.push(entryOf(audited)) });
  expect(entries[3]).toMatchObject({ outcome: 'rejected', reason: 'malformed_record', body: expect.any(String) });
  expect((await verify(sourceOf(log))).verdict).toBe('sound');
});

it('whoever exports a log that a checkpoint contradicts is told', async () => {
  const written = async (log: typeof records): Promise<string | null> =>
    (await writeExport(sourceOf(log), { write: () => Promise.resolve(), tail: false, key: null })).dispute;
  const changed = Buffer.from(Buffer.from(records[30]!.value).toString().replace('"time":"2026-', '"time":"2025-'));
  expect(await written(records)).toBeNull();
  expect(await written(records.with(30, { ...records[30]!, value: changed }))).toContain('contradicts');
});

it('a ruling of a tracker that nobody named does not hide what a trusted one signed', async () => {
  const logs = [...Array(60).keys()].map((seed) => randomRecords(seed, 150));
  const differs = (log: typeof records): string | undefined => {
    const { differing, disputes } = derivedOf(log).checkpoints.entries;
    const last = derivedOf(log).state.checkpoints.get(differing.at(-1) ?? -1);
    return disputes.length === 0 ? last : undefined;
  };
  let hiddenCount = 0;
  for (const log of logs) {
    const liar = differs(log);
    if (liar === undefined) continue;
    const plain = await verify(sourceOf(log));
    const trusting = await verify(sourceOf(log), { trusted: new Set([liar]) });
    expect(plain.verdict).toBe('sound');
    // It took back what it said, or a tracker that is not trusted ruled for it.
    if (trusting.verdict === 'tampered') hiddenCount += 1;
  }
  expect(hiddenCount).toBeGreaterThan(0);
});

it("an auditor's signature is named, and one that does not hold is found", async () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const bytes = await exported(records, { key: privateKey });
  const id = hash('sha256', publicKey.export({ type: 'spki', format: 'der' }), 'hex');
  expect(await verdictOn(bytes)).toMatchObject({ verdict: 'sound', auditor: id });
  expect(await verdictOn(bytes, { auditor: id })).toMatchObject({ verdict: 'sound' });
  expect(await verdictOn(bytes, { auditor: 'f'.repeat(64) })).toMatchObject({
    verdict: 'incomplete',
    problem: `it is signed by sha256:${id}, and not by sha256:${'f'.repeat(64)}`,
  });
  expect(await verdictOn(await exported(records), { auditor: id })).toMatchObject({
    verdict: 'incomplete',
    problem: `it is signed by no auditor, and not by sha256:${id}`,
  });
  const trailer = trailerInLine(bytes.subarray(bytes.lastIndexOf(0x0a, -2) + 1, -1))!;
  const other = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
  const forged = trailerLine({ ...trailer, auditor: { ...trailer.auditor!, publicKey: other } });
  const changed = Buffer.concat([bytes.subarray(0, bytes.lastIndexOf(0x0a, -2) + 1), forged]);
  expect(await verdictOn(changed, { auditor: id })).toMatchObject({
    verdict: 'tampered',
    problem: "the auditor's signature does not hold",
  });
});

it('a checkpoint that says something else than the records come to is named with the records that it may be about', async () => {
  const logs = [...Array(20).keys()].map((seed) => randomRecords(seed, 100));
  const lying = logs.find((log) => derivedOf(log).checkpoints.dispute !== null)!;
  const found = await verify(sourceOf(lying));
  const { dispute } = derivedOf(lying).checkpoints;
  expect(found).toMatchObject({ verdict: 'tampered', lastSuspectOffset: dispute!.size - 1 });
});

it('the log of the first release is sound', async () => {
  const golden = readGoldenLog(1).records.map((text, offset) => {
    const value = Buffer.from(text);
    return { offset, value, sealed: null, appendTimeMs: null };
  });
  const found = await verify(sourceOf(golden));
  expect(found).toMatchObject({ root: readGoldenLog(1).outcomes.root, digest: readGoldenLog(1).outcomes.digest });
});
