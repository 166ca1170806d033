// Owns what is kept of groups when one of them is asked about: that one, and nothing of any other. A command looks at no group but the
// one that it names, so outcomes and effects of this group's records are what they are beside all the others, whose records
// come to refusals. Of a million records with the shares of 50,000 groups that leaves a tenth of the state.
import type { Group } from '#domain/state';

/** Groups by name, of which one is kept. */
export class OneGroup extends Map<string, Group> {
  readonly #name: string;

  constructor(name: string) {
    super();
    this.#name = name;
  }

  override set(name: string, group: Group): this {
    return name === this.#name ? super.set(name, group) : this;
  }
}
