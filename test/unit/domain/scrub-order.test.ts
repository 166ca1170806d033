import fc from 'fast-check';
import { expect, it } from 'vitest';
import { scrubOrder, type ScrubPlace } from '#domain/scrub-order';

it('goes on with the copy at the place, then with those behind it', () => {
  expect(scrubOrder(['c', 'a', 'b'], null).map(({ copyId }) => copyId)).toEqual(['a', 'b', 'c']);
  expect(scrubOrder(['c', 'a', 'b'], { copyId: 'b', nextPiece: 7 })).toEqual([
    { copyId: 'b', nextPiece: 7 },
    { copyId: 'c', nextPiece: 0 },
  ]);
  expect(scrubOrder(['a', 'b'], { copyId: 'b', nextPiece: null })).toEqual([]);
});

it('a copy that is gone is passed over', () => {
  expect(scrubOrder(['a', 'c'], { copyId: 'b', nextPiece: 7 })).toEqual([{ copyId: 'c', nextPiece: 0 }]);
});

it('a round reads every copy that is there all the time once, whatever comes and goes', () => {
  const ids = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 8 });
  const changes = fc.array(fc.string({ minLength: 1, maxLength: 3 }), { maxLength: 20 });
  fc.assert(
    fc.property(ids, changes, (lasting, toggled) => {
      const there = new Set(lasting);
      const read: string[] = [];
      let place: ScrubPlace | null = null;
      for (let turn = 0; ; turn++) {
        const [next] = scrubOrder([...there], place);
        if (next === undefined) break;
        read.push(next.copyId);
        place = { copyId: next.copyId, nextPiece: null };
        const other = toggled[turn];
        if (other === undefined || lasting.includes(other)) continue;
        if (!there.delete(other)) there.add(other);
      }
      expect(new Set(read).size).toBe(read.length);
      expect(read.filter((copyId) => lasting.includes(copyId)).sort()).toEqual([...lasting].sort());
    }),
  );
});
