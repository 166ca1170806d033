// Owns the connections between peers and trackers in a simulation: what the peer's standing connection uses in place of TLS.
// A message comes late, twice or not at all; a connection is reset, or falls silent when the two are parted, and then
// neither side hears of it until it tries. What the tracker pushes keeps its order, as on any connection.
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { Observable, type Subscriber } from 'rxjs';
import type { Push } from '#wire/tracker-api';
import {
  type OpenChannel,
  type TrackerChannel,
  type TrackerClientOptions,
  TrackerGone,
} from '../../apps/peer/src/tracker-link/tracker-client.ts';
import { jsonCopy } from './json-copy.ts';
import type { SimulatedProcess, SimulatedWorld } from './simulated-world.ts';

/** What listens at an address. */
export interface Listener {
  readonly process: SimulatedProcess;
  readonly trackerId: string;
  answer(request: IncomingRequest): Promise<object>;
  pushes(caller: IncomingRequest['caller'], socket: Socket): Observable<Push>;
}

/** A request as it comes to a tracker. */
export interface IncomingRequest {
  readonly pattern: string;
  readonly payload: object;
  readonly caller: { readonly peerId: string; readonly address: string };
}

/** How often messages come to grief, and how long they take. */
export interface NetworkTroubles {
  readonly lostChance: number;
  readonly repeatedChance: number;
  readonly slowChance: number;
  readonly resetChance: number;
  readonly wayMsMax: number;
}

/** As long as the real client waits for a connection with its handshake. */
const CONNECT_TIMEOUT_MS = 700;
const SLOW_MS_MAX = 4_000;

/** Who is at the peer's end. */
interface PeerEnd {
  readonly process: SimulatedProcess;
  readonly peerId: string;
  readonly address: string;
}

/** The tracker's end of a connection, as far as the push hub uses it. */
class SimulatedSocket extends EventEmitter {
  readonly writableLength = 0;
  readonly #end: () => void;

  constructor(end: () => void) {
    super();
    this.setMaxListeners(0);
    this.#end = end;
  }

  destroy(): void {
    this.#end();
  }
}

export class SimulatedNetwork {
  readonly world: SimulatedWorld;
  troubles: NetworkTroubles;
  /** By `host:port`. */
  readonly #listeners = new Map<string, Listener>();
  readonly #channels = new Set<SimulatedChannel>();
  /** `peer id` and `host:port` of those who cannot reach each other. */
  readonly #parted = new Set<string>();

  constructor(world: SimulatedWorld, troubles: NetworkTroubles) {
    this.world = world;
    this.troubles = troubles;
  }

  listen(address: string, listener: Listener): void {
    this.#listeners.set(address, listener);
  }

