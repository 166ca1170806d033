// Owns what the records in the logs of benchmarks have in common: a stamp for each offset, a millisecond after the one before it,
// and digests and names by number.
import { createHash } from 'node:crypto';

const FIRST_TIME_MS = Date.UTC(2026, 0, 1);

/** The stamps of the record at an offset. */
export function stampsAt(offset: number) {
  const id = `00000000-0000-4000-8000-${String(offset).padStart(12, '0')}`;
  return { id, timeMs: FIRST_TIME_MS + offset, correlationId: id, seenOffset: offset - 1, schemaVersion: 1 };
}

export function userOf(number: number): string {
  return `user-${number}`;
}

export function groupOf(number: number): string {
  return `group-${number}`;
}

/** 64 hex characters that stand for a text. */
export function hexOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
