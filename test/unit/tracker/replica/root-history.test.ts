import { describe, expect, it } from 'vitest';
import { leafHash, MerkleFrontier } from '../../../../apps/tracker/src/replica/merkle-frontier.ts';
import { RootHistory } from '../../../../apps/tracker/src/replica/root-history.ts';

const recordAt = (offset: number): Buffer => Buffer.from(`record ${offset}`);

/** The roots of sizes 0 to `count`, each taken when the tree had that size. */
function rootsAsTheyWere(count: number): string[] {
  const frontier = new MerkleFrontier();
  const roots = [frontier.root().toString('hex')];
  for (let offset = 0; offset < count; offset++) {
    frontier.append(leafHash(recordAt(offset)));
    roots.push(frontier.root().toString('hex'));
  }
  return roots;
}

function historyOf(count: number, denseCount?: number): RootHistory {
  const history = new RootHistory(denseCount);
  for (let offset = 0; offset < count; offset++) history.append(recordAt(offset));
  return history;
}

describe('the history of roots', () => {
  it('knows the root of every size that the tree has had', () => {
    const roots = rootsAsTheyWere(3_000);
    const history = historyOf(3_000);
    const sizes = [0, 1, 1_023, 1_024, 1_025, 2_047, 2_048, 2_049, 2_999, 3_000];
    for (let size = 2; size < 3_000; size += 37) sizes.push(size);
    for (const size of sizes) expect(history.at(size)?.toString('hex'), `size ${size}`).toBe(roots[size]);
    expect(history.root().toString('hex')).toBe(roots[3_000]);
  });

  it('knows every recent root, and one in 1,024 of those before', () => {
    const roots = rootsAsTheyWere(8_000);
    const history = historyOf(8_000, 2_048);
    for (let size = 8_000 - 2_048; size <= 8_000; size += 64)
      expect(history.at(size)?.toString('hex')).toBe(roots[size]);
    expect(history.at(2_048)?.toString('hex')).toBe(roots[2_048]);
    expect(history.at(2_049)).toBeNull();
  });

  it.each([-1, 4, 0.5, Number.NaN])('has nothing at %s when it holds three', (size) => {
    expect(historyOf(3).at(size)).toBeNull();
  });

  it('at a chunk that is not begun yet is the root of everything so far', () => {
    expect(historyOf(1_024).at(1_024)).toEqual(historyOf(1_024).root());
  });
});
