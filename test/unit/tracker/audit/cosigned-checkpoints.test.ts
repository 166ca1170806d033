// Logs that were cut or written anew by somebody who has one tracker's key, and may write whatever that key can sign.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import type { Command } from '#domain/command';
import type { Identity } from '#identity/identity';
import { encodeLogRecord } from '#wire/log-record';
import { exportSourceOf } from '../../../../apps/tracker/src/audit/export-source.ts';
import { trailerInLine, trailerLine } from '../../../../apps/tracker/src/audit/export-format.ts';
import { type KeptCheckpoint, readKeptCheckpoint } from '../../../../apps/tracker/src/audit/kept-checkpoint.ts';
import { signedExtentOf } from '../../../../apps/tracker/src/audit/last-checkpoint.ts';
import { type Verification, verify, type VerifyOptions } from '../../../../apps/tracker/src/audit/verification.ts';
import type { StoredRecord } from '../../../../apps/tracker/src/command-log/command-log.ts';
import { signedCheckpointNote } from '../../../../apps/tracker/src/replica/checkpoint-signature.ts';
import { DerivedState } from '../../../../apps/tracker/src/replica/derived-state.ts';
import { signedTrackerRecord } from '../../../../apps/tracker/src/replica/record-signature.ts';
import { COMMITMENT } from '../../domain/log-of.ts';
import { newIdentity } from '../new-identity.ts';
import { exported, sourceOf } from './sources.ts';

const folder = mkdtempSync(join(tmpdir(), 'cohort-kept-'));
afterAll(() => rmSync(folder, { recursive: true }));

const [stolen, safe] = [newIdentity(), newIdentity()];
const both = new Set([stolen.id, safe.id]);

/** A log of two trackers, written by whoever has the keys that it is given. */
class WrittenLog {
  readonly records: StoredRecord[] = [];
  readonly #derived = new DerivedState();

  constructor() {
    const publicKey = (identity: Identity): string => Buffer.from(identity.publicKeyDer).toString('base64');
    const genesis = { logId: 'b'.repeat(64), rulesVersion: 2, publicKey: publicKey(stolen) };
    this.by(stolen, { name: 'genesis', data: genesis });
    for (const identity of [stolen, safe]) {
      const data = { trackerId: identity.id, publicKey: publicKey(identity), address: '127.0.0.1:1' };
      this.by(identity, { name: 'register_tracker', data });
    }
  }

  by(identity: Identity, command: Command): void {
    const offset = this.records.length;
    const id = `00000000-0000-4000-8000-${String(offset).padStart(12, '0')}`;
    const value = encodeLogRecord(
      signedTrackerRecord(identity, { id, timeMs: 1_000 + offset, seenOffset: -1, command }),
    );
    const stored = { offset, value, sealed: null, appendTimeMs: null };
    this.records.push(stored);
    this.#derived.apply(stored);
  }

  /** Records that anybody with a tracker's key may write. */
  events(count: number, user = 'nobody'): this {
    for (let each = 0; each < count; each++) {
      this.by(stolen, { name: 'reset_password', data: { user, commitment: COMMITMENT } });
    }
    return this;
  }

  /** What each of these signs about everything so far. */
  signed(...identities: readonly Identity[]): this {
    const checkpoint = this.#derived.checkpoint()!;
    const notes = identities.map((identity) => signedCheckpointNote(identity, checkpoint));
    for (const [index, note] of notes.entries()) this.by(identities[index]!, { name: 'checkpoint', data: { note } });
    return this;
  }
}

const honest = (): WrittenLog => new WrittenLog().events(5).signed(stolen, safe).events(4).signed(safe, stolen);

/** The last checkpoint of a log as `verify --keep` writes it. */
async function keptOf({ records }: WrittenLog, signatures = 1): Promise<KeptCheckpoint> {
  const { last, cosigned } = await signedExtentOf(sourceOf(records), { signatures });
  const path = join(folder, 'kept.txt');
  writeFileSync(path, [last!, ...cosigned].map(({ note }) => note).join(''));
  return readKeptCheckpoint(path);
}

function judged({ records }: WrittenLog, options: VerifyOptions): Promise<Verification> {
  return verify(sourceOf(records), options);
}

it('a log whose checkpoints all trackers have signed is signed by as many', async () => {
  const log = honest();
  const kept = await keptOf(log);
  const found = await judged(log, { trusted: both, signatures: 2, kept: [kept] });
  expect(found).toMatchObject({ verdict: 'sound', trust: 'signed', trackers: 2, signedRecords: kept.size });
  expect(found.kept).toEqual([{ name: kept.name, records: kept.size, signers: [safe.id, stolen.id] }]);
  expect(kept.size).toBe(14);
});

