// Owns the log's own process where it has one: a Kafka broker that is killed, paused and started again on its port and its data.
import { type Broker, ownBrokerSkipReason, startBroker } from '../../infra/kafka/broker.mjs';
import { freePorts } from '../../infra/quick-start/ports.mjs';

/** What it comes back to. */
interface Place {
  readonly dataDir: string;
  readonly port: number;
}

export class BrokerProcess {
  readonly #place: Place;
  #broker: Broker;

  private constructor(place: Place, broker: Broker) {
    this.#place = place;
    this.#broker = broker;
  }

  /** Throws with what is missing when there is no Kafka to be had here. */
  static async start(dataDir: string): Promise<BrokerProcess> {
    const reason = ownBrokerSkipReason();
    if (reason !== null) throw new Error(reason);
    const [port] = await freePorts('127.0.0.1', [0]);
    const place = { dataDir, port: port! };
    return new BrokerProcess(place, await startBroker(place));
  }

  /** `host:port`. */
  get brokers(): string {
    return this.#broker.brokers;
  }

  get pid(): number {
    return this.#broker.pid!;
  }

  async kill(): Promise<void> {
    await this.#broker.kill();
  }

  async restart(): Promise<void> {
    this.#broker = await startBroker(this.#place);
  }

  async stop(): Promise<void> {
    await this.#broker.stop();
  }
}
