// Owns a tracker that is wrong: it once computes an effect wrongly, runs a build that does so all the time, reads a record that
// is not the log's, or writes a snapshot of something else than it has. It cannot stop the others for good: it finds out by itself
// and heals, or its checkpoints are disputed until an operator rules that they do not count, and then everybody but it goes on,
// restarted where a tracker has halted.
import { RootHistory } from '../../apps/tracker/src/replica/root-history.ts';
import { type Build, miskeeping, misreading, RIGHT_BUILD, wrongEffects } from './builds.ts';
import type { Invariants } from './invariants.ts';
import type { SimulatedLog } from './simulated-log.ts';
import type { SimulatedOperator } from './simulated-operator.ts';
import type { SimulatedTracker } from './simulated-tracker.ts';
import type { SimulatedWorld } from './simulated-world.ts';

/** What a tracker gets wrong. */
export type Wrong = (typeof WRONGS)[number];
const WRONGS = ['slip', 'wrong_build', 'misread', 'miskept'] as const;

/** What it is a part of. */
export interface FaultyAmong {
  readonly world: SimulatedWorld;
  readonly log: SimulatedLog;
  readonly trackers: readonly SimulatedTracker[];
  readonly invariants: Invariants;
  readonly operator: SimulatedOperator;
  readonly workMs: number;
  /** What the tracker gets wrong, when that is not left to chance. */
  readonly wrong?: Wrong | undefined;
}

const LOOK_MS_MAX = 6_000;
const RESTART_MS_MAX = 4_000;
/** Of the time in which people are at it. */
const BEGIN_SHARES = [0.02, 0.4] as const;
const RECORDS_BEFORE_MAX = 30;
const KEPT_CHANCE = 0.5;

export class FaultyTracker {
  /** What came of it. */
  readonly happened = new Set<string>();
  readonly #among: FaultyAmong;
  readonly #tracker: SimulatedTracker;
  readonly #wrong: Wrong;
  /** A wrong build that nobody takes away; it stays in dispute. */
  readonly #isKept: boolean;
  readonly #roots = new RootHistory();
  /** Offsets of checkpoints that do not say what is true. */
  readonly #unruled: number[] = [];
  #hasSignedOtherRecords = false;

  constructor(among: FaultyAmong) {
    const { world, trackers, invariants, log } = among;
    this.#among = among;
    this.#tracker = world.draws.pick(trackers);
    this.#wrong = among.wrong ?? world.draws.pick(WRONGS);
    this.#isKept = this.#wrong === 'wrong_build' && world.draws.chance(KEPT_CHANCE);
    invariants.onHalted((tracker, reason) => this.#halted(tracker, reason));
    invariants.onDoubted(() => this.#doubted());
    log.onStored(({ offset, value }) => this.#stored(offset, value));
  }

  start(): void {
    const { world, workMs, log } = this.#among;
    world.at(null, world.draws.between(...BEGIN_SHARES) * workMs, () => {
      const fromOffset = log.records.length + world.draws.integer(0, RECORDS_BEFORE_MAX);
      world.trace(`${this.#tracker.options.name} gets it wrong from ${fromOffset} on: ${this.#wrong}`);
      this.#tracker.install(this.#wrongBuild(fromOffset));
    });
    // One that was wrong once has to find out without anybody.
    if (this.#wrong === 'wrong_build' || this.#wrong === 'misread') this.#look();
  }

  /** The right build is back, unless nobody sees to it. */
  end(): void {
    if (this.#wrong === 'wrong_build' && !this.#isKept) this.#tracker.install(RIGHT_BUILD);
  }

  /** What is not yet as it has to be with a tracker that is wrong to the end; undefined for every other one. */
  unrestOf(tracker: SimulatedTracker): string | null | undefined {
    if (tracker !== this.#tracker || !this.#isKept || !tracker.build.hasErred()) return undefined;
    return tracker.replica.isDisputed ? null : 'does not know that it is wrong';
  }

  #wrongBuild(fromOffset: number): Build {
    switch (this.#wrong) {
      case 'misread':
        return misreading({ fromOffset });
      case 'miskept':
        return miskeeping({ fromOffset });
      case 'wrong_build':
        return wrongEffects({ fromOffset });
      case 'slip':
        // Not in a replay from offset 0, which is what heals.
        return wrongEffects({ fromOffset, mayErr: () => this.#tracker.isUp && this.#tracker.replica.readiness.ready });
    }
  }

  /** Looks now and then whether there is anything to rule. */
  #look(): void {
    const { world, operator, trackers } = this.#among;
    world.at(null, world.draws.between(0, LOOK_MS_MAX), () => {
      const [first] = this.#unruled;
      if (first === undefined) return this.#look();
      const { identity } = world.draws.pick(trackers).options;
      const command = { name: 'resolve_checkpoint', data: { offset: first, counts: 'log' } } as const;
      operator.order(identity, command, (outcome) => {
        if (outcome !== 'accepted') world.fail(`resolve_checkpoint of ${first} comes to ${outcome}`);
        this.happened.add('ruled');
        this.#unruled.shift();
        this.#look();
      });
    });
  }

  #stored(offset: number, value: Uint8Array): void {
    const { invariants } = this.#among;
    this.#roots.append(value);
    for (const event of invariants.decidedAt(offset)?.applied.events ?? []) {
      if (event.type !== 'checkpoint_recorded') continue;
      const isOfOtherRecords = event.root !== this.#roots.at(event.size)?.toString('hex');
      const hasOtherEffects = event.digest !== invariants.decidedAt(event.size - 1)?.digest;
      if (!isOfOtherRecords && !hasOtherEffects) continue;
      this.happened.add(`${this.#wrong} signed`);
      this.#hasSignedOtherRecords ||= isOfOtherRecords;
      this.#unruled.push(offset);
    }
  }

  /** What is wrong in a snapshot of one is seen by whoever has another of the same offset, whichever of them is wrong. */
  #doubted(): boolean {
    this.happened.add(`${this.#wrong} doubted`);
    return true;
  }

  /** It halts where others have read other records than it; at a wrong root in the log everybody does who has not read the ruling. */
  #halted(tracker: SimulatedTracker, reason: Error): boolean {
    const { world } = this.#among;
    const isOfOtherRecords = /other records|another Merkle root|others than this tracker has read/.test(reason.message);
    const isItself = tracker === this.#tracker;
    if (this.#wrong !== 'misread' || !isOfOtherRecords) return false;
    if (!isItself && !this.#hasSignedOtherRecords) return false;
    this.happened.add('halted');
    world.trace(`${tracker.process.name} halts: ${reason.message}`);
    tracker.kill({ isTold: true });
    world.at(null, world.draws.between(0, RESTART_MS_MAX), () => tracker.recover());
    return true;
  }
}
