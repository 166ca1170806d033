// Owns the digest chained over the effects of every record: two trackers that applied the same records to the same end
// have equal digests. digest(n) = SHA-256(digest(n-1) ‖ canonical JSON of {offset, outcomeOffset, outcome, events}).
import { hash } from 'node:crypto';
import type { Applied } from '#domain/apply';

/** The digest before the first record: 32 zero bytes. */
export const FIRST_DIGEST: Uint8Array = new Uint8Array(32);

/** The digest after a record, from the one before it. */
export function nextDigest(previous: Uint8Array, offset: number, { outcomeOffset, outcome, events }: Applied): Buffer {
  const effects = canonicalJson({ offset, outcomeOffset, outcome, events });
  return hash('sha256', Buffer.concat([previous, Buffer.from(effects)]), 'buffer');
}

/** JSON with the keys of every object in the order of their code units: one text for equal values. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => (isPlainObject(item) ? sortedByKey(item) : item));
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function sortedByKey(object: Record<string, unknown>): Record<string, unknown> {
  const sorted: Record<string, unknown> = {};
  for (const key of Object.keys(object).sort()) sorted[key] = object[key];
  return sorted;
}
