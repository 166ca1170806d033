// Owns what a Range header asks of a file, and whether a condition of a request holds, by RFC 9110. A request for several ranges
// is answered with the whole, which it allows (14.2); so is one that cannot be read, or of another unit.

/** Bytes from `begin` up to `end`, which is the first that is no part of them. */
export interface ByteRange {
  readonly begin: number;
  readonly end: number;
}

/** What to answer with: everything, one part, or that there is no such part. */
export type RangeChoice =
  { readonly kind: 'whole' } | ({ readonly kind: 'part' } & ByteRange) | { readonly kind: 'unsatisfiable' };

const WHOLE: RangeChoice = { kind: 'whole' };
const UNSATISFIABLE: RangeChoice = { kind: 'unsatisfiable' };

/** What a Range header asks of content of so many bytes; undefined is no header. */
export function chooseRange(header: string | undefined, totalBytes: number): RangeChoice {
  const [, first, last] = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(header ?? '') ?? [];
  if (first === undefined || last === undefined || first + last === '') return WHOLE;
  if (first === '') return lastBytes(Number(last), totalBytes);
  const begin = Number(first);
  // Not a range: what cannot be read is as if it was not there.
  if (last !== '' && Number(last) < begin) return WHOLE;
  if (begin >= totalBytes) return UNSATISFIABLE;
  return { kind: 'part', begin, end: last === '' ? totalBytes : Math.min(Number(last) + 1, totalBytes) };
}

function lastBytes(count: number, totalBytes: number): RangeChoice {
  if (count === 0) return UNSATISFIABLE;
  // There is no way to say which bytes of nothing are sent.
  return totalBytes === 0 ? WHOLE : { kind: 'part', begin: Math.max(0, totalBytes - count), end: totalBytes };
}

/** Whether an If-None-Match header names this entity tag, or any: compared weakly (13.1.2). */
export function isNoneMatched(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
  if (header.trim() === '*') return true;
  return [...header.matchAll(/(?:W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g)].some(([, named]) => named === tag);
}

/**
 * Whether the range of a request counts: an If-Range header has to name this very tag (13.1.5). A date never does, because content
 * has none.
 */
export function isRangeWanted(ifRange: string | undefined, tag: string): boolean {
  return ifRange === undefined || ifRange.trim() === tag;
}
