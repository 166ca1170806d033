// Owns fuzzing the bytes of a state: damaged ones are said to be, and what is taken stays what it is when it is written again.
import assert from 'node:assert/strict';
import type { State } from '#domain/state';
import { encodeState, StateReader } from '#wire/state-codec';
import { readGoldenLog, replayed } from '../../golden/golden-log.ts';
import type { FuzzTarget } from '../fuzz-target.ts';
import { assertSameBytes } from '../same-bytes.ts';

export const state: FuzzTarget = {
  name: 'state',
  sources: [
    'libs/wire/src/state-codec.ts',
    'libs/wire/src/state-fields.ts',
    'libs/wire/src/outcome-row.ts',
    'libs/wire/src/share-rows.ts',
    'libs/wire/src/unread-group.ts',
    'libs/wire/src/kept-bytes.ts',
    'libs/wire/src/byte-reader.ts',
  ],
  shape: 'bytes',
  seeds: () => {
    const { records } = readGoldenLog(1);
    const blocks: Uint8Array[] = [];
    for (const count of [2, 12, records.length]) {
      blocks.push(...encodeState(replayed(records.slice(0, count)).derived.state));
    }
    return blocks;
  },
  run: (input) => {
    const first = stateOf([input]);
    if (first === null) return;
    const unread = [...encodeState(first)];
    assert.ok(stateOf(unread) !== null, 'a state of which nobody asked anything can be written and read');
    const blocks = [...encodeState(asked(first))];
    const second = stateOf(blocks);
    assert.ok(second !== null, 'a state that was read can be written and read');
    asked(second);
    assertSameBytes(
      Buffer.concat([...encodeState(second)]),
      Buffer.concat(blocks),
      'a state that is written again says the same',
    );
  },
};

/** The same, with the shares of every group made. */
function asked(from: State): State {
  for (const { shares } of from.groups.values()) assert.ok(shares.size >= 0);
  return from;
}

function stateOf(blocks: readonly Uint8Array[]): State | null {
  const reader = new StateReader();
  return blocks.every((block) => reader.take(block) === null) ? reader.state : null;
}
