// Owns what is kept of groups when one of them is asked about: that one, and nothing of any other. A command looks at no group but the
// one that it names, so outcomes and effects of this group's records are what they are beside all the others, whose records
// come to refusals. Of a million records with the shares of 50,000 groups that leaves a tenth of the state.
import type { Command } from '#domain/command';
import type { Group } from '#domain/state';
import { DigestedOutcomes } from './digested-outcomes.ts';

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

/** Outcomes by actor and id. Of a command about another group only the id is kept: none of that id is about this one and the same. */
export class OutcomesOfOneGroup extends DigestedOutcomes {
  readonly #name: string;

  constructor(name: string) {
    super();
    this.#name = name;
  }

  override contentOf(command: Command): string {
    const { group = this.#name } = command.data as { readonly group?: string };
    return group === this.#name ? super.contentOf(command) : '';
  }
}
