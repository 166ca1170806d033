import { describe, expect, it } from 'vitest';
import { RPC_MESSAGE_BYTES_MAX } from '#wire/limits';
import { pageOf } from '../../../../apps/tracker/src/control/page.ts';

const page = (items: readonly string[], after: string | undefined, limit: number) =>
  pageOf(items, { after, limit, cursorOf: (item) => item, show: (item) => item });

describe('a page', () => {
  it('follows the one before until nothing is left', () => {
    const items = ['a', 'b', 'c'];
    expect(page(items, undefined, 2)).toEqual({ items: ['a', 'b'], next: 'b' });
    expect(page(items, 'b', 2)).toEqual({ items: ['c'], next: null });
    expect(page(items, 'c', 2)).toEqual({ items: [], next: null });
    expect(page(items, undefined, 3)).toEqual({ items, next: null });
    expect(page([], undefined, 3)).toEqual({ items: [], next: null });
  });

  it('goes on behind an item that is no longer there', () => {
    expect(page(['a', 'c'], 'b', 1)).toEqual({ items: ['c'], next: null });
  });

  it('stays below what the transport takes', () => {
    const items = Array.from({ length: 1_000 }, (_, index) => `${String(index).padStart(4, '0')}${'x'.repeat(500)}`);
    const seen: string[] = [];
    let after: string | undefined;
    do {
      const { items: shown, next } = page(items, after, 1_000);
      expect(JSON.stringify(shown).length).toBeLessThan(RPC_MESSAGE_BYTES_MAX);
      seen.push(...shown);
      after = next ?? undefined;
    } while (after !== undefined);
    expect(seen).toEqual(items);
  });
});
