import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RowElements } from '../../../apps/peer/web/src/lists/row-elements.ts';

const rows = (first: number, end: number): string[] =>
  Array.from({ length: end - first }, (_, index) => `row ${first + index}`);

describe('the elements of a long list', () => {
  it('are different ones for different rows, and a row that is still shown keeps its own', () => {
    const keys = fc.uniqueArray(fc.integer({ min: 0, max: 30 }).map(String), { maxLength: 20 });
    fc.assert(
      fc.property(fc.array(keys, { maxLength: 8 }), (drawings) => {
        const elements = new RowElements();
        let before = new Map<string, number>();
        for (const drawn of drawings) {
          const given = elements.of(drawn);
          expect(new Set(given).size).toBe(drawn.length);
          const now = new Map(drawn.map((key, place) => [key, given[place]!]));
          for (const [key, element] of now) expect(before.get(key) ?? element).toBe(element);
          before = now;
        }
      }),
    );
  });

  it('are used again, in their order, for rows that come when others go', () => {
    const elements = new RowElements();
    expect(elements.of(rows(0, 4))).toEqual([0, 1, 2, 3]);
    expect(elements.of(rows(1, 5))).toEqual([1, 2, 3, 0]);
    expect(elements.of(rows(100, 104))).toEqual([1, 2, 3, 0]);
  });

  it('are made anew when more rows are shown at once', () => {
    const elements = new RowElements();
    elements.of(rows(0, 2));
    expect(elements.of(rows(0, 3))).toEqual([0, 1, 2]);
  });
});
