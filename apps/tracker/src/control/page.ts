// Owns paging: a list sorted by name, cut after the limit that was asked for, and before a reply grows beyond what the
// transport takes.
import { RPC_MESSAGE_BYTES_MAX } from '#wire/limits';
import type { Page } from '#wire/tracker-api';

/** Leaves room for the head of the reply. */
const PAGE_CHARACTERS_MAX = RPC_MESSAGE_BYTES_MAX - 16 * 1024;

interface PageRequest<Item, Shown> {
  readonly after: string | undefined;
  readonly limit: number;
  /** The item's place in the list's order; every item has its own. */
  readonly cursorOf: (item: Item) => string;
  readonly show: (item: Item) => Shown;
  /** Whether an item comes after a cursor, in a list whose order is not that of its cursors' code units. */
  readonly isAfter?: (item: Item, after: string) => boolean;
}

/** The page of a sorted list that follows `after`. `next` is null on the last one. */
export function pageOf<Item, Shown>(items: readonly Item[], request: PageRequest<Item, Shown>): Page<Shown> {
  const { after, limit, cursorOf, show } = request;
  const isAfter = request.isAfter ?? ((item: Item, cursor: string): boolean => cursorOf(item) > cursor);
  const first = after === undefined ? 0 : items.findIndex((item) => isAfter(item, after));
  if (first === -1) return { items: [], next: null };
  const shown: Shown[] = [];
  let characters = 0;
  for (let index = first; index < items.length; index++) {
    const item = show(items[index]!);
    characters += JSON.stringify(item).length + 1;
    const isFull = shown.length === limit || (characters > PAGE_CHARACTERS_MAX && shown.length > 0);
    if (isFull) return { items: shown, next: cursorOf(items[index - 1]!) };
    shown.push(item);
  }
  return { items: shown, next: null };
}
