// Owns a peer of a simulation: the product's failover link with its standing connections, its memory and its trust, on a
// simulated disk, over a simulated network. What a person does with it is drawn elsewhere.
import type { Identity } from '#identity/identity';
import type { TrackerEntry } from '#wire/tracker-info';
import { FailoverLink } from '../../apps/peer/src/tracker-link/failover-link.ts';
import { LinkMemory } from '../../apps/peer/src/tracker-link/link-memory.ts';
import type { OpenChannel } from '../../apps/peer/src/tracker-link/tracker-client.ts';
import { TrackerTrust } from '../../apps/peer/src/tracker-link/tracker-trust.ts';
import type { SimulatedNetwork } from './simulated-network.ts';
import { SimulatedProcess } from './simulated-world.ts';

export interface PeerOptions {
  readonly name: string;
  readonly identity: Identity;
  /** Where its connections come from, and where others reach it. */
  readonly address: string;
  readonly trackers: readonly TrackerEntry[];
  readonly network: SimulatedNetwork;
  /** What its link opens connections with, given what the network has; planted by the tests of the tests. */
  readonly plant?: ((open: OpenChannel, process: SimulatedProcess) => OpenChannel) | undefined;
  /** Runs in the peer's process as soon as its link is there. */
  started(peer: SimulatedPeer): void;
}

export class SimulatedPeer {
  readonly options: PeerOptions;
  /** Highest offset that this run of the peer was told in an answer, -1 before the first. */
  seenOffset = -1;
  #process: SimulatedProcess;
  #starts = 0;
  #isUp = false;
  #link: FailoverLink | null = null;

  constructor(options: PeerOptions) {
    this.options = options;
    this.#process = new SimulatedProcess(options.network.world, options.name);
  }

  get id(): string {
    return this.options.identity.id;
  }

  /** Whether its process runs, though its link may not be there yet. */
  get isUp(): boolean {
    return this.#isUp;
  }

  get process(): SimulatedProcess {
    return this.#process;
  }

  get isLinked(): boolean {
    return this.#link !== null;
  }

  get link(): FailoverLink {
    if (this.#link === null) throw new Error(`${this.options.name} has not started`);
    return this.#link;
  }

  start(): void {
    const { network, name } = this.options;
    this.#starts += 1;
    this.#isUp = true;
    this.#process = new SimulatedProcess(network.world, `${name}#${this.#starts}`);
    network.world.trace(`${this.#process.name} starts`);
    network.world.at(this.#process, 0, () => void this.#begin(this.#process));
  }

  /** Ends it as a kill does: what it had not yet written is lost. */
  kill(): void {
    this.options.network.world.trace(`${this.#process.name} is killed`);
    this.#process.kill();
    this.#isUp = false;
    this.#link = null;
    this.seenOffset = -1;
    this.options.network.leave(this.id);
  }

  async #begin(process: SimulatedProcess): Promise<void> {
    const { identity, trackers, network, address, name } = this.options;
    const path = `/${name}`;
    const open = network.openerFor({ process, peerId: identity.id, address });
    this.#link = new FailoverLink({
      identity,
      trackers,
      trust: await TrackerTrust.open(trackers, `${path}/known-trackers.json`, this.#reports()),
      memory: await LinkMemory.open(`${path}/link.json`, this.#reports()),
      addresses: [`${address}:9000`],
      transport: 'tls',
      random: Math.random,
      openChannel: this.options.plant?.(open, process) ?? open,
    });
    this.#link.start();
    this.options.started(this);
  }

  #reports() {
    const { world } = this.options.network;
    return {
      writeFailed: (path: string, error: Error) => world.fail(`${path} was not written: ${error.message}`),
      damaged: (path: string) => world.fail(`${path} is damaged`),
    };
  }
}
