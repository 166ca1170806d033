// Owns what is done to a real system while clients use it: trackers are killed, stopped and paused, the broker as well, the file of
// the embedded log is held by somebody else, clients begin anew. One thing at a time to each, several at once to the whole.
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LocalSystem } from '../../infra/quick-start/local-system.ts';
import { StartFailed } from '../../infra/quick-start/node-process.ts';
import type { Draws } from '../simulation/draws.ts';
import type { BrokerProcess } from './broker-process.ts';
import type { History } from './history.ts';
import type { HistoryClient } from './history-client.ts';

/** What can be done, by how often it is. */
const WEIGHTS = {
  tracker_kill: 60,
  tracker_stop: 6,
  tracker_pause: 18,
  client_restart: 6,
  log_kill: 4,
  log_pause: 6,
} as const;

/** The name of a fault, as counts and weights have it. */
export type FaultName = keyof typeof WEIGHTS;

export interface FaultyParts {
  readonly draws: Draws;
  readonly history: History;
  readonly system: LocalSystem;
  readonly clients: readonly HistoryClient[];
  /** The broker, or the path of the embedded log. */
  readonly log: BrokerProcess | string;
}

const DOWN_MS_MAX = 1_500;
const PAUSE_MS_MIN = 200;
const PAUSE_MS_MAX = 4_000;
/** How often the last tracker that is left alone may be struck as well. */
const ALL_AT_ONCE_CHANCE = 0.1;

/** Strikes a real system and puts it right again, as the draws have it. */
export class RealFaults {
  readonly counts: Record<FaultName, number> = {
    tracker_kill: 0,
    tracker_stop: 0,
    tracker_pause: 0,
    client_restart: 0,
    log_kill: 0,
    log_pause: 0,
  };
  readonly #parts: FaultyParts;
  readonly #busy = new Set<unknown>();
  readonly #underWay = new Set<Promise<void>>();
  readonly #failures: unknown[] = [];

  constructor(parts: FaultyParts) {
    this.#parts = parts;
  }

  /** Something every `meanPauseMs` or so, until the signal is aborted; then waits until everything is up again. Throws when it is not. */
  async run(meanPauseMs: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(this.#parts.draws.exponential(meanPauseMs), undefined, { signal }).catch(() => undefined);
      if (!signal.aborted) this.#begin(this.#parts.draws.weighted(WEIGHTS));
    }
    await Promise.all(this.#underWay);
    if (this.#failures.length > 0) throw new Error('not everything came back', { cause: this.#failures[0] });
  }

  #begin(name: FaultName): void {
    const fault = this.#drawn(name);
    if (fault === null) return;
    this.counts[name] += 1;
    const done = fault()
      .catch((error: unknown) => void this.#failures.push(error))
      .finally(() => this.#underWay.delete(done));
    this.#underWay.add(done);
  }

  /** What will be done to whom, or null when nobody is free for it. */
  #drawn(name: FaultName): (() => Promise<void>) | null {
    const { draws, clients, log } = this.#parts;
    switch (name) {
      case 'tracker_kill':
      case 'tracker_stop':
      case 'tracker_pause': {
        const ordinal = this.#freeTracker();
        return ordinal === null
          ? null
          : () => this.#whileBusy(ordinal, name, () => this.#troubleTracker(name, ordinal));
      }
      case 'client_restart': {
        const client = draws.pick(clients);
        if (this.#busy.has(client)) return null;
        return () => this.#whileBusy(client, `${name} ${client.id.slice(0, 8)}`, () => client.restart());
      }
      case 'log_kill':
      case 'log_pause':
        if (this.#busy.has(log)) return null;
        return () => this.#whileBusy(log, name, () => this.#troubleLog(name));
    }
  }

  #freeTracker(): number | null {
    const { draws, system } = this.#parts;
    const ordinals = system.trackers.map(({ ordinal }) => ordinal);
    const free = ordinals.filter((ordinal) => !this.#busy.has(ordinal));
    const isAllowed = free.length > 1 || draws.chance(ALL_AT_ONCE_CHANCE);
    return free.length > 0 && isAllowed ? draws.pick(free) : null;
  }

  async #whileBusy(whom: unknown, what: string, doIt: () => Promise<void>): Promise<void> {
    const { history } = this.#parts;
    const words = typeof whom === 'number' ? `${what} ${whom}` : what;
    this.#busy.add(whom);
    history.add({ type: 'fault', what: words });
    try {
      await doIt();
    } finally {
      this.#busy.delete(whom);
      history.add({ type: 'fault', what: `${words} is over` });
    }
  }

  async #troubleTracker(name: 'tracker_kill' | 'tracker_stop' | 'tracker_pause', ordinal: number): Promise<void> {
    const { draws, system } = this.#parts;
    const { process } = system.trackers[ordinal - 1]!;
    if (name === 'tracker_pause') return this.#pause(process.pid);
    await (name === 'tracker_kill' ? process.kill() : process.stop());
    await sleep(draws.between(0, DOWN_MS_MAX));
    await this.#bringBack(ordinal);
  }

  /** A tracker waits for its log, for longer than its start may take when the log was away and the machine is busy. */
  async #bringBack(ordinal: number): Promise<void> {
    const { system, log } = this.#parts;
    for (;;) {
      const wasAway = this.#busy.has(log);
      try {
        await system.restartTracker(ordinal);
        return;
      } catch (error) {
        const isWaiting = error instanceof StartFailed && error.message.includes('was not ready');
        if (!isWaiting || !(wasAway || this.#busy.has(log))) throw error;
      }
    }
  }

  async #troubleLog(name: 'log_kill' | 'log_pause'): Promise<void> {
    const { draws, log } = this.#parts;
    // Whoever holds the lock of the file and dies is the same as one that holds it: trackers do that too.
    if (typeof log === 'string') return this.#holdFile(log);
    if (name === 'log_pause') return this.#pause(log.pid);
    await log.kill();
    await sleep(draws.between(0, DOWN_MS_MAX));
    await log.restart();
  }

  async #pause(pid: number): Promise<void> {
    process.kill(pid, 'SIGSTOP');
    await sleep(this.#parts.draws.between(PAUSE_MS_MIN, PAUSE_MS_MAX));
    process.kill(pid, 'SIGCONT');
  }

  /** Nobody else writes meanwhile. */
  async #holdFile(path: string): Promise<void> {
    const holder = new DatabaseSync(path, { timeout: PAUSE_MS_MAX });
    try {
      holder.exec('BEGIN IMMEDIATE');
      await sleep(this.#parts.draws.between(PAUSE_MS_MIN, PAUSE_MS_MAX));
      holder.exec('ROLLBACK');
    } finally {
      holder.close();
    }
  }
}
