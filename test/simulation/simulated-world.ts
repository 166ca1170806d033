// Owns simulated time: one queue of events in the order of their moments, and the processes whose code they run. After each
// event everything that it made ready is run to its end before the next, so that a seed replays exactly. What happened
// is hashed as it happens, and the last of it is kept for whoever has to find out why.
import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash } from 'node:crypto';
import { Draws } from './draws.ts';

/** The first moment of every simulation, milliseconds since 1970. */
const START_MS = 1_800_000_000_000;
const TRACE_LINES_KEPT = 80;
const TRACE_CHARACTERS_AT_ONCE = 16_384;
const LOOK_MS_MAX = 0.5;
const EVENTS_MAX = 5_000_000;
/** Events for which Node goes around its loop once. What an event made ready runs before the next one all the same. */
const TURNS_AT_ONCE = 256;

// Taken before anything is played: the loop itself runs in real time.
const nextRealTurn = globalThis.setImmediate;

/** An event that has not run yet. */
export interface Scheduled {
  readonly atMs: number;
  readonly sequence: number;
  readonly process: SimulatedProcess | null;
  /** Null when it was taken back, or has run. */
  run: (() => void) | null;
}

/** As long as fewer than this were taken back, they stay in the queue until their moment. */
const TAKEN_BACK_MAX = 256;

const running = new AsyncLocalStorage<SimulatedProcess>();

/** A program that runs in the simulation. What its code starts belongs to it: when it is killed, none of that goes on. */
export class SimulatedProcess {
  readonly name: string;
  readonly world: SimulatedWorld;
  /** How far the wall clock of its machine is ahead. */
  clockSkewMs = 0;
  #isAlive = true;
  /** For how long it has stood still in all. */
  pausedMs = 0;
  #pausedAtMs: number | null = null;
  #monotonicMs = 0;
  #held: Scheduled[] = [];

  /** Runs code as this process. */
  readonly run: (code: () => void) => void;

