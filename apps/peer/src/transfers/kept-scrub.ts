// Owns what is kept of scrubbing over restarts.
import type { ScrubPlace } from '#domain/scrub-order';
import { hasFields } from '#identity/durable-file';

/** A copy by its transfer, and its stamp when damage was found in it. */
export type UnrepairedCopy = readonly [transferId: string, stamp: string];

export interface KeptScrub {
  readonly place: ScrubPlace | null;
  /** Damage that nobody could repair yet. */
  readonly unrepaired: readonly UnrepairedCopy[];
  readonly roundEndedAtMs: number | null;
}

/** Whether a file still holds what was written. */
export function isKeptScrub(value: unknown): value is KeptScrub {
  if (!hasFields(value, { place: 'object?', unrepaired: 'object', roundEndedAtMs: 'number?' })) return false;
  const { place, unrepaired } = value as KeptScrub;
  if (place !== null && !isPlace(place)) return false;
  return Array.isArray(unrepaired) && unrepaired.every(isUnrepaired);
}

function isPlace(place: ScrubPlace): boolean {
  const { nextPiece } = place;
  if (!hasFields(place, { copyId: 'string', nextPiece: 'number?' })) return false;
  return nextPiece === null || (Number.isSafeInteger(nextPiece) && nextPiece >= 0);
}

function isUnrepaired(copy: unknown): boolean {
  return Array.isArray(copy) && copy.length === 2 && copy.every((text) => typeof text === 'string');
}