it('what is kept is the last checkpoint that so many have signed, and of one tracker as long as it is alone', async () => {
  const log = honest().events(3).signed(stolen);
  expect(await keptOf(log)).toMatchObject({ size: 19 });
  expect((await judged(log, { kept: [await keptOf(log)] })).kept[0]!.signers).toEqual([stolen.id]);
  expect(await keptOf(log, 2)).toMatchObject({ size: 14 });
  expect(await keptOf(honest().events(3).signed(stolen, stolen), 2)).toMatchObject({ size: 14 });
  const found = await judged(log, { trusted: both, signatures: 2 });
  expect(found).toMatchObject({ verdict: 'sound', signedRecords: 14 });
});

it('a log that was written anew with one key passes for signed by one, and not by two', async () => {
  const forged = new WrittenLog().events(5, 'somebody else').signed(stolen).events(4).signed(stolen);
  expect(await judged(forged, { trusted: both })).toMatchObject({ verdict: 'sound', trust: 'signed' });
  expect(await judged(forged, { trusted: both, signatures: 2 })).toMatchObject({
    verdict: 'incomplete',
    trust: 'consistent',
    signedRecords: 0,
    problem: 'fewer than 2 of the trackers that you trust have signed any of it',
  });
});

it('and whoever kept a checkpoint finds it, with or without the signatures of the other tracker in it', async () => {
  const kept = await keptOf(honest());
  const forged = new WrittenLog().events(5, 'somebody else').signed(stolen).events(20).signed(stolen);
  const finding = { verdict: 'tampered', firstBadOffset: 0, lastSuspectOffset: kept.size - 1 };
  expect(await judged(forged, { kept: [kept] })).toMatchObject(finding);
  expect(await judged(forged, { kept: [kept], trusted: both })).toMatchObject(finding);
  // What the other tracker has signed cannot be carried over: it contradicts what was written anew.
  forged.by(safe, { name: 'checkpoint', data: { note: kept.note.split(/(?<=\n— [^\n]*\n)/)[0]! } });
  expect(await judged(forged, { trusted: both })).toMatchObject({ verdict: 'tampered' });
});

it('a log that was cut is found by every checkpoint that was kept of what is gone', async () => {
  const log = honest();
  const kept = await keptOf(log);
  for (let count = 3; count < kept.size; count++) {
    const cut = new WrittenLog();
    cut.records.splice(0, cut.records.length, ...log.records.slice(0, count));
    expect(await judged(cut, { kept: [kept] })).toMatchObject({ verdict: 'tampered', firstBadOffset: count });
  }
});

it('a checkpoint that one key made for somebody to keep is not taken for one of two trackers', async () => {
  const forged = new WrittenLog().events(5, 'somebody else').signed(stolen).signed(safe);
  const handed = await keptOf(new WrittenLog().events(5, 'somebody else').signed(stolen));
  expect(await judged(forged, { trusted: both, signatures: 2, kept: [handed] })).toMatchObject({
    verdict: 'incomplete',
    problem: expect.stringContaining('is signed by 1 of the trackers that you trust, and not by 2') as unknown,
  });
});

it('notes about different records, and notes with something beside them, are no kept checkpoint', async () => {
  const [one, other] = [await keptOf(honest()), await keptOf(new WrittenLog().events(5).signed(safe))];
  const path = join(folder, 'mixed.txt');
  for (const [text, words] of [
    [one.note + other.note, 'about different records'],
    [`${one.note}more`, 'something beside one'],
    [`more\n${one.note}`, 'something beside one'],
  ] as const) {
    writeFileSync(path, text);
    await expect(readKeptCheckpoint(path)).rejects.toThrow(words);
  }
});

it('an export carries the signatures of all, and none that was taken out, exchanged or put in', async () => {
  const bytes = await exported(honest().records);
  const options = { trusted: both, signatures: 2 };
  const found = await verify(exportSourceOf(bytes), options);
  expect(found).toMatchObject({ verdict: 'sound', records: 14, signedRecords: 14 });
  const end = bytes.lastIndexOf(0x0a, -2) + 1;
  const trailer = trailerInLine(bytes.subarray(end, -1))!;
  expect(trailer.cosignatures).toHaveLength(1);
  const retold = (change: object): Buffer =>
    Buffer.concat([bytes.subarray(0, end), trailerLine({ ...trailer, ...change })]);
  const verdictOn = async (change: object): Promise<string> =>
    (await verify(exportSourceOf(retold(change)), options)).verdict;
  const [other] = trailer.cosignatures!;
  expect(await verdictOn({})).toBe('sound');
  expect(await verdictOn({ cosignatures: undefined })).toBe('incomplete');
  expect(await verdictOn({ cosignatures: [{ ...other, trackerId: safe.id }] })).toBe('tampered');
  expect(await verdictOn({ cosignatures: [{ ...other, note: trailer.checkpoint!.note }] })).toBe('tampered');
  expect(await verdictOn({ cosignatures: [] })).toBe('tampered');
  expect(await verdictOn({ checkpoint: null, cosignatures: undefined })).toBe('tampered');
});
