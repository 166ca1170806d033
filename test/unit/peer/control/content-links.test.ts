// Facts about links to content: each opens one file, for one user and a while.
import { describe, expect, it } from 'vitest';
import { ContentLinks, type LinkedFile, signedFileOf } from '../../../../apps/peer/src/control/content-links.ts';

const FILM: LinkedFile = { group: 'films', file: 'größe & mehr', path: 'inner/a?b=c.mkv', version: 3, keep: true };

function linksOf(given: { nowMs: number; user: string | null }) {
  return new ContentLinks({ now: () => given.nowMs, user: () => given.user });
}

/** What the endpoint reads of a link. */
function read(pathAndQuery: string) {
  const url = new URL(pathAndQuery, 'http://127.0.0.1');
  const [, group, file] = /^\/api\/v1\/groups\/([^/]+)\/files\/([^/]+)\/content$/.exec(url.pathname)!;
  const params = { group: decodeURIComponent(group!), file: decodeURIComponent(file!) };
  return { params, query: Object.fromEntries(url.searchParams) as Record<string, string> };
}

describe('a link', () => {
  const about = { nowMs: 1_000_000, user: 'alice' as string | null };
  const links = linksOf(about);
  const { pathAndQuery, expiresMs } = links.make(FILM, 60);
  const { params, query } = read(pathAndQuery);
  const signed = signedFileOf(params, query)!;

  it('names its file, and has no token', () => {
    expect(expiresMs).toBe(1_060_000);
    expect(signed).toEqual({ ...FILM, expiresMs, signature: expect.stringMatching(/^[\w-]{43}$/) as string });
    expect(Object.keys(query).toSorted()).toEqual(['expires', 'keep', 'path', 'signature', 'version']);
  });

  it('opens its file', () => expect(links.opens(signed)).toBe(true));

  it('opens a share that is one file, too', () => {
    const film = { group: 'films', file: 'film.mkv', path: undefined, version: undefined, keep: false };
    const { params: at, query: asked } = read(links.make(film, 60).pathAndQuery);
    expect(signedFileOf(at, asked)).toMatchObject(film);
    expect(links.opens(signedFileOf(at, asked)!)).toBe(true);
  });

  it('opens it in whatever spelling its name comes', () =>
    expect(links.opens({ ...signed, file: FILM.file.normalize('NFD') })).toBe(true));

  it.each([
    ['group', 'other'],
    ['file', 'other'],
    ['path', 'inner/other.mkv'],
    ['path', undefined],
    ['version', 2],
    ['version', undefined],
    ['keep', false],
    ['expiresMs', 1_060_001],
    ['signature', ''],
    ['signature', 'A'.repeat(43)],
  ])('opens nothing with %s changed to %s', (field, value) =>
    expect(links.opens({ ...signed, [field]: value })).toBe(false),
  );

  it('ends', () => {
    expect(linksOf(about).opens(signed), 'with the run of the peer').toBe(false);
    about.nowMs = 1_059_999;
    expect(links.opens(signed)).toBe(true);
    about.nowMs = 1_060_000;
    expect(links.opens(signed), 'with its time').toBe(false);
    about.nowMs = 1_000_000;
  });

  it('is for who was logged in', () => {
    for (const user of [null, 'bob']) {
      about.user = user;
      expect(links.opens(signed), String(user)).toBe(false);
    }
    about.user = 'alice';
    expect(links.opens(signed)).toBe(true);
  });
});

it.each([
  [undefined, undefined],
  [{ group: 'a', file: 'b' }, {}],
  [
    { group: 'a', file: 'b' },
    { expires: '1', signature: ['x', 'y'] },
  ],
  [
    { group: 'a', file: 'b' },
    { expires: '-1', signature: 'x' },
  ],
  [
    { group: 'a', file: 'b' },
    { expires: '1', signature: 'x', path: ['a', 'b'] },
  ],
  [
    { group: 'a', file: 'b' },
    { expires: '1', signature: 'x', version: ['1', '2'] },
  ],
  [{}, { expires: '1', signature: 'x' }],
])('%j with %j names no file with a signature', (params, query) => expect(signedFileOf(params, query)).toBeNull());
