import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rowAfterKey, rowRange, scrolledTo } from '../../../apps/peer/web/src/lists/window-range.ts';

describe('the rows of a long list that are there', () => {
  it('hold every row that is seen, whatever the list is scrolled to', () => {
    fc.assert(
      fc.property(
        fc.record({
          scrollTop: fc.nat(500_000),
          height: fc.integer({ min: 1, max: 2_000 }),
          rowHeight: fc.integer({ min: 20, max: 60 }),
        }),
        fc.nat(12_000),
        (viewport, rowCount) => {
          const { first, end } = rowRange(viewport, rowCount);
          const top = Math.min(viewport.scrollTop, Math.max(0, rowCount * viewport.rowHeight - viewport.height));
          const firstSeen = Math.floor(top / viewport.rowHeight);
          const lastSeen = Math.min(rowCount - 1, Math.floor((top + viewport.height - 1) / viewport.rowHeight));
          expect(first).toBeGreaterThanOrEqual(0);
          expect(end).toBeLessThanOrEqual(rowCount);
          if (rowCount > 0) expect([first <= firstSeen, end > lastSeen]).toEqual([true, true]);
        },
      ),
    );
  });

  it('are few, however long the list is', () => {
    const { first, end } = rowRange({ scrollTop: 200_000, height: 800, rowHeight: 40 }, 10_000);
    expect(end - first).toBeLessThanOrEqual(45);
  });

  it('stay the same while less than half of the spare ones is scrolled', () => {
    const viewport = { height: 800, rowHeight: 40 };
    expect(rowRange({ ...viewport, scrollTop: 4_000 }, 10_000)).toEqual(
      rowRange({ ...viewport, scrollTop: 4_100 }, 10_000),
    );
  });

  it('are none of an empty list', () => {
    expect(rowRange({ scrollTop: 300, height: 800, rowHeight: 40 }, 0)).toEqual({ first: 0, end: 0 });
  });
});

describe('the way to a row', () => {
  const viewport = { scrollTop: 400, height: 200, rowHeight: 40 };

  it.each([
    ['up to one above', 5, 200],
    ['down to one below', 20, 640],
    ['nowhere for one that is seen', 12, 400],
  ])('is %s', (_, row, scrollTop) => {
    expect(scrolledTo(row, viewport)).toBe(scrollTop);
  });

  it.each([
    ['ArrowDown', 9, 9],
    ['ArrowDown', 3, 4],
    ['ArrowUp', 0, 0],
    ['PageDown', 3, 7],
    ['PageUp', 3, 0],
    ['Home', 7, 0],
    ['End', 2, 9],
    ['Enter', 2, null],
  ])('by %s from row %i leads to %s', (key, row, target) => {
    expect(rowAfterKey(key, { row, rowCount: 10, pageRows: 5 })).toBe(target);
  });

  it('is none in an empty list', () => {
    expect(rowAfterKey('End', { row: 0, rowCount: 0, pageRows: 5 })).toBeNull();
  });
});
