// Owns fuzzing the log, a record a line: bytes that are no record count and do nothing, what was decoded stays what it is, applying
// never fails whatever a record says and whoever signed it, and the state that comes of it survives being written.
import assert from 'node:assert/strict';
import { apply } from '#domain/apply';
import { emptyState, type State } from '#domain/state';
import { decodeLogRecord, encodeLogRecord, type SignedLogRecord, signedBytes } from '#wire/log-record';
import { encodeState, StateReader } from '#wire/state-codec';
import { DerivedState } from '../../../apps/tracker/src/replica/derived-state.ts';
import { readGoldenLog } from '../../golden/golden-log.ts';
import type { FuzzTarget } from '../fuzz-target.ts';
import { assertSameBytes } from '../same-bytes.ts';

const RECORDS_MAX = 100;
/** Of an input that was made of another one most lines are known: what they say stays what it was. */
const LINES_KNOWN_MAX = 10_000;
const known = new Set<string>();

export const logRecords: FuzzTarget = {
  name: 'log-records',
  sources: [
    'libs/wire/src/log-record.ts',
    'libs/wire/src/state-codec.ts',
    'libs/wire/src/state-fields.ts',
    'libs/wire/src/outcome-row.ts',
    'libs/domain/src/apply.ts',
    'libs/domain/src/command.ts',
    'libs/domain/src/decide.ts',
    'libs/domain/src/evolve.ts',
    'apps/tracker/src/replica/record-signature.ts',
    'apps/tracker/src/replica/checkpoint-signature.ts',
  ],
  shape: 'json',
  seeds: () => {
    const { records } = readGoldenLog(1);
    const upTo = [4, 12, 30, records.length].map((count) => Buffer.from(records.slice(0, count).join('\n')));
    return [...upTo];
  },
  run: (input) => {
    const lines = linesOf(input);
    const derived = new DerivedState();
    const state = emptyState();
    for (const [offset, value] of lines.entries()) {
      const { record } = derived.apply({ offset, value, sealed: null, appendTimeMs: null });
      if (record !== null) checkOnce(value, record);
      apply(state, { offset, record, signer: record?.trackerId ?? null, checkpoint: null });
    }
    for (const applied of [derived.state, state]) checkState(applied);
  },
};

function linesOf(input: Uint8Array): Buffer[] {
  const text = Buffer.from(input).toString('latin1');
  return text
    .split('\n')
    .slice(0, RECORDS_MAX)
    .map((line) => Buffer.from(line, 'latin1'));
}

function checkOnce(value: Buffer, record: SignedLogRecord): void {
  const line = value.toString('latin1');
  if (known.has(line)) return;
  checkRecord(record);
  if (known.size === LINES_KNOWN_MAX) known.clear();
  known.add(line);
}

function checkRecord(record: SignedLogRecord): void {
  signedBytes(record);
  const { data } = record.command as { data: unknown };
  if (typeof data !== 'object' || data === null) return;
  const again = decodeLogRecord(encodeLogRecord(record));
  assert.deepEqual(again, record, 'a record that is written again says the same');
}

function checkState(state: State): void {
  const blocks = [...encodeState(state)];
  const reader = new StateReader();
  for (const block of blocks) assert.equal(reader.take(block), null, 'a state that was applied can be read back');
  assertSameBytes(
    Buffer.concat([...encodeState(reader.state)]),
    Buffer.concat(blocks),
    'a state that is written again says the same',
  );
}
