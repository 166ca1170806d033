// Owns the threads: the only file that knows Piscina. Every worker runs one lane, which never ends, and finite tasks beside it.
// Idle workers must keep their event loop running for the sockets in them, so atomics are off; no task is ever aborted,
// because that would end its worker and every connection in it.
import { MessageChannel } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { Outcome } from '../storage/storage-problem.ts';
import { type LaneCommand, type LaneEvent, type LaneStart, post } from './lane-messages.ts';
import type * as worker from './worker.ts';

const TASKS_PER_WORKER = 16;
/** Source files run as they are, built ones beside this file; both end like this one. */
const WORKER_FILE = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url).href;

type RunOptions = NonNullable<Parameters<Piscina['run']>[1]>;
/** The finite tasks by name. */
type WorkerTasks = Omit<typeof worker, 'lane'>;
type TaskName = keyof WorkerTasks;
type TaskRequest<Name extends TaskName> = Parameters<WorkerTasks[Name]>[0];
type TaskValue<Name extends TaskName> =
  Awaited<ReturnType<WorkerTasks[Name]>> extends Outcome<infer Value> ? Value : never;

/** How busy the threads are. */
export interface PoolMetrics {
  /** Of all threads together, since the pool was made. */
  readonly busySeconds: number;
  /** Finite tasks that threads have taken on; lanes are not counted. */
  readonly runningTasks: number;
  readonly queuedTasks: number;
}

type Thread = Piscina['threads'][number];

/** A running lane. `ended` resolves with null after `stop`, and with an error when its worker died. */
export interface RunningLane {
  tell(command: LaneCommand): void;
  listen(listener: (event: LaneEvent) => void): void;
  readonly ended: Promise<Error | null>;
}

/** The peer's worker threads. */
export class WorkerPool {
  readonly #piscina: Piscina;
  /** Threads that have a lane, by thread id. */
  readonly #lanes = new Set<number>();
  readonly #tasks = new Set<Promise<unknown>>();
  /** Until when the work of each thread is counted in. */
  readonly #busyMs = new WeakMap<Thread, number>();
  #busySeconds = 0;
  #isClosing = false;

  constructor(workers: number) {
    this.#piscina = new Piscina({
      filename: WORKER_FILE,
      minThreads: workers,
      maxThreads: workers,
      idleTimeout: Infinity,
      concurrentTasksPerWorker: TASKS_PER_WORKER,
      atomics: 'disabled',
      loadBalancer: (task, candidates) => this.#choose((task as { name?: string }).name === 'lane', candidates),
    });
  }

  /** Starts a lane in a worker that has none. */
  startLane(start: LaneStart): RunningLane {
    const { port1, port2 } = new MessageChannel();
    const transferList = [port2] as unknown as NonNullable<RunOptions['transferList']>;
    const ended = this.#piscina.run({ start, port: port2 }, { name: 'lane', transferList }).then(
      () => null,
      (error: Error) => error,
    );
    void ended.then(() => port1.close());
    return {
      tell: (command) => post(port1, command),
      listen: (listener) => void port1.on('message', listener),
      ended,
    };
  }

  /**
   * Runs a finite task in the worker that has least to do. Tasks can be repeated without harm: when a worker dies with one,
   * another worker does it again, and only a second death rejects.
   */
  async run<Name extends TaskName>(name: Name, request: TaskRequest<Name>): Promise<Outcome<TaskValue<Name>>> {
    try {
      return await this.#runOnce(name, request);
    } catch (error) {
      if (this.#isClosing) throw error;
      return await this.#runOnce(name, request);
    }
  }

  /** How busy the threads are. What one did after it was asked about last is not counted when it dies. */
  metrics(): PoolMetrics {
    for (const thread of this.#piscina.threads) {
      const busyMs = thread.performance.eventLoopUtilization().active;
      this.#busySeconds += (busyMs - (this.#busyMs.get(thread) ?? 0)) / 1_000;
      this.#busyMs.set(thread, busyMs);
    }
    const queuedTasks = this.#piscina.queueSize;
    return { busySeconds: this.#busySeconds, runningTasks: this.#tasks.size - queuedTasks, queuedTasks };
  }

  /** Ends all threads; lanes should have been stopped, and long tasks called off: those that run are waited for. */
  async close(): Promise<void> {
    this.#isClosing = true;
    // An answer that comes while the pool is being destroyed would be an error that nobody can catch.
    await Promise.allSettled(this.#tasks);
    await this.#piscina.destroy();
  }

  async #runOnce<Name extends TaskName>(name: Name, request: TaskRequest<Name>): Promise<Outcome<TaskValue<Name>>> {
    if (this.#isClosing) throw new Error('the pool of workers is closing');
    const task = this.#piscina.run(request, { name }) as Promise<Outcome<TaskValue<Name>>>;
    this.#tasks.add(task);
    try {
      return await task;
    } finally {
      this.#tasks.delete(task);
    }
  }

  #choose<Candidate extends { readonly id: number; readonly currentUsage: number }>(
    isLane: boolean,
    candidates: Candidate[],
  ): Candidate | null {
    const fitting = candidates.filter(({ id, currentUsage }) =>
      isLane ? !this.#lanes.has(id) : currentUsage < TASKS_PER_WORKER,
    );
    const [first, ...others] = fitting;
    if (first === undefined) return null;
    const chosen = others.reduce((best, other) => (other.currentUsage < best.currentUsage ? other : best), first);
    if (isLane) this.#lanes.add(chosen.id);
    return chosen;
  }
}
