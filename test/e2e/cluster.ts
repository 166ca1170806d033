// Owns whole systems for tests: trackers and peers as processes of their own, started through the launcher, driven through
// the peers' HTTP endpoints alone. Everything lives in one temporary folder and ends with the test.
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TransferView } from '#wire/control-api';
import { type Broker, kafkaSkipReason, startBroker } from '../../infra/kafka/broker.mjs';
import { type ControlApi, expectOk, type HttpAnswer, type ProblemBody } from '../../infra/quick-start/control-api.ts';
import { type LocalPeer, type LocalPeerOptions, LocalSystem } from '../../infra/quick-start/local-system.ts';
import { until } from '../../infra/quick-start/until.ts';

export { expectOk, until };

/** The logs that a system can stand on, with why one is left out here (null: it is not). */
export const LOGS = [
  { log: 'sqlite', skipReason: null },
  { log: 'kafka', skipReason: reasonToSkipKafka() },
] as const;

export type LogKind = (typeof LOGS)[number]['log'];

/** Where Kafka is demanded its absence is a failure of the tests that need it, not a reason to leave them out. */
function reasonToSkipKafka(): string | null {
  const reason = process.env['COHORT_REQUIRE_KAFKA'] === '1' ? null : kafkaSkipReason();
  if (reason !== null) process.stderr.write(`left out, whole systems on Kafka: ${reason}\n`);
  return reason;
}

export const PASSWORD = 'correct horse battery';

export interface ClusterOptions {
  readonly log?: LogKind;
  readonly trackerCount?: number;
  /** A log that is there, as `--log` takes it, in place of one of the cluster's own. */
  readonly logUrl?: string;
  /** Address of trackers and peers; 127.0.0.1 by default. */
  readonly host?: string;
  /** What trackers and peers find in their environment. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** A system whose trackers run. */
export class Cluster {
  readonly system: LocalSystem;
  readonly folder: string;
  /** The log's address, as `--log` takes it. */
  readonly logUrl: string;
  /** Topic and brokers where the log is Kafka. */
  readonly kafka: { readonly brokers: string; readonly topic: string } | null;
  readonly #broker: Broker | null;

  private constructor(system: LocalSystem, logUrl: string, kafka: { broker: Broker; topic: string } | null) {
    this.system = system;
    this.folder = system.folder;
    this.logUrl = logUrl;
    this.kafka = kafka && { brokers: kafka.broker.brokers, topic: kafka.topic };
    this.#broker = kafka?.broker ?? null;
  }

