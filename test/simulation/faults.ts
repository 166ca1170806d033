// Owns what goes wrong in a simulation, and that in the end it is all well again. Each seed draws which kinds of fault it has
// and how often, because a run with everything at once hides what a few of them would show.
import type { Draws } from './draws.ts';
import type { Invariants } from './invariants.ts';
import type { LogTroubles, SimulatedLog } from './simulated-log.ts';
import type { NetworkTroubles, SimulatedNetwork } from './simulated-network.ts';
import type { SimulatedPeer } from './simulated-peer.ts';
import type { SimulatedTracker } from './simulated-tracker.ts';
import type { SimulatedProcess, SimulatedWorld } from './simulated-world.ts';

const KINDS = ['crash', 'pause', 'parting', 'outage', 'cut', 'clock', 'peer_crash', 'peer_pause', 'reset'] as const;
export type FaultKind = (typeof KINDS)[number];

/** What the faults befall. */
export interface Victims {
  readonly world: SimulatedWorld;
  readonly network: SimulatedNetwork;
  readonly log: SimulatedLog;
  readonly trackers: readonly SimulatedTracker[];
  readonly peers: readonly SimulatedPeer[];
  readonly invariants: Invariants;
  /** For how long there are faults. */
  readonly workMs: number;
}

/** A run as long as this has faults of the usual length; longer ones have longer and fewer. */
const USUAL_WORK_MS = 15_000;
/** Mean length of an outage of the log in a run that is long enough for it: past it grants are suspended. */
const LONG_OUTAGE_MS = 700_000;

const CALM_NETWORK: NetworkTroubles = { lostChance: 0, repeatedChance: 0, slowChance: 0, resetChance: 0, wayMsMax: 5 };
const CALM_LOG: LogTroubles = {
  fates: { stored: 1, refused: 0, unanswered: 0, late: 0, doubled: 0 },
  appendMsMax: 8,
  readMsMax: 10,
};

export function drawNetworkTroubles(draws: Draws): NetworkTroubles {
  if (draws.chance(0.3)) return CALM_NETWORK;
  return {
    lostChance: draws.pick([0, 0.005, 0.03]),
    repeatedChance: draws.pick([0, 0.02, 0.1]),
    slowChance: draws.pick([0, 0.01, 0.05]),
    resetChance: draws.pick([0, 0.002, 0.01]),
    wayMsMax: draws.pick([3, 20, 100]),
  };
}

export function drawLogTroubles(draws: Draws): LogTroubles {
  if (draws.chance(0.3)) return CALM_LOG;
  return {
    fates: {
      stored: 1,
      refused: draws.pick([0, 0.01, 0.05]),
      unanswered: draws.pick([0, 0.01, 0.05]),
      late: draws.pick([0, 0.01, 0.05]),
      doubled: draws.pick([0, 0.01, 0.05]),
    },
    appendMsMax: draws.pick([3, 20, 100]),
    readMsMax: draws.pick([3, 50, 300]),
  };
}

export class Faults {
  readonly #on: Victims;
  readonly #weights: Record<FaultKind, number>;
  readonly #meanPauseMs: number;
  readonly #scale: number;
  #isOver = false;
  #count = 0;

