// Owns the durable log of a simulation: what stands in it is the truth that everything is measured by. Trackers reach it
// through the product's group commit and a network of its own, where appends are slow, refused, stored without an answer,
// stored long after one, or stored twice, and where reading stalls; a log that is away is all of that for a while.
import { GroupCommit } from '../../apps/tracker/src/command-log/group-commit.ts';
import {
  type AppendRecord,
  type CommandLog,
  LogFailure,
  type StoredRecord,
} from '../../apps/tracker/src/command-log/command-log.ts';
import type { SimulatedProcess, SimulatedWorld } from './simulated-world.ts';

/** What becomes of an append. */
type AppendFate = 'stored' | 'refused' | 'unanswered' | 'late' | 'doubled';

/** How often appends come to grief, and how long things take. */
export interface LogTroubles {
  readonly fates: Readonly<Record<AppendFate, number>>;
  readonly appendMsMax: number;
  readonly readMsMax: number;
}

/** An adapter's write gives up by itself after this, as the real ones do. */
const WRITE_TIMEOUT_MS = 3_500;
const LATE_MS_MAX = 8_000;
const READ_BATCH_MAX = 300;
const BATCHES_AT_ONCE_MAX = 5;

/** What stands in the way of an honest log; planted by the tests of the tests. */
export interface LogPlants {
  /** What was acknowledged last is gone after an outage: this many records at most. */
  readonly unsyncedRecordsMax?: number;
}

export class SimulatedLog {
  readonly records: StoredRecord[] = [];
  readonly #world: SimulatedWorld;
  readonly #plants: LogPlants;
  readonly #waiting = new Set<() => void>();
  readonly #listeners: ((record: StoredRecord) => void)[] = [];
  troubles: LogTroubles;
  /** Processes that cannot reach it, though it is there. */
  readonly #cutOff = new Set<SimulatedProcess>();
  #isAway = false;

  constructor(world: SimulatedWorld, troubles: LogTroubles, plants: LogPlants = {}) {
    this.#world = world;
    this.troubles = troubles;
    this.#plants = plants;
  }

  get isAway(): boolean {
    return this.#isAway;
  }

  /** Calls back for every record at the moment when it is stored. */
  onStored(listener: (record: StoredRecord) => void): void {
    this.#listeners.push(listener);
  }

  goAway(): void {
    this.#isAway = true;
  }

  comeBack(): void {
    this.#isAway = false;
    const { unsyncedRecordsMax = 0 } = this.#plants;
    if (unsyncedRecordsMax > 0) this.records.length -= Math.min(this.records.length, unsyncedRecordsMax);
    this.#wake();
  }

  cutOff(process: SimulatedProcess): void {
    this.#cutOff.add(process);
  }

  reconnect(process: SimulatedProcess): void {
    this.#cutOff.delete(process);
    this.#wake();
  }

  reconnectAll(): void {
    this.#cutOff.clear();
    this.#wake();
  }