  constructor(world: SimulatedWorld, name: string) {
    this.world = world;
    this.name = name;
    this.run = running.run(this, () => AsyncLocalStorage.snapshot());
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  get isPaused(): boolean {
    return this.#pausedAtMs !== null;
  }

  /** Whether it does anything now. */
  get isRunning(): boolean {
    return this.#isAlive && !this.isPaused;
  }

  /**
   * Its monotonic clock. Work takes no simulated time, so a little of it passes at each look: code that gives way to others
   * when it has worked for long enough does so here too.
   */
  monotonicMs(): number {
    const { elapsedMs, draws } = this.world;
    this.#monotonicMs = Math.max(this.#monotonicMs, elapsedMs) + draws.between(0, LOOK_MS_MAX);
    return this.#monotonicMs;
  }

  kill(): void {
    this.#isAlive = false;
    this.#held = [];
  }

  pause(): void {
    this.#pausedAtMs ??= this.world.elapsedMs;
  }

  resume(): void {
    this.pausedMs += this.world.elapsedMs - (this.#pausedAtMs ?? this.world.elapsedMs);
    this.#pausedAtMs = null;
    for (const event of this.#held.splice(0)) {
      if (event.run !== null) this.world.at(this, 0, event.run);
    }
  }

  /** Keeps an event for when it goes on. */
  hold(event: Scheduled): void {
    this.#held.push(event);
  }
}

/** The simulated process whose code is running, or undefined outside of every simulation. */
export function runningProcess(): SimulatedProcess | undefined {
  return running.getStore();
}

/** What breaks an invariant, and ends the run. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

export class SimulatedWorld {
  readonly draws: Draws;
  /** Files of all processes, by path. */
  readonly disk = new Map<string, string>();
  #queue: Scheduled[] = [];
  readonly #hash = createHash('sha256');
  readonly #lastLines: string[] = [];
  /** Lines that are not hashed yet. */
  #unhashed = '';
  #nowMs = 0;
  /** For how long all machines have slept. */
  #sleptMs = 0;
  #sequence = 0;
  #takenBackCount = 0;
  #violation: Violation | null = null;

  constructor(seed: number) {
    this.draws = new Draws(seed);
  }

  /** Milliseconds since the simulation began. */
  get elapsedMs(): number {
    return this.#nowMs;
  }

  /** The true time, milliseconds since 1970. */
  get wallMs(): number {
    return START_MS + this.#sleptMs + Math.floor(this.#nowMs);
  }

  /** Events so far. */
  get eventCount(): number {
    return this.#sequence;
  }

  /** The first thing that went wrong, or null. */
  get violation(): Violation | null {
    return this.#violation;
  }

  get lastLines(): readonly string[] {
    return this.#lastLines;
  }

  /** Runs code of a process after a delay. With null it is nobody's: the log's, the network's. */
  at(process: SimulatedProcess | null, delayMs: number, run: () => void): Scheduled {
    const atMs = this.#nowMs + Math.max(0, delayMs);
    const event: Scheduled = { atMs, sequence: this.#sequence++, process, run };
    push(this.#queue, event);
    return event;
  }

  /** All machines sleep: their wall clocks go on, and nothing else does. */
  sleep(durationMs: number): void {
    this.trace(`all sleep for ${durationMs} ms`);
    this.#sleptMs += durationMs;
  }

  /** Takes an event back, unless it has run. */
  takeBack(event: Scheduled): void {
    if (event.run === null) return;
    event.run = null;
    this.#takenBackCount += 1;
    if (this.#takenBackCount > TAKEN_BACK_MAX && 2 * this.#takenBackCount > this.#queue.length) this.#sweep();
  }

  /** Notes what happens; part of the trace's hash. */
  trace(line: string): void {
    if (this.#violation !== null) return;
    const stamped = `${this.#nowMs.toFixed(3)} ${line}`;
    this.#unhashed += stamped;
    if (this.#unhashed.length > TRACE_CHARACTERS_AT_ONCE) this.#hashTrace();
    this.#lastLines.push(stamped);
    if (this.#lastLines.length > 2 * TRACE_LINES_KEPT) this.#lastLines.splice(0, TRACE_LINES_KEPT);
  }

  /** Something is not as it must be: nothing more happens after this event. */
  fail(text: string): void {
    if (this.#violation !== null) return;
    this.trace(`VIOLATION ${text}`);
    this.#violation = new Violation(text);
  }

  /** Runs events until `isOver`, or until something goes wrong. */
  run(isOver: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const turn = (): void => {
        if (this.#violation === null && !isOver()) this.#runNext();
      };
      const takeTurns = (): void => {
        if (this.#violation !== null || isOver()) return resolve();
        for (let turns = 0; turns < TURNS_AT_ONCE; turns++) nextRealTurn(turn);
        nextRealTurn(takeTurns);
      };
      takeTurns();
    });
  }

  /** SHA-256 over everything that was traced, 64 hex characters. Ends the trace. */
  traceHash(): string {
    this.#hashTrace();
    return this.#hash.digest('hex');
  }

  #runNext(): void {
    for (;;) {
      const event = pop(this.#queue);
      if (event === undefined) return this.fail('nothing is left to happen, and it is not over');
      if (this.#sequence > EVENTS_MAX) return this.fail(`not over after ${EVENTS_MAX} events`);
      const { process, run } = event;
      if (run === null) this.#takenBackCount -= 1;
      if (run === null || process?.isAlive === false) continue;
      this.#nowMs = event.atMs;
      if (process?.isPaused === true) {
        process.hold(event);
        continue;
      }
      event.run = null;
      return this.#runEvent(process, run);
    }
  }

  /** Most timers are taken back long before their moment: a queue that keeps them is mostly those. */
  #sweep(): void {
    const kept = this.#queue.filter(({ run, process }) => run !== null && process?.isAlive !== false);
    // What is in order is a heap.
    this.#queue = kept.sort((left, right) => (isBefore(left, right) ? -1 : 1));
    this.#takenBackCount = 0;
  }

  #runEvent(process: SimulatedProcess | null, run: () => void): void {
    try {
      if (process === null) run();
      else process.run(run);
    } catch (error) {
      this.fail(`${process?.name ?? 'the simulation'} threw ${(error as Error).stack}`);
    }
  }

  #hashTrace(): void {
    this.#hash.update(this.#unhashed);
    this.#unhashed = '';
  }
}

function isBefore(left: Scheduled, right: Scheduled): boolean {
  return left.atMs < right.atMs || (left.atMs === right.atMs && left.sequence < right.sequence);
}

/** A binary heap, earliest first. */
function push(heap: Scheduled[], event: Scheduled): void {
  let place = heap.length;
  heap.push(event);
  while (place > 0) {
    const parent = (place - 1) >> 1;
    if (!isBefore(event, heap[parent]!)) break;
    heap[place] = heap[parent]!;
    place = parent;
  }
  heap[place] = event;
}

function pop(heap: Scheduled[]): Scheduled | undefined {
  const first = heap[0];
  const last = heap.pop();
  if (first === undefined || last === undefined || heap.length === 0) return first;
  let place = 0;
  for (;;) {
    let child = 2 * place + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
    if (!isBefore(heap[child]!, last)) break;
    heap[place] = heap[child]!;
    place = child;
  }
  heap[place] = last;
  return first;
}
