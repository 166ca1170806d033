// Owns the pages of an audit's answers. Where one begins is said by how many records of the log count and how many items came
// before: the log only grows, so the pages of one question are those of one answer, whatever is appended meanwhile.
import { BadInput } from '#identity/start-input';
import { AUDIT_PAGE_BYTES_MAX, LIST_LIMIT_MAX } from '#wire/limits';
import type { VerbOutput } from './audit-output.ts';

/** Where a page begins, and how many items it has at the most. */
export interface PageWish {
  /** How many records of the log count; null for all that there are. */
  readonly size: number | null;
  readonly skipped: number;
  readonly limit: number;
}

/** Reads `after` (the `next` of the page before) and `limit`. Throws BadInput. */
export function pageWishOf({ after, limit }: { after?: string | undefined; limit?: string | undefined }): PageWish {
  const [, size, skipped] = /^([1-9][0-9]{0,14})\.([1-9][0-9]{0,14})$/.exec(after ?? '') ?? [];
  if (after !== undefined && size === undefined) throw new BadInput('--after: give the next of the page before');
  const items = limit === undefined ? LIST_LIMIT_MAX : /^[0-9]{1,4}$/.test(limit) ? Number(limit) : 0;
  if (items < 1 || items > LIST_LIMIT_MAX) throw new BadInput(`--limit: write a number from 1 to ${LIST_LIMIT_MAX}`);
  return { size: size === undefined ? null : Number(size), skipped: Number(skipped ?? 0), limit: items };
}

/** An item of a list that is spread over pages. */
interface Entry {
  readonly list: string;
  readonly item: unknown;
}

/** How what a verb says is spread over pages. */
export interface Spread {
  /** Whether there are pages at all. */
  readonly isPaged: boolean;
  /** What stands on a page when nothing was said. */
  readonly frame: object;
  /** What stands on every page, and what is spread over them. */
  readonly of: (said: object) => { readonly frame: object; readonly entries: readonly Entry[] };
}

const NO_ITEMS = { items: [] };

/** One item for each time that the verb says something. */
export const BY_ITEMS: Spread = {
  isPaged: true,
  frame: NO_ITEMS,
  of: (said) => ({ frame: NO_ITEMS, entries: [{ list: 'items', item: said }] }),
};

/** One object, of which some lists are cut: pages go through them one after the other. */
export function byLists(...lists: readonly string[]): Spread {
  return {
    isPaged: lists.length > 0,
    frame: {},
    of: (said) => {
      const fields: [name: string, held: unknown][] = Object.entries(said);
      const cut = fields.flatMap(([list, held]) => {
        return lists.includes(list) && Array.isArray(held) ? [{ list, items: held as unknown[] }] : [];
      });
      const frame = { ...said, ...Object.fromEntries(cut.map(({ list }) => [list, []])) };
      return { frame, entries: cut.flatMap(({ list, items }) => items.map((item) => ({ list, item }))) };
    },
  };
}

/** Takes a page, and what `after` of the next one is; resolves with how many items that may have, once it is asked for. */
export type TakePage = (page: object, next: string | null) => Promise<number>;

/** Takes what a verb says, and gives it away page by page: whoever fills one waits until the next is asked for. */
export class PagedOutput implements VerbOutput {
  readonly #spread: Spread;
  readonly #take: TakePage;
  readonly #size: number;
  /** Items that are on no page that was given away; the first ones are on the one that is being filled. */
  #waiting: Entry[] = [];
  #frame: object;
  #page: Page;
  #toSkip: number;
  #before: number;

  /** Pages of an answer about the first `size` records. */
  constructor(wish: PageWish, { spread, size, take }: { spread: Spread; size: number; take: TakePage }) {
    this.#spread = spread;
    this.#take = take;
    this.#size = size;
    this.#frame = spread.frame;
    this.#page = new Page(wish.limit);
    this.#toSkip = wish.skipped;
    this.#before = wish.skipped;
  }

  json(said: object): void {
    const { frame, entries } = this.#spread.of(said);
    this.#frame = frame;
    for (const entry of entries) {
      if (this.#toSkip > 0) this.#toSkip -= 1;
      else this.#waiting.push(entry);
    }
  }

  /** Gives away each page that has one behind it. */
  async flush(): Promise<void> {
    for (;;) {
      while (this.#page.count < this.#waiting.length) {
        if (!this.#page.takes(this.#waiting[this.#page.count]!.item)) break;
      }
      if (this.#page.count === this.#waiting.length) return;
      this.#page = new Page(await this.#give({ isLast: false }));
    }
  }

  /** Gives away what is left, as the last page. */
  async finish(): Promise<void> {
    await this.flush();
    await this.#give({ isLast: true });
  }

  line = refused;
  bytes = refused;

  #give({ isLast }: { isLast: boolean }): Promise<number> {
    const entries = this.#waiting.slice(0, this.#page.count);
    this.#waiting = this.#waiting.slice(entries.length);
    this.#before += entries.length;
    const lists: Record<string, unknown[]> = {};
    for (const { list, item } of entries) (lists[list] ??= []).push(item);
    const next = isLast ? null : `${this.#size}.${this.#before}`;
    const place = { ...(this.#spread.isPaged && { next }), asOfOffset: this.#size - 1 };
    return this.#take({ ...this.#frame, ...lists, ...place }, next);
  }
}

/** How full a page is. */
class Page {
  readonly #limit: number;
  #bytes = 0;
  count = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Whether the next item is on this page. */
  takes(item: unknown): boolean {
    if (this.count === this.#limit) return false;
    const bytes = Buffer.byteLength(JSON.stringify(item));
    if (this.count > 0 && this.#bytes + bytes > AUDIT_PAGE_BYTES_MAX) return false;
    this.count += 1;
    this.#bytes += bytes;
    return true;
  }
}

function refused(): never {
  throw new Error('a verb that answers with JSON prints nothing else');
}
