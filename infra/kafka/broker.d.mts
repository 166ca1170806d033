// The types of broker.mjs, which is plain JavaScript so that any Node can run it.

/** A broker that runs. */
export interface Broker {
  /** `host:port`, as clients take it; several with commas when `KAFKA_BROKERS` says so. */
  readonly brokers: string;
  /** Null for a broker of `KAFKA_BROKERS`. */
  readonly pid: number | null;
  /** Ends it as its operator would, and removes its data unless `dataDir` was given. */
  stop(): Promise<void>;
  /** Ends it with SIGKILL. */
  kill(): Promise<void>;
}

/** How a broker is started. */
export interface BrokerOptions {
  /** Where its data stays; a temporary folder without it. */
  readonly dataDir?: string;
  /** A free port without it. */
  readonly port?: number;
  /** How clients come in; with neither TLS nor a login without it. */
  readonly door?: BrokerDoor;
  /** Whether it is worth while to make it fast: it runs for long, or its speed is measured. */
  readonly isLasting?: boolean;
}

/** How a broker is spoken to beside plainly. */
export interface BrokerDoor {
  /** As Kafka calls it: `SASL_SSL`. */
  readonly protocol: string;
  /** More of server.properties; a listener's are those of `listener.name.broker`. */
  readonly properties: Readonly<Record<string, string>>;
  /** Logins as `SCRAM-SHA-512=[name=somebody,password=something]`. */
  readonly scram?: readonly string[];
}

/** Several brokers that are one cluster. */
export interface Brokers {
  /** Every `host:port` with commas between, as clients take them. */
  readonly brokers: string;
  readonly members: readonly BrokersMember[];
  /** Ends all of them, and removes their data unless `dataDir` was given. */
  stop(): Promise<void>;
}

/** One broker of several. */
export interface BrokersMember {
  /** As Kafka's metadata names it. */
  readonly id: number;
  /** Starts it again after it has ended, on the same ports and data. */
  start(): Promise<void>;
  stop(): Promise<void>;
  kill(): Promise<void>;
}

/** What is read with the brokers' own program. */
export interface ConsoleConsumerOptions {
  readonly brokers: string;
  readonly topic: string;
  /** Ends after so many records. */
  readonly maxMessages?: number;
  /** Ends when nothing came for so long; 5 s without it. */
  readonly idleMs?: number;
  /** As `{ 'print.headers': 'true' }`. */
  readonly properties?: Readonly<Record<string, string>>;
}

/** Why tests that need a broker are left out, or null. */
export function kafkaSkipReason(): string | null;
/** Why tests that start brokers of their own are left out, or null. */
export function ownBrokerSkipReason(): string | null;
/** Starts one, and resolves when it takes records. */
export function startBroker(options?: BrokerOptions): Promise<Broker>;
/** Starts several that keep every record as often as there are brokers. */
export function startBrokers(options: Omit<BrokerOptions, 'isLasting'> & { readonly count: number }): Promise<Brokers>;
/** Reads a topic with the brokers' own program: one text for each record. */
export function consumeOnConsole(options: ConsoleConsumerOptions): Promise<string[]>;

/** Brings Kafka's jars to this machine, and returns their folder. Does nothing when they are there. */
export function fetchJars(): Promise<string>;