  /** The log as one process reaches it. */
  openFor(process: SimulatedProcess): CommandLog {
    const commits = new GroupCommit((records) => this.#write(process, records));
    return {
      append: (records) => commits.append(records),
      read: (fromOffset, signal) => this.#read(process, fromOffset, signal),
      end: () => this.#end(process),
      close: () => Promise.resolve(commits.close()),
    };
  }

  #write(process: SimulatedProcess, records: readonly AppendRecord[]): Promise<number> {
    const { draws } = this.#world;
    const fate = draws.weighted(this.troubles.fates);
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const failAfter = (delayMs: number): void => {
      const failure = new LogFailure('log_unavailable', 'the log does not answer');
      this.#world.at(process, delayMs, () => reject(failure));
    };
    const wayMs = draws.between(0.2, this.troubles.appendMsMax);
    if (fate === 'refused') {
      failAfter(wayMs);
    } else if (fate === 'late') {
      failAfter(draws.between(0, WRITE_TIMEOUT_MS));
      this.#world.at(null, draws.between(0, LATE_MS_MAX), () => this.#store(records, 'late'));
    } else {
      this.#world.at(null, wayMs, () => {
        if (this.#isAwayFor(process)) return this.#arriveAtNothing(process, records, failAfter);
        const first = this.#store(records, fate);
        if (fate === 'doubled') this.#store(records, fate);
        if (fate === 'unanswered') failAfter(draws.between(0, WRITE_TIMEOUT_MS));
        else this.#world.at(process, draws.between(0.1, this.troubles.appendMsMax), () => resolve(first));
      });
    }
    return promise;
  }

  #isAwayFor(process: SimulatedProcess): boolean {
    return this.#isAway || this.#cutOff.has(process);
  }

  /** While the log is away an append is lost, or still on its way to it when its sender has given up. */
  #arriveAtNothing(
    process: SimulatedProcess,
    records: readonly AppendRecord[],
    failAfter: (delayMs: number) => void,
  ): void {
    const { draws } = this.#world;
    failAfter(draws.between(0, WRITE_TIMEOUT_MS));
    if (draws.chance(0.3)) this.#storeWhenBack(process, records);
  }

  #storeWhenBack(process: SimulatedProcess, records: readonly AppendRecord[]): void {
    this.#world.at(null, this.#world.draws.between(0, LATE_MS_MAX), () => {
      if (this.#isAwayFor(process)) this.#storeWhenBack(process, records);
      else this.#store(records, 'after all');
    });
  }

  #store(records: readonly AppendRecord[], how: string): number {
    const first = this.records.length;
    for (const { value, sealed } of records) {
      const record = { offset: this.records.length, value, sealed, appendTimeMs: this.#world.wallMs };
      this.records.push(record);
      for (const listener of this.#listeners) listener(record);
    }
    this.#world.trace(`log ${how} ${first}+${records.length}`);
    this.#wake();
    return first;
  }

  async *#read(process: SimulatedProcess, fromOffset: number, signal: AbortSignal) {
    const { draws } = this.#world;
    let next = fromOffset;
    while (!signal.aborted) {
      if (next > this.records.length) {
        throw new LogFailure('log_halted', `the log ends at ${this.records.length}, before offset ${next}`);
      }
      await this.#readable(process, next, signal);
      // Several batches may have come to hand at once, and follow each other without a pause.
      for (let batches = draws.integer(1, BATCHES_AT_ONCE_MAX); batches > 0 && !signal.aborted; batches--) {
        const batch = this.records.slice(next, next + draws.integer(1, READ_BATCH_MAX));
        if (batch.length === 0) break;
        next += batch.length;
        yield batch;
      }
    }
  }

  /** Resolves, as an event of the process, when there is something to read, or reading is over. */
  #readable(process: SimulatedProcess, next: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      let isWoken = false;
      const look = (): void => {
        isWoken = false;
        if (signal.aborted || (!this.#isAwayFor(process) && this.records.length !== next)) end();
      };
      const wake = (): void => {
        if (isWoken) return;
        isWoken = true;
        const { draws } = this.#world;
        this.#world.at(process, draws.between(0.1, this.troubles.readMsMax), look);
      };
      const end = (): void => {
        this.#waiting.delete(wake);
        signal.removeEventListener('abort', end);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener('abort', end);
      wake();
    });
  }

  #end(process: SimulatedProcess): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const { draws } = this.#world;
    const { readMsMax } = this.troubles;
    this.#world.at(null, draws.between(0.1, readMsMax), () => {
      const end = this.records.length;
      const failure = new LogFailure('log_unavailable', 'the log does not answer');
      const answer = this.#isAwayFor(process) ? () => reject(failure) : () => resolve(end);
      this.#world.at(process, draws.between(0.1, readMsMax), answer);
    });
    return promise;
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }
}
