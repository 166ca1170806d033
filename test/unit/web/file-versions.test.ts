// What is read of a list of all versions, whose pages are played.
import { afterEach, expect, test, vi } from 'vitest';
import { versionsOf } from '../../../apps/peer/web/src/files/file-versions.ts';

afterEach(() => void vi.unstubAllGlobals());

/** Answers with what stands behind a cursor, as the peer does, and notes the cursors and how much was answered. */
function play(list: readonly { readonly file: string; readonly version: number }[]): { asked: string[]; read: number } {
  const seen = { asked: [] as string[], read: 0 };
  vi.stubGlobal('fetch', (address: string) => {
    const query = new URL(address, 'http://peer').searchParams;
    const [file, version] = query.get('after')!.split('/') as [string, string];
    seen.asked.push(file);
    const from = list.findIndex((item) => item.file > file || (item.file === file && item.version < Number(version)));
    const end = from + Number(query.get('limit'));
    const items = from < 0 ? [] : list.slice(from, end);
    const last = items.at(-1);
    seen.read += items.length;
    const next = last !== undefined && end < list.length ? `${last.file}/${last.version}` : null;
    return Promise.resolve(Response.json({ items, next, asOfOffset: 1 }));
  });
  return seen;
}

const versions = (file: string, count: number): { file: string; version: number }[] =>
  Array.from({ length: count }, (_, index) => ({ file, version: count - index }));

test.each([1, 19, 20, 21, 45])('all of %d versions are read, and little else', async (count) => {
  const seen = play([...versions('a', 3), ...versions('b', count), ...versions('c', 2_000)]);
  expect(await versionsOf('friends', 'b')).toMatchObject({ ok: true, value: versions('b', count) });
  expect(seen.read).toBeLessThan(count + 21);
  expect(seen.asked).toHaveLength(Math.floor(count / 20) + 1);
});
