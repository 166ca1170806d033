// Owns the outcomes of the last so many records, oldest first. A Map remembers where deleted entries stood until it grows
// anew, so beginning at its front for each record costs more with each one forgotten; this one goes on where it was.
import type { RememberedOutcome } from './state.ts';

/** Outcomes by actor and command id, in order of offsets. */
export class OutcomeWindow extends Map<string, RememberedOutcome> {
  #entries: MapIterator<[string, RememberedOutcome]> | null = null;
  #oldest: [string, RememberedOutcome] | null = null;

  /** Forgets every outcome of a record before `offset`. */
  forgetBefore(offset: number): void {
    for (;;) {
      this.#oldest ??= this.#nextEntry();
      if (this.#oldest === null || this.#oldest[1].offset >= offset) return;
      this.delete(this.#oldest[0]);
      this.#oldest = null;
    }
  }

  #nextEntry(): [string, RememberedOutcome] | null {
    this.#entries ??= this.entries();
    const { value, done } = this.#entries.next();
    if (done !== true) return value;
    this.#entries = null;
    return null;
  }
}
