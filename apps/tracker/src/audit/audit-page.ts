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

/** The items of one page, as they are offered in their order. */
export class Page {
  readonly #wish: PageWish;
  #offered = 0;
  #taken = 0;
  #bytes = 0;
  #hasMore = false;

  constructor(wish: PageWish) {
    this.#wish = wish;
  }

  /** Whether the next item is on this page. */
  takes(item: unknown): boolean {
    if (this.#hasMore || this.#offered++ < this.#wish.skipped) return false;
    const bytes = Buffer.byteLength(JSON.stringify(item));
    const fits = this.#taken === 0 || this.#bytes + bytes <= AUDIT_PAGE_BYTES_MAX;
    this.#hasMore = this.#taken === this.#wish.limit || !fits;
    if (this.#hasMore) return false;
    this.#taken += 1;
    this.#bytes += bytes;
    return true;
  }

  /** Whether there is an item that has no place on it any more. */
  get hasMore(): boolean {
    return this.#hasMore;
  }

  /** `after` of the next page, of the first so many records; null on the last one. */
  next(size: number): string | null {
    return this.#hasMore ? `${size}.${this.#wish.skipped + this.#taken}` : null;
  }
}

/** The page is full, so nothing more has to be read for it. */
export class PageIsFull extends Error {
  override readonly name = 'PageIsFull';
}

/** Takes what a verb says, and makes one answer of it. */
export interface AnswerOutput extends VerbOutput {
  /** The answer about the first so many records. */
  answer(size: number): object;
}

/** One item for each time that the verb says something. */
export class ItemOutput implements AnswerOutput {
  readonly #page: Page;
  readonly #items: object[] = [];

  constructor(wish: PageWish) {
    this.#page = new Page(wish);
  }

  json(item: object): void {
    if (this.#page.takes(item)) this.#items.push(item);
  }

  async flush(): Promise<void> {
    if (this.#page.hasMore) throw new PageIsFull('the page is full');
  }

  line = refused;
  bytes = refused;

  answer(size: number): object {
    return { items: this.#items, next: this.#page.next(size), asOfOffset: size - 1 };
  }
}

/** One object, of which some lists are cut: a page goes through them one after the other. */
export class ObjectOutput implements AnswerOutput {
  readonly #page: Page;
  readonly #lists: readonly string[];
  #shown: object = {};

  constructor(wish: PageWish, lists: readonly string[]) {
    this.#page = new Page(wish);
    this.#lists = lists;
  }

  json(value: object): void {
    const fields = Object.entries(value).map(([name, held]: [string, unknown]) => {
      const isList = this.#lists.includes(name) && Array.isArray(held);
      return [name, isList ? held.filter((item) => this.#page.takes(item)) : held] as const;
    });
    this.#shown = Object.fromEntries(fields);
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }

  line = refused;
  bytes = refused;

  answer(size: number): object {
    const paged = this.#lists.length === 0 ? {} : { next: this.#page.next(size) };
    return { ...this.#shown, ...paged, asOfOffset: size - 1 };
  }
}

function refused(): never {
  throw new Error('a verb that answers with JSON prints nothing else');
}
