import { expect, it } from 'vitest';
import { AUDIT_PAGE_BYTES_MAX } from '#wire/limits';
import {
  BY_ITEMS,
  byLists,
  PagedOutput,
  pageWishOf,
  type Spread,
} from '../../../../apps/tracker/src/audit/audit-page.ts';

const SIZE = 50;

interface Answered {
  readonly next: string | null;
  readonly asOfOffset: number;
  readonly items?: readonly { readonly at: number }[];
}

interface Asked {
  readonly after?: string | undefined;
  readonly limit?: string | undefined;
}

/** All pages from the one that is asked for, the others of as many items. */
async function answered(
  asked: Asked,
  { spread, say }: { spread: Spread; say: (output: PagedOutput) => void },
): Promise<Answered[]> {
  const wish = pageWishOf(asked);
  const pages: Answered[] = [];
  const take = async (page: object): Promise<number> => {
    pages.push(page as Answered);
    return wish.limit;
  };
  const output = new PagedOutput(wish, { spread, size: SIZE, take });
  say(output);
  await output.finish();
  return pages;
}

/** The items of every page of so many; whoever begins with a later one has the same from there on. */
async function pagesOf(count: number, { limit, bytes = 0 }: { limit?: string; bytes?: number }): Promise<number[][]> {
  const say = (output: PagedOutput): void => {
    for (let at = 0; at < count; at++) output.json({ at, text: 'x'.repeat(bytes) });
  };
  const pages = await answered({ limit }, { spread: BY_ITEMS, say });
  for (const [index, { next, asOfOffset }] of pages.entries()) {
    expect(asOfOffset).toBe(SIZE - 1);
    const rest = next === null ? [] : await answered({ limit, after: next }, { spread: BY_ITEMS, say });
    expect(rest).toEqual(pages.slice(index + 1));
  }
  return pages.map(({ items }) => items!.map(({ at }) => at));
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

it('a full page is given away once there is an item for the next one, and nothing goes on before that is asked for', async () => {
  const given: object[] = [];
  const asked = Promise.withResolvers<number>();
  const take = (page: object): Promise<number> => {
    given.push(page);
    return asked.promise;
  };
  const output = new PagedOutput(pageWishOf({ limit: '2' }), { spread: BY_ITEMS, size: SIZE, take });
  for (const at of [0, 1]) output.json({ at });
  await output.flush();
  expect(given).toEqual([]);
  for (const at of [2, 3]) output.json({ at });
  const flushed = output.flush();
  expect(given).toEqual([{ items: [{ at: 0 }, { at: 1 }], next: '50.2', asOfOffset: 49 }]);
  asked.resolve(1);
  await flushed;
  expect(given.slice(1)).toEqual([{ items: [{ at: 2 }], next: '50.3', asOfOffset: 49 }]);
});

it('pages go through the lists of an answer one after the other, and leave alone what is none', async () => {
  const said = { at: { offset: 7 }, readers: ['a', 'b', 'c'], fetches: ['d'], signers: ['x', 'y', 'z'] };
  const spread = byLists('readers', 'fetches');
  const rest = { at: { offset: 7 }, signers: ['x', 'y', 'z'], asOfOffset: 49 };
  expect(await answered({ limit: '2' }, { spread, say: (output) => output.json(said) })).toEqual([
    { ...rest, readers: ['a', 'b'], fetches: [], next: '50.2' },
    { ...rest, readers: ['c'], fetches: ['d'], next: null },
  ]);
});

it('an answer without lists is one page, and has no next', async () => {
  const say = (output: PagedOutput): void => output.json({ verdict: 'sound', signers: ['x'] });
  expect(await answered({}, { spread: byLists(), say })).toEqual([
    { verdict: 'sound', signers: ['x'], asOfOffset: 49 },
  ]);
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
