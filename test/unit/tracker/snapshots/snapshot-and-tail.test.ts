// A snapshot with the records behind it comes to what all records come to, wherever the log ends.
import { expect, it } from 'vitest';
import { DerivedReader, encodeDerived } from '../../../../apps/tracker/src/replica/derived-codec.ts';
import { DerivedState } from '../../../../apps/tracker/src/replica/derived-state.ts';
import { seeded } from '../../../seeded-random.ts';
import { randomRecords } from '../random-log.ts';

const RECORDS = 1_500;
const OFFSETS = 1_000;
/** So many snapshots, each with what comes before the next one as its tail. */
const SNAPSHOTS = 25;
/** Root and digest are compared at each offset; of so many one is looked at as a whole, which takes its time. */
const WHOLE_EVERY = 10;

/** As a snapshot keeps it. */
function kept(derived: DerivedState): DerivedState {
  const reader = new DerivedReader();
  for (const block of encodeDerived(derived)) expect(reader.take(block)).toBeNull();
  return reader.finish() as DerivedState;
}

/** The state itself, credentials and compared checkpoints. */
function contentOf(derived: DerivedState): Buffer {
  const blocks = [];
  for (const { kind, bytes } of encodeDerived(derived)) {
    if (kind === 'root_starts') break;
    blocks.push(bytes);
  }
  return Buffer.concat(blocks);
}

it('a snapshot and its tail are the full replay at 1,000 random offsets', () => {
  const draw = seeded(5);
  const offsets = new Set<number>();
  while (offsets.size < OFFSETS) offsets.add(Math.floor(draw() * RECORDS));
  const full = new DerivedState();
  let fromSnapshot = kept(full);
  let compared = 0;
  for (const stored of randomRecords(5, RECORDS)) {
    if (stored.offset % (RECORDS / SNAPSHOTS) === 0) fromSnapshot = kept(full);
    full.apply(stored);
    fromSnapshot.apply(stored);
    if (!offsets.has(stored.offset)) continue;
    compared++;
    expect([fromSnapshot.root, fromSnapshot.digest], `offset ${stored.offset}`).toEqual([full.root, full.digest]);
    if (compared % WHOLE_EVERY !== 0) continue;
    expect(contentOf(fromSnapshot).equals(contentOf(full)), `offset ${stored.offset}`).toBe(true);
  }
  expect(compared).toBe(OFFSETS);
});