  static async start({
    log = 'sqlite',
    trackerCount = 2,
    host,
    environment = {},
    ...given
  }: ClusterOptions = {}): Promise<Cluster> {
    const folder = await mkdtemp(join(tmpdir(), 'cohort-e2e-'));
    const kafka = log === 'kafka' ? { broker: await startBroker(), topic: `cohort-${randomUUID()}` } : null;
    const ownLogUrl = kafka ? `kafka:${kafka.broker.brokers}/${kafka.topic}` : `sqlite:${join(folder, 'log.sqlite')}`;
    const logUrl = given.logUrl ?? ownLogUrl;
    const system = await LocalSystem.prepare({
      ...{ folder, trackerCount, logUrl, environment },
      ...(host !== undefined && { host }),
    });
    const cluster = new Cluster(system, logUrl, kafka);
    try {
      await system.startTrackers();
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  /** Ends every process and removes the folder. Throws when a process has ended before without being asked to. */
  async stop(): Promise<void> {
    const { crashes } = this.system;
    await this.system.stop();
    await this.#broker?.stop();
    await rm(this.folder, { recursive: true, force: true });
    if (crashes !== '') throw new Error(crashes);
  }

  /** A peer with nobody logged in. */
  async peer(name: string, options?: LocalPeerOptions): Promise<TestPeer> {
    return new TestPeer(this.system, await this.system.startPeer(name, options), options);
  }

  /** A user of that name, logged in on a peer of that name. */
  async user(name: string, options?: LocalPeerOptions): Promise<TestPeer> {
    const peer = await this.peer(name, options);
    await peer.signUp(name);
    return peer;
  }

  /** Users of those names, each on a peer of its own, that begin at once. */
  async users<const Names extends readonly string[]>(...names: Names): Promise<{ [Each in keyof Names]: TestPeer }> {
    return (await Promise.all(names.map((name) => this.user(name)))) as { [Each in keyof Names]: TestPeer };
  }

  /** A group owned by the first, with the others as members. */
  async group(group: string, owner: TestPeer, ...members: readonly TestPeer[]): Promise<void> {
    await owner.accepted('create_group', { group });
    for (const member of members) {
      await member.accepted('join_group', { group });
      await owner.accepted('accept_request', { group, user: member.name });
    }
  }

  path(...parts: readonly string[]): string {
    return join(this.folder, ...parts);
  }

  /** A file with random content in the cluster's folder; returns its path. */
  async file(name: string, totalBytes: number): Promise<string> {
    const path = this.path(name);
    await writeFile(path, randomBytes(totalBytes));
    return path;
  }
}

/** What an accepted command answers. */
export interface Accepted {
  readonly commandId: string;
  readonly offset: number;
  readonly result: { readonly transferId?: string; readonly share?: { readonly contentId: string } };
}

/** A peer of the cluster with the user whose name it bears. */
export class TestPeer {
  readonly name: string;
  readonly #system: LocalSystem;
  readonly #options: LocalPeerOptions | undefined;
  #peer: LocalPeer;

  constructor(system: LocalSystem, peer: LocalPeer, options: LocalPeerOptions | undefined) {
    this.#system = system;
    this.#peer = peer;
    this.#options = options;
    this.name = peer.name;
  }

  get control(): ControlApi {
    return this.#peer.control;
  }

  get dataDirectory(): string {
    return this.#peer.dataDirectory;
  }

  get process(): LocalPeer['process'] {
    return this.#peer.process;
  }

  /** Starts it again on its own folder after it has ended. */
  async restart(): Promise<void> {
    this.#peer = await this.#system.startPeer(this.name, this.#options);
  }

  async signUp(user: string): Promise<void> {
    await this.accepted('create_user', { user, password: PASSWORD });
    await this.accepted('login', { user, password: PASSWORD });
  }

  /** Sends a command that has to be accepted. */
  accepted(name: string, body: object = {}, key?: string): Promise<Accepted> {
    return expectOk(`${name} by ${this.name}`, this.control.command<Accepted>(name, body, key));
  }

  /** Sends a command and says what came of it in two words: `200 accepted`, `403 not_a_member`. */
  async outcome(name: string, body: object = {}, key?: string): Promise<string> {
    return outcomeOf(await this.control.command(name, body, key));
  }

  /** Reads a view that has to be there. */
  view<View>(path: string): Promise<View> {
    return expectOk(`GET ${path} by ${this.name}`, this.control.get<View>(path));
  }

  /** Items of a list view. */
  async list<Item>(path: string): Promise<readonly Item[]> {
    return (await this.view<{ items: Item[] }>(path)).items;
  }

  /** Shares a file and waits until it is served. */
  async upload(group: string, path: string, more: object = {}): Promise<TransferView> {
    const { result } = await this.accepted('upload_file', { group, path, wait: true, ...more });
    return this.transfer(result.transferId!);
  }

  /** Downloads into a folder, waits until it is complete, and returns the transfer. */
  async download(group: string, file: string, destination: string): Promise<TransferView> {
    const { result } = await this.accepted('download_file', { group, file, destination, wait: true });
    return this.transfer(result.transferId!);
  }

  /** Begins a download and returns the id of its transfer. */
  async begin(group: string, file: string, destination: string, more: object = {}): Promise<string> {
    return (await this.accepted('download_file', { group, file, destination, ...more })).result.transferId!;
  }

  transfer(transferId: string): Promise<TransferView> {
    return this.view(`/transfers/${transferId}`);
  }

  /** Waits until a transfer is as wanted. */
  async untilTransfer(
    transferId: string,
    what: string,
    isWanted: (transfer: TransferView) => boolean,
    timeoutMs?: number,
  ): Promise<TransferView> {
    let transfer: TransferView | undefined;
    const look = async (): Promise<boolean> => isWanted((transfer = await this.transfer(transferId)));
    try {
      await until(`the transfer of ${this.name} is ${what}`, look, timeoutMs);
    } catch (error) {
      throw new Error(`the last that was seen: ${JSON.stringify(transfer)}`, { cause: error });
    }
    return transfer!;
  }
}

/** An answer in two words: its status, and the code of a refusal or `accepted`. */
export function outcomeOf({ status, body }: HttpAnswer<unknown>): string {
  return `${status} ${(body as ProblemBody | null)?.code ?? (status < 300 ? 'accepted' : 'without a code')}`;
}

/** SHA-1 of a file, as `sha1sum` prints it. */
export async function sha1Of(path: string): Promise<string> {
  return createHash('sha1')
    .update(await readFile(path))
    .digest('hex');
}
