// Owns an operator of a simulation: a program of its own that reads the whole log, appends one command signed with a tracker's
// key, and does so again until it is told what came of it, as whoever types the command would.
import type { Identity } from '#identity/identity';
import { LogFailure } from '../../apps/tracker/src/command-log/command-log.ts';
import { Replica } from '../../apps/tracker/src/replica/replica.ts';
import { type SealedCommand, submitAsTracker } from '../../apps/tracker/src/replica/tracker-registration.ts';
import { NEWER_RULES } from './builds.ts';
import type { SimulatedLog } from './simulated-log.ts';
import { SimulatedProcess, type SimulatedWorld } from './simulated-world.ts';

const AGAIN_MS_MAX = 3_000;

export class SimulatedOperator {
  readonly #world: SimulatedWorld;
  readonly #log: SimulatedLog;

  constructor(world: SimulatedWorld, log: SimulatedLog) {
    this.#world = world;
    this.#log = log;
  }

  /** Has a command applied; calls back with `accepted` or the reason why not. */
  order(identity: Identity, command: SealedCommand['command'], told: (outcome: string) => void): void {
    const process = new SimulatedProcess(this.#world, 'operator');
    this.#world.at(process, 0, () => {
      void this.#attempt(process, identity, command).then((outcome) => {
        process.kill();
        this.#world.trace(`operator ${command.name} ${outcome ?? 'unknown'}`);
        if (outcome !== null) {
          told(outcome);
          return;
        }
        const againMs = this.#world.draws.between(0, AGAIN_MS_MAX);
        this.#world.at(null, againMs, () => this.order(identity, command, told));
      });
    });
  }

  async #attempt(
    process: SimulatedProcess,
    identity: Identity,
    command: SealedCommand['command'],
  ): Promise<string | null> {
    const log = this.#log.openFor(process);
    const replica = new Replica({ log, now: Date.now, heedsCheckpoints: false, rules: NEWER_RULES });
    try {
      if (!(await replica.start()) || !replica.state.trackers.has(identity.id)) return null;
      const applied = await submitAsTracker(replica, { identity, now: Date.now }, { command, sealed: null });
      if (applied === null) return null;
      return applied.outcome.status === 'accepted' ? 'accepted' : applied.outcome.reason;
    } catch (error) {
      if (!(error instanceof LogFailure)) throw error;
      return null;
    }
  }
}
