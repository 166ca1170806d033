// Owns the digest chained over the effects of every record: two trackers that applied the same records to the same end
// have equal digests. digest(n) = SHA-256(digest(n-1) ‖ canonical JSON of {offset, outcomeOffset, outcome, events}).
import type { Applied } from '#domain/apply';
import { sha256 } from './sha256.ts';

/** The digest before the first record: 32 zero bytes. */
export const FIRST_DIGEST: Buffer = Buffer.alloc(32);

/** The digest after a record, from the one before it. */
export function nextDigest(previous: Uint8Array, offset: number, { outcomeOffset, outcome, events }: Applied): Buffer {
  return sha256(previous, canonicalJson({ events, offset, outcome, outcomeOffset }));
}

/** JSON with the keys of every object in the order of their code units: one text for equal values. */
export function canonicalJson(value: object): string {
  return JSON.stringify(isOrdered(value) ? value : ordered(value));
}

/** What the domain makes of a record is written in order, so that nothing has to be copied for its digest. */
function isOrdered(value: object): boolean {
  if (Array.isArray(value)) return value.every((item: unknown) => !isObject(item) || isOrdered(item));
  let last = '';
  for (const key in value) {
    const item = (value as Record<string, unknown>)[key];
    if (key < last || (isObject(item) && !isOrdered(item))) return false;
    last = key;
  }
  return true;
}

/** A copy with the keys in order; with a replacer instead, JSON.stringify takes more than twice as long. */
function ordered(value: object): object {
  if (Array.isArray(value)) return value.map((item: unknown) => (isObject(item) ? ordered(item) : item));
  const inOrder: Record<string, unknown> = {};
  for (const key of sortedKeys(value)) {
    const item = (value as Record<string, unknown>)[key];
    inOrder[key] = isObject(item) ? ordered(item) : item;
  }
  return inOrder;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** By insertion: for as few keys as an event has, a third of what sorting takes. */
function sortedKeys(object: object): string[] {
  const keys = Object.keys(object);
  for (let index = 1; index < keys.length; index++) {
    const key = keys[index]!;
    let place = index;
    for (; place > 0 && keys[place - 1]! > key; place--) keys[place] = keys[place - 1]!;
    keys[place] = key;
  }
  return keys;
}
