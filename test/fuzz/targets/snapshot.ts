// Owns fuzzing a snapshot's file: damaged ones are said to be, also when their hash is right, and what is taken can be written.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { RULES } from '#domain/rules';
import type { DerivedState } from '../../../apps/tracker/src/replica/derived-state.ts';
import { type ReadSnapshot, readSnapshot, snapshotBytes } from '../../../apps/tracker/src/snapshots/snapshot-format.ts';
import { readGoldenLog, replayed } from '../../golden/golden-log.ts';
import type { FuzzTarget } from '../fuzz-target.ts';
import { assertSameBytes } from '../same-bytes.ts';

const HEAD_BYTES = 18 + 32 + 8 + 8 + 32 + 32;
const HASH_BYTES = 32;

export const snapshot: FuzzTarget = {
  name: 'snapshot',
  sources: [
    'apps/tracker/src/snapshots/snapshot-format.ts',
    'apps/tracker/src/replica/derived-codec.ts',
    'apps/tracker/src/replica/root-history.ts',
    'apps/tracker/src/replica/digest-history.ts',
    'apps/tracker/src/replica/merkle-frontier.ts',
    'apps/tracker/src/replica/checkpoint-ledger.ts',
    'libs/wire/src/state-codec.ts',
    'libs/wire/src/state-fields.ts',
    'libs/wire/src/outcome-row.ts',
    'libs/wire/src/share-rows.ts',
    'libs/wire/src/unread-group.ts',
  ],
  shape: 'bytes',
  seeds: () => {
    const { records } = readGoldenLog(1);
    const written = [3, 20, records.length].map((count) => writtenOf(replayed(records.slice(0, count)).derived));
    return [...written];
  },
  repair: withTrueHash,
  // A chunk of digests takes its whole room, however few stand in it.
  bytesPerByte: 4_096,
  run: async (input) => {
    const first = await read(input);
    if (typeof first === 'string') return;
    const bytes = writtenOf(first.derived);
    const second = await read(bytes);
    assert.ok(typeof second !== 'string', 'a snapshot that was read can be written and read');
    assertSameBytes(writtenOf(second.derived), bytes, 'a snapshot that is written again says the same');
  },
};

function read(bytes: Uint8Array): Promise<ReadSnapshot | string> {
  const half = bytes.length >> 1;
  const pieces = async function* (): AsyncIterable<Uint8Array> {
    yield bytes.subarray(0, half);
    yield bytes.subarray(half);
    await Promise.resolve();
  };
  return readSnapshot(pieces(), { rules: RULES, turn: () => undefined });
}

function writtenOf(derived: DerivedState): Buffer {
  return Buffer.concat([...snapshotBytes(derived, () => undefined)]);
}

/** Lengths of frames that fit into what is there, an end behind the last of them, and the hash of it all. */
function withTrueHash(input: Uint8Array): Uint8Array {
  const bytes = Buffer.from(input);
  let at = HEAD_BYTES;
  while (at + 4 <= bytes.length && bytes.readUInt32BE(at) > 0) {
    const most = bytes.length - at - 5 - 4 - HASH_BYTES;
    if (most <= 0) break;
    if (bytes.readUInt32BE(at) > most) bytes.writeUInt32BE(most, at);
    at += 5 + bytes.readUInt32BE(at);
  }
  const body = Buffer.concat([bytes.subarray(0, at), Buffer.alloc(4)]);
  return Buffer.concat([body, createHash('sha256').update(body).digest()]);
}
