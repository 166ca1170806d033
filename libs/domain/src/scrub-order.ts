// Owns in which order copies are scrubbed: one after the other by their ids, each from its first piece to its last, and then
// from the first copy again, so that every copy is read once a round whatever comes and goes meanwhile.

/** Where scrubbing stands: at a piece of a copy, or, with null, behind all of them. */
export interface ScrubPlace {
  readonly copyId: string;
  readonly nextPiece: number | null;
}

/** What can be read next: the rest of the copy at the place, then those behind it. Empty when the round is over. */
export function scrubOrder(copyIds: readonly string[], place: ScrubPlace | null): ScrubPlace[] {
  const ids = [...copyIds].sort();
  if (place === null) return ids.map(fromItsStart);
  const rest = place.nextPiece !== null && ids.includes(place.copyId) ? [place] : [];
  return [...rest, ...ids.filter((copyId) => copyId > place.copyId).map(fromItsStart)];
}

function fromItsStart(copyId: string): ScrubPlace {
  return { copyId, nextPiece: 0 };
}
