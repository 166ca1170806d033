// Owns the lanes of all workers as the main thread sees them. What every lane has to know (trust, limits, shares, revocations,
// open downloads) is remembered here and told again to the lane that replaces a dead one.
import { LaneCounters, newCounters, type PeerRefusal } from '../data-plane/lane-counters.ts';
import type { LaneCommand, LaneEvent, LaneStart } from '../data-plane/lane-messages.ts';
import type { RunningLane, WorkerPool } from '../data-plane/worker-pool.ts';
import { isLoopback } from '#identity/dialled-addresses';
import type { Identity } from '#identity/identity';
import { type Address, TransferFailure, type WorkerMetrics } from './transfer-engine.ts';

const RESTART_DELAY_MS = 50;
const REVOCATIONS_MAX = 10_000;

export interface FleetOptions {
  readonly identity: Identity;
  readonly listen: Address;
  readonly workers: number;
  readonly plain: boolean;
  readonly dialsLoopback?: boolean;
}

/** Who is told what lanes say. */
export interface FleetListener {
  event(lane: number, event: LaneEvent): void;
  /** The worker of a lane died; its connections are gone. */
  lost(lane: number): void;
}

type Shared = Extract<
  LaneCommand,
  { kind: 'trust' | 'limit' | 'serve' | 'withdraw' | 'revoke' | 'openDownload' | 'closeDownload' }
>;

export class LaneFleet {
  readonly #pool: WorkerPool;
  readonly #options: FleetOptions;
  readonly #listener: FleetListener;
  readonly #counters: SharedArrayBuffer;
  readonly #lanes: (RunningLane | null)[];
  readonly #memory = new Map<string, Shared>();
  readonly #revocations: Shared[] = [];
  readonly #calls = new Map<number, { lanes: Set<number>; resolve: () => void }>();
  #lastCall = 0;
  #sharesPort = true;
  #port = 0;
  #replaced = 0;
  #isClosing = false;

  private constructor(pool: WorkerPool, options: FleetOptions, listener: FleetListener) {
    this.#pool = pool;
    this.#options = options;
    this.#listener = listener;
    this.#counters = newCounters(options.workers);
    this.#lanes = Array.from({ length: options.workers }, () => null);
  }

