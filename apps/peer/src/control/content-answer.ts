// Owns what a request for content is answered with, by RFC 9110: which part, and every header that says what it is. The bytes come
// from other users: no browser may take them for a page of this endpoint, whatever they are called.
import mime from 'mime';
import { type ByteRange, chooseRange, isNoneMatched, isRangeWanted } from '#wire/byte-range';
import type { OpenContent } from '../transfers/transfers.ts';

/** Headers of the request that count, as they came. */
export interface ContentConditions {
  readonly method: string;
  readonly range: string | undefined;
  readonly ifRange: string | undefined;
  readonly ifNoneMatch: string | undefined;
}

/** An answer without its bytes; `body` is which of them are sent, null for none. */
export interface ContentAnswer {
  readonly status: 200 | 206 | 304 | 416;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: ByteRange | null;
}

/** What to answer for a file. */
export function contentAnswer(
  content: Pick<OpenContent, 'contentId' | 'position' | 'name' | 'totalBytes'>,
  { method, range, ifRange, ifNoneMatch }: ContentConditions,
): ContentAnswer {
  const { totalBytes, name } = content;
  const etag = `"${content.contentId}.${content.position}"`;
  const known = { etag, 'accept-ranges': 'bytes' };
  if (isNoneMatched(ifNoneMatch, etag)) return { status: 304, headers: known, body: null };
  // A range is asked for by GET alone.
  const isPartWanted = method === 'GET' && isRangeWanted(ifRange, etag);
  const chosen = chooseRange(isPartWanted ? range : undefined, totalBytes);
  if (chosen.kind === 'unsatisfiable') {
    return { status: 416, headers: { ...known, 'content-range': `bytes */${totalBytes}` }, body: null };
  }
  const { begin, end } = chosen.kind === 'part' ? chosen : { begin: 0, end: totalBytes };
  const headers = {
    ...{ ...known, 'content-length': String(end - begin), ...shownAs(name) },
    ...(chosen.kind === 'part' && { 'content-range': `bytes ${begin}-${end - 1}/${totalBytes}` }),
  };
  return { status: chosen.kind === 'part' ? 206 : 200, headers, body: method === 'HEAD' ? null : { begin, end } };
}

/** What a browser is told of bytes of this name, and may do with them. */
function shownAs(name: string): Record<string, string> {
  const type = mime.getType(name) ?? 'application/octet-stream';
  return {
    'content-type': type.startsWith('text/') ? `${type}; charset=utf-8` : type,
    'content-disposition': inline(name),
    'content-security-policy': `${sandboxOf(type)}; ${NOTHING_ELSE}`,
  };
}

/** No script, no request for anything else, and no place in a page of another origin. */
const NOTHING_ELSE =
  "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; " +
  "frame-ancestors 'self'";

/**
 * A page is of no origin, so that nothing in it passes for the page of this endpoint. What only shows or sounds runs nothing, and the
 * browser's own player, which asks for the rest of it, has to be of the same origin.
 */
function sandboxOf(type: string): string {
  const isInert = /^(?:audio|video)\//.test(type) || /^image\/(?:avif|bmp|gif|jpeg|png|webp)$/.test(type);
  return isInert ? 'sandbox allow-same-origin' : 'sandbox';
}

/** The name for all browsers (RFC 6266): in ASCII, and as it is. */
function inline(name: string): string {
  const plain = name.replaceAll(/[^\x20-\x7e]|["%\\]/g, '_');
  const encoded = encodeURIComponent(name).replaceAll(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `inline; filename="${plain}"; filename*=UTF-8''${encoded}`;
}
