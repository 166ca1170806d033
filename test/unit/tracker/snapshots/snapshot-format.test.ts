// Facts about a snapshot's file: it brings back all that a tracker computes from the log, and nothing that was not written.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { RULES } from '#domain/rules';
import type { StoredRecord } from '../../../../apps/tracker/src/command-log/command-log.ts';
import type { DerivedState } from '../../../../apps/tracker/src/replica/derived-state.ts';
import {
  type ReadSnapshot,
  readSnapshot,
  snapshotBytes,
} from '../../../../apps/tracker/src/snapshots/snapshot-format.ts';
import { derivedOf, randomRecords } from '../random-log.ts';

const HEAD_BYTES = 18 + 32 + 8 + 8 + 32 + 32;

function written(derived: DerivedState): { bytes: Buffer; hash: string } {
  let hash = '';
  const bytes = Buffer.concat([...snapshotBytes(derived, (ended) => (hash = ended))]);
  return { bytes, hash };
}

function read(bytes: Uint8Array, pieceBytes = 1_000): Promise<ReadSnapshot | string> {
  const pieces = async function* (): AsyncIterable<Uint8Array> {
    for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
    await Promise.resolve();
  };
  return readSnapshot(pieces(), { rules: RULES, turn: () => undefined });
}

async function sound(bytes: Uint8Array, pieceBytes?: number): Promise<ReadSnapshot> {
  const result = await read(bytes, pieceBytes);
  if (typeof result === 'string') throw new Error(result);
  return result;
}

/** What a tracker answers from a derived state. */
function answersOf(derived: DerivedState, records: readonly StoredRecord[]) {
  const offsets = records.map(({ offset }) => offset).filter((offset) => offset % 97 === 0 || offset % 1_024 > 1_021);
  const users = [...derived.state.users.keys()].toSorted();
  return {
    hash: written(derived).hash,
    roots: offsets.map((offset) => derived.rootAt(offset)),
    digests: offsets.map((offset) => derived.digestAt(offset)),
    passwords: users.map((user) => derived.passwordHashOf(user)),
    checkpoint: derived.checkpoint(),
    problem: derived.checkpoints.problem,
    newsCount: derived.newsCount,
  };
}

it('a snapshot at any offset, with the rest of the log on top, is the state of the whole log', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer(), fc.integer({ min: 3, max: 2_300 }), fc.nat(200), async (seed, size, more) => {
      const records = randomRecords(seed, size + more);
      const { bytes, hash } = written(derivedOf(records.slice(0, size)));
      const back = await sound(bytes, 1 + (seed & 0xfff));
      expect(back.hash).toBe(hash);
      expect(written(back.derived).hash).toBe(hash);
      const rest = derivedOf(records.slice(size), back.derived);
      expect(answersOf(rest, records)).toEqual(answersOf(derivedOf(records), records));
    }),
    {
      numRuns: 6,
      examples: [
        [1, 1_024, 10],
        [2, 2_048, 5],
        [3, 1_023, 1],
      ],
    },
  );
});

it('a file that was cut off anywhere is told from a whole one', async () => {
  const { bytes } = written(derivedOf(randomRecords(5, 120)));
  const cuts = [0, 1, 17, 18, HEAD_BYTES - 1, HEAD_BYTES, HEAD_BYTES + 1, HEAD_BYTES + 4, HEAD_BYTES + 5];
  for (let at = HEAD_BYTES; at < bytes.length - 40; at += 97) cuts.push(at);
  for (let at = bytes.length - 40; at < bytes.length; at++) cuts.push(at);
  for (const at of cuts) expect(await read(bytes.subarray(0, at)), `cut at ${at}`).toBeTypeOf('string');
  expect(await read(Buffer.concat([bytes, Buffer.of(0)]))).toContain('behind its end');
  expect(await read(bytes)).toBeTypeOf('object');
});

it('a file with a changed byte is told from the one that was written', async () => {
  const { bytes } = written(derivedOf(randomRecords(6, 120)));
  const places = Array.from({ length: HEAD_BYTES + 64 }, (_, place) => place);
  for (let at = HEAD_BYTES; at < bytes.length; at += 97) places.push(at);
  for (let at = bytes.length - 40; at < bytes.length; at++) places.push(at);
  for (const at of places) {
    const changed = Buffer.from(bytes);
    changed[at]! ^= 1 << (at % 8);
    expect(await read(changed), `changed at ${at}`).toBeTypeOf('string');
  }
  const zeroed = Buffer.from(bytes).fill(0, HEAD_BYTES + 500);
  expect(await read(zeroed)).toBeTypeOf('string');
});

it('a file of rules that this build does not know is told by their version', async () => {
  const derived = derivedOf(randomRecords(8, 50));
  const { newestVersion } = RULES;
  derived.state.rulesVersion = newestVersion + 1;
  expect(await read(written(derived).bytes)).toBe(
    `it is of rules version ${newestVersion + 1}, and this build knows up to ${newestVersion}`,
  );
});