  /** With `kinds` there are these faults alone. */
  constructor(on: Victims, kinds?: readonly FaultKind[]) {
    this.#on = on;
    const { draws } = on.world;
    const isDrawn = (kind: FaultKind): boolean => kinds?.includes(kind) ?? draws.chance(0.5);
    this.#weights = Object.fromEntries(
      KINDS.map((kind) => [kind, isDrawn(kind) ? draws.between(0.2, 1) : 0]),
    ) as Record<FaultKind, number>;
    this.#scale = Math.sqrt(Math.max(1, on.workMs / USUAL_WORK_MS));
    this.#meanPauseMs = draws.pick([1_000, 3_000, 10_000]) * this.#scale;
  }

  /** Faults so far. */
  get count(): number {
    return this.#count;
  }

  start(): void {
    const { world } = this.#on;
    if (Object.values(this.#weights).every((weight) => weight === 0)) return;
    world.at(null, world.draws.exponential(this.#meanPauseMs), () => {
      if (this.#isOver) return;
      this.#strike(world.draws.weighted(this.#weights));
      this.start();
    });
  }

  /** Everything is there again, and stays. */
  healAll(): void {
    const { world, network, log, trackers, peers, invariants } = this.#on;
    this.#isOver = true;
    world.trace('all is well again');
    network.troubles = CALM_NETWORK;
    network.healAll();
    log.troubles = CALM_LOG;
    log.reconnectAll();
    if (log.isAway) log.comeBack();
    invariants.logIsThere();
    for (const tracker of trackers) tracker.recover();
    for (const tracker of trackers) tracker.setClock(0);
    for (const peer of peers) {
      if (peer.process.isPaused) peer.process.resume();
      if (!peer.isUp) peer.start();
    }
  }

  /** How long a fault lasts that usually lasts for `meanMs`. */
  #span(meanMs: number): number {
    return this.#on.world.draws.exponential(meanMs * this.#scale);
  }

  #strike(kind: FaultKind): void {
    const { world, trackers, peers, network } = this.#on;
    const { draws } = world;
    const tracker = draws.pick(trackers);
    this.#count += 1;
    world.trace(`fault ${kind} ${tracker.options.name}`);
    switch (kind) {
      case 'crash':
        return this.#crash(tracker);
      case 'pause':
        return this.#pause(tracker.process);
      case 'peer_pause':
        return this.#pause(draws.pick(peers).process);
      case 'parting':
        return this.#partSome(tracker);
      case 'outage':
        return this.#outage();
      case 'cut':
        return this.#cutOff(tracker.process);
      case 'clock':
        return tracker.setClock(draws.chance(0.7) ? draws.integer(-5_000, 5_000) : draws.integer(-60_000, 60_000));
      case 'peer_crash': {
        const peer = draws.pick(peers);
        if (!peer.isUp) return;
        peer.kill();
        world.at(null, this.#span(draws.pick([2_000, 15_000])), () => {
          if (!peer.isUp) peer.start();
        });
        return;
      }
      case 'reset':
        return network.resetOne();
    }
  }

  #crash(tracker: SimulatedTracker): void {
    const { world } = this.#on;
    if (!tracker.isUp) return;
    tracker.kill({ isTold: world.draws.chance(0.7) });
    world.at(null, this.#span(3_000), () => tracker.recover());
  }

  #pause(process: SimulatedProcess): void {
    const { world } = this.#on;
    process.pause();
    world.at(null, this.#span(4_000), () => {
      if (process.isPaused) process.resume();
    });
  }

  #partSome(tracker: SimulatedTracker): void {
    const { world, peers, network } = this.#on;
    const parted = peers.filter(() => world.draws.chance(0.4));
    for (const peer of parted) network.part(peer.id, tracker.address);
    world.at(null, this.#span(5_000), () => network.healAll());
  }

  #outage(): void {
    const { world, log, invariants } = this.#on;
    if (log.isAway) return;
    log.goAway();
    invariants.logGoesAway(null);
    world.at(null, this.#outageMs(), () => {
      if (!log.isAway) return;
      invariants.logReturns(null);
      log.comeBack();
    });
  }

  /** The log is away for one tracker alone. */
  #cutOff(process: SimulatedProcess): void {
    const { world, log, invariants } = this.#on;
    log.cutOff(process);
    invariants.logGoesAway(process);
    world.at(null, this.#outageMs(), () => {
      invariants.logReturns(process);
      log.reconnect(process);
    });
  }

  #outageMs(): number {
    const { workMs, world } = this.#on;
    const isLong = workMs > LONG_OUTAGE_MS && world.draws.chance(0.5);
    return isLong ? world.draws.exponential(LONG_OUTAGE_MS) : this.#span(4_000);
  }
}
