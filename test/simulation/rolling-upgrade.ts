// Owns an upgrade of the trackers while everything goes on: one after another they run the next build, and at some moment an
// operator activates the newer rules. A tracker that has not been upgraded by then stops at them, the others go on; one of
// them may be forgotten for good.
import { NEWER_BUILD, NEWER_RULES_VERSION } from './builds.ts';
import type { SimulatedOperator } from './simulated-operator.ts';
import type { SimulatedTracker } from './simulated-tracker.ts';
import type { SimulatedWorld } from './simulated-world.ts';

/** Of the time in which people are at it: when the first tracker is upgraded at the earliest, and the last one at the latest. */
const UPGRADE_SHARES = [0.05, 0.8] as const;
const FORGOTTEN_CHANCE = 0.4;

/** What an upgrade is about. */
export interface Upgraded {
  readonly world: SimulatedWorld;
  readonly trackers: readonly SimulatedTracker[];
  readonly operator: SimulatedOperator;
  readonly workMs: number;
}

export class RollingUpgrade {
  /** What came of it. */
  readonly happened = new Set<string>();
  readonly #of: Upgraded;
  readonly #forgotten: SimulatedTracker | null;

  constructor(of: Upgraded) {
    const { draws } = of.world;
    this.#of = of;
    this.#forgotten = draws.chance(FORGOTTEN_CHANCE) ? draws.pick(of.trackers) : null;
  }

  start(): void {
    const { world, trackers, workMs } = this.#of;
    const { draws } = world;
    const moments = trackers.map(() => draws.between(...UPGRADE_SHARES) * workMs);
    for (const [index, tracker] of trackers.entries()) {
      if (tracker !== this.#forgotten) world.at(null, moments[index]!, () => tracker.install(NEWER_BUILD));
    }
    const upgraded = trackers.findIndex((tracker) => tracker !== this.#forgotten);
    const activationMs = Math.max(moments[upgraded]!, draws.between(...UPGRADE_SHARES) * workMs);
    world.at(null, activationMs, () => this.#activate(trackers[upgraded]!));
  }

  /** Whoever was not forgotten is upgraded by now. */
  end(): void {
    for (const tracker of this.#of.trackers) {
      if (tracker !== this.#forgotten && tracker.build !== NEWER_BUILD) tracker.install(NEWER_BUILD);
    }
  }

  #activate({ options: { identity } }: SimulatedTracker): void {
    const { operator, world } = this.#of;
    const command = { name: 'activate_rules', data: { rulesVersion: NEWER_RULES_VERSION } } as const;
    operator.order(identity, command, (outcome) => {
      // An attempt whose answer was lost may have been the one that counts.
      if (outcome !== 'accepted' && outcome !== 'rules_unknown') world.fail(`activate_rules comes to ${outcome}`);
      this.happened.add(this.#forgotten === null ? 'activated' : 'activated with one forgotten');
    });
  }
}
