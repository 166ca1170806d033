// Owns the outcomes of the last so many records, oldest first. A Map remembers where deleted entries stood until it grows
// anew, so beginning at its front for each record costs more with each one forgotten; this one goes on where it was.
import { type Command, commandContent } from './command.ts';
import type { RememberedOutcome } from './state.ts';

/** What a command came to when it was sent first. */
export type FirstOutcome = Pick<RememberedOutcome, 'offset' | 'outcome'>;

/** Outcomes by actor and command id, in order of offsets. */
export class OutcomeWindow extends Map<string, RememberedOutcome> {
  #entries: MapIterator<[string, RememberedOutcome]> | null = null;
  #oldest: [string, RememberedOutcome] | null = null;

  /** What of a command is compared with what another one of the same key has. */
  contentOf(command: Command): string {
    return commandContent(command);
  }

  /** What the command of a key came to; `other_command` when it had another content, null when it is not remembered. */
  first(key: string, content: string): FirstOutcome | 'other_command' | null {
    const remembered = this.get(key);
    if (remembered === undefined) return null;
    return remembered.content === content ? remembered : 'other_command';
  }

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