  /** Nobody listens there any more. A process that is killed tells its peers; a machine without power does not. */
  vanish(address: string, { isTold }: { isTold: boolean }): void {
    const gone = this.#listeners.get(address);
    this.#listeners.delete(address);
    for (const channel of this.#channels) if (channel.listener === gone) channel.breakOff({ isTold });
  }

  listenerAt(address: string): Listener | undefined {
    return this.#listeners.get(address);
  }

  part(peerId: string, address: string): void {
    this.#parted.add(`${peerId} ${address}`);
    for (const channel of this.#channels) {
      if (channel.peerId === peerId && channel.address === address) channel.breakOff({ isTold: false });
    }
  }

  areParted(peerId: string, address: string): boolean {
    return this.#parted.has(`${peerId} ${address}`);
  }

  healAll(): void {
    this.#parted.clear();
  }

  /** A peer was killed: its machine closes its connections. */
  leave(peerId: string): void {
    for (const channel of this.#channels) {
      if (channel.peerId !== peerId) continue;
      channel.breakOff({ isTold: false });
      this.forget(channel);
    }
  }

  /** Resets a connection that stands, if there is one. */
  resetOne(): void {
    const channels = [...this.#channels];
    if (channels.length > 0) this.world.draws.pick(channels).breakOff({ isTold: true });
  }

  /** How a peer's link opens connections. */
  openerFor(peer: PeerEnd): OpenChannel {
    return (options) => {
      const channel = new SimulatedChannel(this, peer, options);
      this.#channels.add(channel);
      return channel as unknown as TrackerChannel;
    };
  }

  forget(channel: SimulatedChannel): void {
    this.#channels.delete(channel);
  }

  /** How long a message takes; null when it does not come. */
  wayMs(): number | null {
    const { draws } = this.world;
    const { lostChance, slowChance, wayMsMax } = this.troubles;
    if (draws.chance(lostChance)) return null;
    return draws.chance(slowChance) ? draws.between(0, SLOW_MS_MAX) : draws.between(0.1, wayMsMax);
  }
}

class SimulatedChannel implements Pick<TrackerChannel, 'connect' | 'over' | 'call' | 'stream' | 'destroy'> {
  readonly address: string;
  listener: Listener | null = null;
  readonly #network: SimulatedNetwork;
  readonly #peer: PeerEnd;
  readonly #options: TrackerClientOptions;
  readonly #over = Promise.withResolvers<void>();
  readonly #waiting = new Set<(gone: TrackerGone) => void>();
  readonly #socket = new SimulatedSocket(() => this.breakOff({ isTold: true }));
  #streams: Subscriber<Push>[] = [];
  #isOver = false;
  #isBroken = false;
  #lastPushAtMs = 0;
  /** What was pushed last, with when that was. */
  #told: { readonly atMs: number; readonly pushes: Push[] } = { atMs: -1, pushes: [] };

  constructor(network: SimulatedNetwork, peer: PeerEnd, options: TrackerClientOptions) {
    this.#network = network;
    this.#peer = peer;
    this.#options = options;
    this.address = `${options.address.host}:${options.address.port}`;
  }

  get peerId(): string {
    return this.#peer.peerId;
  }

  get over(): Promise<void> {
    return this.#over.promise;
  }

  async connect(): Promise<void> {
    const { world } = this.#network;
    const listener = this.#network.listenerAt(this.address);
    const isReachable = !this.#network.areParted(this.peerId, this.address);
    const isAnswering = listener?.process.isRunning === true && isReachable;
    // A port where nobody listens says so at once; a machine that is away, or stands still, says nothing.
    const delayMs =
      isAnswering || (listener === undefined && isReachable) ? world.draws.between(0.5, 20) : CONNECT_TIMEOUT_MS;
    await new Promise<void>((resolve) => world.at(this.#peer.process, delayMs, resolve));
    const isThere = isAnswering && this.#network.listenerAt(this.address) === listener;
    if (!isThere || this.#isOver) throw new Error('there is no connection');
    this.listener = listener;
    if (!this.#options.admits(listener.trackerId)) throw new Error('the tracker shows another key');
  }

  async call<Reply>(pattern: string, payload: object, timeoutMs: number): Promise<Reply> {
    if (this.#isOver) throw new TrackerGone('the connection is closed', { mayHaveArrived: false });
    const { promise, resolve, reject } = Promise.withResolvers<object>();
    const { world } = this.#network;
    const lost = (): void => reject(new TrackerGone(`no answer to ${pattern}`, { mayHaveArrived: true }));
    this.#waiting.add(lost);
    const timer = world.at(this.#peer.process, timeoutMs, lost);
    this.#send(pattern, payload, resolve);
    try {
      return (await promise) as Reply;
    } finally {
      world.takeBack(timer);
      this.#waiting.delete(lost);
    }
  }

  stream<Item>(_pattern: string, _payload: object): Observable<Item> {
    return new Observable<Push>((subscriber) => {
      if (this.#isOver || this.listener === null) return subscriber.error(new Error('the connection is closed'));
      this.#streams.push(subscriber);
      const { listener } = this;
      this.#network.world.at(listener.process, 1, () => {
        if (this.#isBroken) return;
        const caller = { peerId: this.peerId, address: this.#peer.address };
        listener.pushes(caller, this.#socket as unknown as Socket).subscribe({ next: (push) => this.#push(push) });
      });
    }) as Observable<unknown> as Observable<Item>;
  }

  destroy(): void {
    if (this.#isOver) return;
    this.#end();
    this.breakOff({ isTold: true });
  }

  /** From now on nothing passes. Whoever is told closes its end; the other end finds out by itself. */
  breakOff({ isTold }: { isTold: boolean }): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    const { world } = this.#network;
    if (this.listener !== null) world.at(this.listener.process, 1, () => this.#socket.emit('close'));
    if (isTold) world.at(this.#peer.process, world.draws.between(0, 5), () => this.#end());
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#network.forget(this);
    for (const lost of this.#waiting) lost(new TrackerGone('the connection ended', { mayHaveArrived: true }));
    const streams = this.#streams;
    this.#streams = [];
    for (const subscriber of streams) subscriber.error(new Error('the connection ended'));
    this.#over.resolve();
  }

  #send(pattern: string, payload: object, answered: (reply: object) => void): void {
    const { world, troubles } = this.#network;
    if (world.draws.chance(troubles.resetChance)) this.breakOff({ isTold: true });
    const copies = world.draws.chance(troubles.repeatedChance) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const wayMs = this.#network.wayMs();
      if (wayMs === null || this.listener === null) continue;
      const { listener } = this;
      const sent = jsonCopy(payload);
      world.at(listener.process, wayMs, () => {
        if (!this.#isBroken) void this.#serve(listener, { pattern, payload: sent }, answered);
      });
    }
  }

  async #serve(
    listener: Listener,
    { pattern, payload }: Pick<IncomingRequest, 'pattern' | 'payload'>,
    answered: (reply: object) => void,
  ): Promise<void> {
    const { world } = this.#network;
    const caller = { peerId: this.peerId, address: this.#peer.address };
    const reply = jsonCopy(await listener.answer({ pattern, payload, caller }));
    const wayMs = this.#network.wayMs();
    if (wayMs === null) return;
    world.at(this.#peer.process, wayMs, () => {
      if (!this.#isBroken && !this.#isOver) answered(reply);
    });
  }

  /** What is told in one moment comes together. */
  #push(push: Push): void {
    const { world, troubles } = this.#network;
    if (this.#told.atMs === world.elapsedMs) {
      this.#told.pushes.push(jsonCopy(push));
      return;
    }
    const pushes = [jsonCopy(push)];
    this.#told = { atMs: world.elapsedMs, pushes };
    const atMs = Math.max(this.#lastPushAtMs, world.elapsedMs + world.draws.between(0.1, troubles.wayMsMax));
    this.#lastPushAtMs = atMs;
    world.at(this.#peer.process, atMs - world.elapsedMs, () => this.#pushed(pushes));
  }

  #pushed(pushes: readonly Push[]): void {
    for (const push of pushes) {
      if (this.#isBroken) return;
      for (const subscriber of this.#streams) subscriber.next(push);
    }
  }
}
