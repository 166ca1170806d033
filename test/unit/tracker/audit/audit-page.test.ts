import { expect, it } from 'vitest';
import { AUDIT_PAGE_BYTES_MAX } from '#wire/limits';
import { ItemOutput, ObjectOutput, PageIsFull, pageWishOf } from '../../../../apps/tracker/src/audit/audit-page.ts';

const SIZE = 50;

interface Answered {
  readonly next: string | null;
  readonly asOfOffset: number;
  readonly items?: readonly { readonly at: number }[];
}

/** Every page of so many items, one after the other. */
async function pagesOf(count: number, { limit, bytes = 0 }: { limit?: string; bytes?: number }): Promise<number[][]> {
  const pages: number[][] = [];
  for (let after: string | undefined, isLast = false; !isLast;) {
    const output = new ItemOutput(pageWishOf({ after, limit }));
    for (let at = 0; at < count; at++) output.json({ at, text: 'x'.repeat(bytes) });
    const { items, next, asOfOffset } = output.answer(SIZE) as Answered;
    expect(asOfOffset).toBe(SIZE - 1);
    pages.push(items!.map((item) => item.at));
    isLast = next === null;
    after = next ?? undefined;
  }
  return pages;
}

it.each([
  [0, '3', [0]],
  [2, '3', [2]],
  [3, '3', [3]],
  [4, '3', [3, 1]],
  [9, '3', [3, 3, 3]],
  [1_001, undefined, [1_000, 1]],
] as const)('%i items, at most %s a page, are on pages of %j', async (count, limit, lengths) => {
  const pages = await pagesOf(count, limit === undefined ? {} : { limit });
  expect(pages.map(({ length }) => length)).toEqual(lengths);
  expect(pages.flat()).toEqual([...Array(count).keys()]);
});

it('a page ends before it grows beyond its bytes, and has one item whatever that takes', async () => {
  const halves = await pagesOf(5, { bytes: AUDIT_PAGE_BYTES_MAX / 2 - 100 });
  expect(halves).toEqual([[0, 1], [2, 3], [4]]);
  expect(await pagesOf(2, { bytes: 2 * AUDIT_PAGE_BYTES_MAX })).toEqual([[0], [1]]);
});

it('a full page asks for nothing more once there is an item for the next one', async () => {
  const output = new ItemOutput(pageWishOf({ limit: '2' }));
  for (const at of [0, 1]) output.json({ at });
  await output.flush();
  output.json({ at: 2 });
  await expect(output.flush()).rejects.toBeInstanceOf(PageIsFull);
});

it('a page goes through the lists of an answer one after the other, and leaves alone what is none', () => {
  const shown = (after?: string): object => {
    const output = new ObjectOutput(pageWishOf({ after, limit: '2' }), ['readers', 'fetches']);
    output.json({ at: { offset: 7 }, readers: ['a', 'b', 'c'], fetches: ['d'], signers: ['x', 'y', 'z'] });
    return output.answer(SIZE);
  };
  const rest = { at: { offset: 7 }, signers: ['x', 'y', 'z'], asOfOffset: 49 };
  expect(shown()).toEqual({ ...rest, readers: ['a', 'b'], fetches: [], next: '50.2' });
  expect(shown('50.2')).toEqual({ ...rest, readers: ['c'], fetches: ['d'], next: null });
});

it.each([
  [{ after: '7' }, '--after'],
  [{ after: '0.1' }, '--after'],
  [{ after: '7.-1' }, '--after'],
  [{ after: '7.1e3' }, '--after'],
  [{ limit: '0' }, '--limit'],
  [{ limit: '1001' }, '--limit'],
  [{ limit: '1.5' }, '--limit'],
])('%j is refused by its name', (wish, name) => {
  expect(() => pageWishOf(wish)).toThrow(name);
});