  /** Starts all lanes; the first one finds the port. Throws TransferFailure listen_failed. */
  static async open(pool: WorkerPool, options: FleetOptions, listener: FleetListener): Promise<LaneFleet> {
    const fleet = new LaneFleet(pool, options, listener);
    await fleet.#openFirst();
    await Promise.all(fleet.#lanes.slice(1).map((_, position) => fleet.#startLane(position + 1)));
    return fleet;
  }

  get address(): Address {
    return { host: this.#options.listen.host, port: this.#port };
  }

  get laneCount(): number {
    return this.#lanes.length;
  }

  get replacedWorkers(): number {
    return this.#replaced;
  }

  metrics(): WorkerMetrics[] {
    return this.#lanes.map((_, worker) => ({ worker, ...new LaneCounters(this.#counters, worker).read() }));
  }

  /** Connections that were refused in all lanes, by reason. */
  refusals(): [refusal: PeerRefusal, count: number][] {
    const counts = new Map<PeerRefusal, number>();
    for (const lane of this.#lanes.keys()) {
      for (const [refusal, count] of new LaneCounters(this.#counters, lane).refusals()) {
        counts.set(refusal, (counts.get(refusal) ?? 0) + count);
      }
    }
    return [...counts];
  }

  isRunning(lane: number): boolean {
    return (this.#lanes[lane] ?? null) !== null;
  }

  /** Tells one lane. A lane that is being replaced has lost what the command is about. */
  say(lane: number, command: LaneCommand): void {
    this.#lanes[lane]?.tell(command);
  }

  /** Tells all lanes, and those that replace them later. */
  announce(command: Shared): void {
    this.#remember(command);
    for (let lane = 0; lane < this.#lanes.length; lane++) this.say(lane, command);
  }

  /** Resolves when every lane has done what it was told before. */
  settled(): Promise<void> {
    const call = ++this.#lastCall;
    const lanes = new Set([...this.#lanes.keys()].filter((lane) => this.isRunning(lane)));
    if (lanes.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#calls.set(call, { lanes, resolve });
      for (const lane of lanes) this.say(lane, { kind: 'mark', call });
    });
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    const running = this.#lanes.filter((lane) => lane !== null);
    for (const lane of running) lane.tell({ kind: 'stop' });
    await Promise.all(running.map((lane) => lane.ended));
  }

  async #openFirst(): Promise<void> {
    try {
      await this.#startLane(0);
    } catch (error) {
      const canShare = !(error instanceof TransferFailure && /ENOTSUP|EINVAL/.test(error.message));
      if (canShare) throw error;
      // This platform cannot share a port between threads: one worker listens.
      this.#sharesPort = false;
      await this.#startLane(0);
    }
  }

  #startLane(lane: number): Promise<void> {
    const { identity, plain, listen, dialsLoopback = isLoopback(listen.host) } = this.#options;
    const start: LaneStart = {
      lane,
      laneCount: this.#lanes.length,
      peerId: identity.id,
      keyPem: identity.keyPem,
      certificatePem: identity.certificatePem,
      publicKeyDer: identity.publicKeyDer,
      plain,
      dialsLoopback,
      listen: this.#listenOf(lane, listen),
      counters: this.#counters,
    };
    const running = this.#pool.startLane(start);
    this.#lanes[lane] = running;
    for (const command of [...this.#memory.values(), ...this.#revocations]) running.tell(command);
    return new Promise((resolve, reject) => {
      running.listen((event) => {
        if (event.kind === 'started') {
          this.#port = event.port ?? this.#port;
          resolve();
        } else if (event.kind === 'listenFailed') {
          const problem = event.code === 'EADDRINUSE' ? 'another process uses it' : event.detail;
          const text = `cannot listen for peers on ${listen.host}:${listen.port}: ${problem}; give another address`;
          reject(new TransferFailure('listen_failed', text));
        } else if (event.kind === 'reached') this.#reached(lane, event.call);
        else this.#listener.event(lane, event);
      });
      void running.ended.then((error) => {
        reject(new TransferFailure('worker_died', 'a worker ended before it started', { cause: error }));
        this.#laneEnded(lane);
      });
    });
  }

  #listenOf(lane: number, listen: Address): LaneStart['listen'] {
    if (lane > 0 && !this.#sharesPort) return null;
    const isKnown = this.#port !== 0;
    return {
      host: listen.host,
      port: isKnown ? this.#port : listen.port,
      shared: this.#sharesPort,
      // Sharing would also let a second process in on the same port; the first lane makes sure that there is none.
      probe: this.#sharesPort && !isKnown && listen.port !== 0,
    };
  }

  #laneEnded(lane: number): void {
    this.#lanes[lane] = null;
    for (const call of this.#calls.keys()) this.#reached(lane, call);
    if (this.#isClosing) return;
    this.#replaced++;
    this.#listener.lost(lane);
    setTimeout(() => {
      // A lane that cannot listen again still downloads, and the others still listen.
      if (!this.#isClosing) this.#startLane(lane).catch(() => undefined);
    }, RESTART_DELAY_MS);
  }

  #reached(lane: number, call: number): void {
    const waiting = this.#calls.get(call);
    waiting?.lanes.delete(lane);
    if (waiting?.lanes.size !== 0) return;
    this.#calls.delete(call);
    waiting.resolve();
  }

  #remember(command: Shared): void {
    switch (command.kind) {
      case 'trust':
      case 'limit':
        this.#memory.set(command.kind, command);
        return;
      case 'serve':
        this.#memory.set(shareKey(command.content.share), command);
        return;
      case 'withdraw':
        this.#memory.delete(shareKey(command.share));
        return;
      case 'openDownload':
        this.#memory.set(`download ${command.content.download}`, command);
        return;
      case 'closeDownload':
        this.#memory.delete(`download ${command.download}`);
        return;
      case 'revoke':
        this.#revocations.push(command);
        if (this.#revocations.length > REVOCATIONS_MAX) this.#revocations.shift();
    }
  }
}

function shareKey({ groupId, shareId }: { readonly groupId: number; readonly shareId: number }): string {
  return `share ${groupId}/${shareId}`;
}
