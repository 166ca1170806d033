// Facts about the blocks of a derived state: equal for equal ones, of bounded size, and told from those that fit nowhere.
import { describe, expect, it } from 'vitest';
import { ByteWriter } from '#wire/byte-writer';
import {
  type BlockKind,
  type DerivedBlock,
  DerivedReader,
  encodeDerived,
} from '../../../../apps/tracker/src/replica/derived-codec.ts';
import { DerivedState } from '../../../../apps/tracker/src/replica/derived-state.ts';
import { plainState } from '../../domain/plain-state.ts';
import { derivedOf, randomRecords } from '../random-log.ts';

const BLOCK_BYTES = 64 * 1024;

function readBack(blocks: Iterable<DerivedBlock>): DerivedState | string {
  const reader = new DerivedReader();
  for (const block of blocks) {
    const problem = reader.take(block);
    if (problem !== null) return problem;
  }
  return reader.finish();
}

/** What is wrong with a block that comes after those of these kinds. */
function problemOf(block: DerivedBlock, after: readonly BlockKind[] = []): string | null {
  const reader = new DerivedReader();
  for (const before of encodeDerived(derived)) if (after.includes(before.kind)) expect(reader.take(before)).toBeNull();
  return reader.take(block);
}

const records = randomRecords(3, 1_100);
const derived = derivedOf(records);
const hash = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);

describe('the blocks of a derived state', () => {
  it('bring back what it answers, and go on as it does', () => {
    const back = readBack(encodeDerived(derivedOf(records.slice(0, 1_050)))) as DerivedState;
    derivedOf(records.slice(1_050), back);
    expect(plainState(back.state)).toEqual(plainState(derived.state));
    expect([back.root, back.digest]).toEqual([derived.root, derived.digest]);
    expect(back.checkpoints.entries).toEqual(derived.checkpoints.entries);
    for (const offset of [0, 1_022, 1_023, 1_024, 1_049, 1_050, 1_099]) {
      expect(back.rootAt(offset)).toBe(derived.rootAt(offset));
      expect(back.digestAt(offset)).toBe(derived.digestAt(offset));
    }
    for (const user of derived.state.users.keys()) expect(back.passwordHashOf(user)).toBe(derived.passwordHashOf(user));
  });

  it('follow each other by their kinds', () => {
    const kinds = [...encodeDerived(derived)].map(({ kind }) => kind);
    expect([...new Set(kinds)]).toEqual([
      'state',
      'credentials',
      'checkpoints',
      'root_starts',
      'root_leaves',
      'digest_lasts',
      'digests',
    ]);
    expect(kinds.filter((kind) => kind === 'root_leaves')).toHaveLength(2);
  });

  it('are the same in whatever order users came to have their passwords', () => {
    const { parts } = derived;
    const turned = new DerivedState({ ...parts, credentials: new Map([...parts.credentials].toReversed()) });
    expect(parts.credentials.size).toBeGreaterThan(1);
    expect([...encodeDerived(turned)]).toEqual([...encodeDerived(derived)]);
  });

  it('end with the row that fills them', () => {
    const phc = 'x'.repeat(1_000);
    const names = Array.from({ length: 200 }, (_, index) => `user-${String(index).padStart(3, '0')}`);
    const credentials = new Map(names.map((name, offset) => [name, { offset, phc }]));
    const many = new DerivedState({ ...derived.parts, credentials });
    const blocks = [...encodeDerived(many)].filter(({ kind }) => kind === 'credentials');
    const lengths = blocks.map(({ bytes }) => bytes.length);
    expect(blocks.length).toBeGreaterThan(2);
    for (const length of lengths) expect(length).toBeLessThan(BLOCK_BYTES + 1_100);
    for (const length of lengths.slice(0, -1)) expect(length).toBeGreaterThanOrEqual(BLOCK_BYTES);
    expect((readBack(encodeDerived(many)) as DerivedState).parts.credentials).toEqual(credentials);
  });

  it('of nothing are its state and its checkpoints alone', () => {
    const blocks = [...encodeDerived(new DerivedState())];
    expect(blocks.map(({ kind }) => kind)).toEqual(['state', 'checkpoints']);
    expect((readBack(blocks) as DerivedState).state.appliedOffset).toBe(-1);
  });
});

describe('a block that fits nowhere', () => {
  it('is told: leaves without their tree, too many, or a part of one', () => {
    const leaves = (chunk: number, bytes: Uint8Array): DerivedBlock => ({
      kind: 'root_leaves',
      bytes: new ByteWriter().u64(chunk).bytes(bytes).finish(),
    });
    const problem = 'has leaves where none belong';
    expect(problemOf(leaves(0, hash(1)))).toBe(problem);
    expect(problemOf(leaves(2, hash(1)), ['root_starts'])).toBe(problem);
    expect(problemOf(leaves(1, hash(1).subarray(1)), ['root_starts'])).toBe(problem);
    expect(problemOf(leaves(1, new Uint8Array(1_025 * 32)), ['root_starts'])).toBe(problem);
    expect(problemOf(leaves(1, hash(1)), ['root_starts'])).toBeNull();
  });

  it('is told: digests that are too many, or a part of one', () => {
    const digests = (bytes: Uint8Array): DerivedBlock => ({
      kind: 'digests',
      bytes: new ByteWriter().u64(0).bytes(bytes).finish(),
    });
    expect(problemOf(digests(new Uint8Array(1_025 * 32)))).toBe('has digests of an impossible length');
    expect(problemOf(digests(hash(1).subarray(1)))).toBe('has digests of an impossible length');
    expect(problemOf(digests(new Uint8Array(1_024 * 32)))).toBeNull();
  });

  it('is told: a tree that is not the next', () => {
    const tree = (size: number): DerivedBlock => ({
      kind: 'root_starts',
      bytes: new ByteWriter().u64(size).bytes(hash(1)).finish(),
    });
    expect(problemOf(tree(1_024))).toBe('has a tree where none belongs');
    expect(problemOf(tree(2_048), ['root_starts'])).toBeNull();
  });

  it('is told: checkpoints that are none', () => {
    for (const text of ['', 'null', '{}', '{"disputes":1}']) {
      expect(problemOf({ kind: 'checkpoints', bytes: Buffer.from(text) })).toBe('has checkpoints that are none');
    }
  });

  it('is told: a row that ends too early', () => {
    for (const { kind, bytes } of encodeDerived(derived)) {
      if (kind !== 'credentials' && kind !== 'digest_lasts') continue;
      expect(problemOf({ kind, bytes: bytes.subarray(0, -1) })).toBeTypeOf('string');
    }
  });
});

it.each<BlockKind>(['root_leaves', 'digests'])('a state without its %s is none', (missing) => {
  const blocks = [...encodeDerived(derived)].filter(({ kind }) => kind !== missing);
  expect(readBack(blocks)).toBe('has digests of another number of records');
});
