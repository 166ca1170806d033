// Owns saying that what was asked about is nowhere in the log.

/** Nothing of that name has ever been there. */
export class UnknownThing extends Error {
  override readonly name = 'UnknownThing';
}
