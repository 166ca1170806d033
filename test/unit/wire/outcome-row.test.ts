// Facts about the row of an outcome: what is read says what was written, is written again as it was, and needs its bytes no more.
import { expect, it } from 'vitest';
import type { Outcome } from '#domain/outcome';
import type { RememberedOutcome } from '#domain/state';
import { ByteReader } from '#wire/byte-reader';
import { ByteWriter } from '#wire/byte-writer';
import { KeptBytes } from '#wire/kept-bytes';
import { readOutcome, writeOutcome } from '#wire/outcome-row';
import { plainState } from '../domain/plain-state.ts';

const PEER = '0a'.repeat(32);
const CONTENT = {
  ...{ contentId: '0b'.repeat(32), totalBytes: 2 ** 40 + 7, pieceBytes: 1024, pieceCount: 2 ** 30 + 1 },
  hash: 'sha256' as const,
};
const share = { ...CONTENT, groupId: 5, shareId: 6 };
const OUTCOMES: Record<string, Outcome> = {
  'nothing more': { status: 'accepted', result: {} },
  'a session and a group': { status: 'accepted', result: { sessionId: 1, groupId: 2 } },
  'a share': { status: 'accepted', result: { share } },
  'a version of a share': { status: 'accepted', result: { share: { ...share, version: 3 } } },
  'a reason': { status: 'rejected', reason: 'group_not_found' },
};

function written(key: string, remembered: RememberedOutcome): Uint8Array {
  const to = new ByteWriter();
  writeOutcome(to, [key, remembered]);
  return to.finish();
}

function readFrom(bytes: Uint8Array): Map<string, RememberedOutcome> {
  const outcomes = new Map<string, RememberedOutcome>();
  const from = new ByteReader(bytes);
  readOutcome(from, outcomes, new KeptBytes());
  expect([from.problem, from.remainingBytes]).toEqual([null, 0]);
  return outcomes;
}

it.each(
  Object.entries(OUTCOMES).flatMap(([what, outcome]) =>
    [PEER, null].flatMap((peerId) =>
      ['["join_group"]', 'Gr\u00fc\u00dfe', '\ud800'].map((content) => ({ what, outcome, peerId, content })),
    ),
  ),
)('$what of peer $peerId and content $content', ({ outcome, peerId, content }) => {
  const bytes = written('key', { offset: 2 ** 33, peerId, content, outcome });
  const remembered = readFrom(bytes).get('key')!;
  const copy = bytes.slice();
  bytes.fill(0xff);
  expect(plainState(remembered)).toEqual({ offset: 2 ** 33, peerId, content, outcome });
  expect(written('key', remembered)).toEqual(copy);
});

it('what another one would have written otherwise is written as this one writes it', () => {
  const bytes = written('key', { offset: 1, peerId: PEER, content: 'c', outcome: OUTCOMES['a share']! });
  const flags = bytes.length - (3 * 8 + 32 + 1) - 2 * 8 - 1;
  expect(bytes[flags]).toBe(4);
  const strange = bytes.slice();
  strange[flags]! |= 16;
  strange[strange.length - 1] = 7;
  expect(written('key', readFrom(strange).get('key')!)).toEqual(bytes);
});

it('a longer part than a chunk, and parts that just fit, are kept as they are', () => {
  const kept = new KeptBytes();
  const lengths = [1, 2 ** 20 - 1, 1, 2 ** 20 + 1, 3, 0, 2 ** 20];
  const parts = lengths.map((length, number) => {
    const bytes = new Uint8Array(length + 2).fill(number + 1);
    return { number, length, part: kept.keep({ bytes, begin: 1, end: length + 1 }) };
  });
  for (const { number, length, part } of parts) {
    const copy = part.bytes.slice(part.begin, part.end);
    expect([copy.length, copy.every((byte) => byte === number + 1)]).toEqual([length, true]);
  }
});
