// Facts about what a request for content is answered with.
import { describe, expect, it } from 'vitest';
import { contentAnswer } from '../../../../apps/peer/src/control/content-answer.ts';

const FILM = { contentId: 'ab'.repeat(32), position: 3, name: 'film.mkv', totalBytes: 1_000 };
const ETAG = `"${FILM.contentId}.3"`;
const GET = { method: 'GET', range: undefined, ifRange: undefined, ifNoneMatch: undefined };

const answered = (about: Partial<typeof FILM> = {}, request: Partial<Record<keyof typeof GET, string>> = {}) =>
  contentAnswer({ ...FILM, ...about }, { ...GET, ...request });

describe('a request', () => {
  it('without a range is answered with the whole', () => {
    const { status, headers, body } = answered();
    expect({ status, body }).toEqual({ status: 200, body: { begin: 0, end: 1_000 } });
    expect(headers).toMatchObject({ 'content-length': '1000', 'accept-ranges': 'bytes', etag: ETAG });
    expect(headers['content-range']).toBeUndefined();
  });

  it('for a range is answered with that part', () => {
    const { status, headers, body } = answered({}, { range: 'bytes=10-19' });
    expect({ status, body }).toEqual({ status: 206, body: { begin: 10, end: 20 } });
    expect(headers).toMatchObject({ 'content-length': '10', 'content-range': 'bytes 10-19/1000' });
  });

  it('for several ranges is answered with the whole', () => {
    expect(answered({}, { range: 'bytes=0-1,5-6' })).toMatchObject({
      status: 200,
      headers: { 'content-length': '1000' },
    });
  });

  it('for what is not in the file is refused, and told how long it is', () => {
    const { status, headers, body } = answered({}, { range: 'bytes=1000-' });
    expect({ status, body }).toEqual({ status: 416, body: null });
    expect(headers).toMatchObject({ 'content-range': 'bytes */1000' });
    expect(headers['content-type']).toBeUndefined();
  });

  it('by HEAD says the same of the whole, and has no body', () => {
    const head = answered({}, { method: 'HEAD', range: 'bytes=10-19' });
    expect(head).toEqual({ ...answered(), body: null });
  });

  it('for a range of another version is answered with the whole', () => {
    expect(answered({}, { range: 'bytes=10-19', ifRange: ETAG }).status).toBe(206);
    for (const ifRange of [`W/${ETAG}`, '"other"', 'Fri, 27 Nov 2026 09:30:00 GMT']) {
      expect(answered({}, { range: 'bytes=10-19', ifRange }).status, ifRange).toBe(200);
    }
  });

  it('for what it has already is not answered with it again, range or not', () => {
    for (const range of [undefined, 'bytes=10-19', 'bytes=1000-']) {
      expect(answered({}, { ifNoneMatch: `"x", ${ETAG}`, ...(range && { range }) })).toEqual({
        status: 304,
        headers: { etag: ETAG, 'accept-ranges': 'bytes' },
        body: null,
      });
    }
    expect(answered({}, { ifNoneMatch: '"x"' }).status).toBe(200);
  });
});

describe('a name', () => {
  it.each([
    ['film.mkv', 'video/x-matroska'],
    ['film.mp4', 'video/mp4'],
    ['song.mp3', 'audio/mpeg'],
    ['picture.JPG', 'image/jpeg'],
    ['page.html', 'text/html; charset=utf-8'],
    ['subtitles.vtt', 'text/vtt; charset=utf-8'],
    ['README', 'application/octet-stream'],
    ['.hidden', 'application/octet-stream'],
    ['what.nobody-knows', 'application/octet-stream'],
  ])('%s says that it is %s', (name, type) => expect(answered({ name }).headers['content-type']).toBe(type));

  it.each([
    ['film.mkv', `inline; filename="film.mkv"; filename*=UTF-8''film.mkv`],
    ['a "b" \\ c%41.txt', `inline; filename="a _b_ _ c_41.txt"; filename*=UTF-8''a%20%22b%22%20%5C%20c%2541.txt`],
    ["größe (1)'*.bin", `inline; filename="gr__e (1)'*.bin"; filename*=UTF-8''gr%C3%B6%C3%9Fe%20%281%29%27%2A.bin`],
    ['🎬.mp4', `inline; filename="__.mp4"; filename*=UTF-8''%F0%9F%8E%AC.mp4`],
  ])('%s is told so that no browser reads it as anything else', (name, disposition) =>
    expect(answered({ name }).headers['content-disposition']).toBe(disposition),
  );
});

describe('what a browser may do with it', () => {
  it.each(['page.html', 'drawing.svg', 'page.xhtml', 'feed.xml', 'script.js', 'paper.pdf', 'README', 'text.txt'])(
    '%s is of no origin, and runs nothing',
    (name) => {
      const policy = answered({ name }).headers['content-security-policy'];
      expect(policy).toMatch(/^sandbox; default-src 'none'; /);
      expect(policy).not.toMatch(/allow-|script-src|connect-src/);
    },
  );

  it.each(['film.mkv', 'film.mp4', 'song.mp3', 'picture.png'])('%s runs nothing, and is played on', (name) => {
    const policy = answered({ name }).headers['content-security-policy'];
    expect(policy).toMatch(/^sandbox allow-same-origin; default-src 'none'; .*media-src 'self'/);
    expect(policy).not.toMatch(/allow-scripts|script-src|connect-src/);
  });
});
