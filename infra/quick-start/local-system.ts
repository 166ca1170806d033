// Owns a whole system on this machine in one folder: tracker_info.txt with fingerprints, trackers on one log, peers with
// their data directories. What it starts it ends: peers first, so that they can say goodbye to trackers.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ControlApi } from './control-api.ts';
import { NodeProcess, type NodeProcessOptions, runCohort, StartFailed } from './node-process.ts';
import { freePorts } from './ports.mjs';

export interface LocalSystemOptions {
  readonly folder: string;
  readonly trackerCount: number;
  /** Address that trackers and peers listen on; IPv6 without brackets. */
  readonly host?: string;
  /** Ports that trackers get when they are free. */
  readonly trackerPorts?: readonly number[];
  /** As `--log` takes it; the file beside tracker_info.txt by default. */
  readonly logUrl?: string;
  /** How long a process may take to be ready; a minute by default. */
  readonly readyTimeoutMs?: number;
  /** What every tracker and peer finds in its environment, beside that of this process without its COHORT_ variables. */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface LocalPeerOptions {
  /** Listens on this `host:port`; a free port by default. */
  readonly address?: string;
  readonly control?: string;
  /** tracker_info.txt of its own. */
  readonly trackerInfo?: string;
  /** More flags, as they are typed. */
  readonly flags?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** A tracker that runs. */
export interface LocalTracker {
  /** As `cohort tracker` counts them. */
  readonly ordinal: number;
  readonly process: NodeProcess;
  readonly dataDirectory: string;
  /** `host:port` for peers. */
  readonly address: string;
  /** Base URL of its own HTTP port. */
  readonly http: string;
}

/** A peer that runs. */
export interface LocalPeer {
  readonly name: string;
  readonly process: NodeProcess;
  readonly dataDirectory: string;
  readonly control: ControlApi;
}

/** Where each tracker of a tracker_info.txt is, and the line that pins it. */
interface TrackerPlace {
  readonly ordinal: number;
  readonly dataDirectory: string;
  readonly address: string;
  readonly line: string;
  /** The tracker_info.txt that it was given. */
  readonly trackerInfo: string;
}

/** A folder with trackers and peers. Make one with `LocalSystem.prepare`. */
export class LocalSystem {
  readonly folder: string;
  readonly trackerInfo: string;
  readonly trackers: LocalTracker[] = [];
  readonly peers: LocalPeer[] = [];
  readonly #options: LocalSystemOptions;
  readonly #ports: readonly number[];
  readonly #places: TrackerPlace[] = [];
  readonly #started = new Set<NodeProcess>();
  #logUrl: string | undefined;
  #isStopping = false;

  private constructor(options: LocalSystemOptions, ports: readonly number[]) {
    this.folder = options.folder;
    this.trackerInfo = join(options.folder, 'tracker_info.txt');
    this.#options = options;
    this.#logUrl = options.logUrl;
    this.#ports = ports;
  }

  /** Makes the trackers' keys and tracker_info.txt; starts nothing. */
  static async prepare(options: LocalSystemOptions): Promise<LocalSystem> {
    await mkdir(options.folder, { recursive: true });
    const preferred = Array.from({ length: options.trackerCount }, (_, index) => options.trackerPorts?.[index] ?? 0);
    const system = new LocalSystem(options, await freePorts(options.host ?? '127.0.0.1', preferred));
    await system.pinTrackers();
    return system;
  }

  /** Writes tracker_info.txt with the trackers' fingerprints; a tracker whose folder is gone gets a new key. */
  async pinTrackers(): Promise<void> {
    const { trackerInfo } = this;
    const places = await Promise.all(
      this.#ports.map((port, index) => placeOf(this.#options, { ordinal: index + 1, port, trackerInfo })),
    );
    this.#places.splice(0, this.#places.length, ...places);
    await writeFile(this.trackerInfo, this.#places.map(({ line }) => `${line}\n`).join(''));
  }

  /** From now on trackers are started on another log, as `--log` takes it. */
  moveTo(logUrl: string): void {
    this.#logUrl = logUrl;
  }

  /** Starts all trackers and waits until they are ready. */
  async startTrackers(): Promise<void> {
    for (const tracker of await this.#all(this.#places.map((place) => () => this.#runTracker(place)))) {
      this.trackers[tracker.ordinal - 1] = tracker;
    }
  }

  /** Starts a tracker again that has ended, on its own folder. */
  async restartTracker(ordinal: number): Promise<LocalTracker> {
    const tracker = await this.#runTracker(this.#places[ordinal - 1]!);
    this.trackers[ordinal - 1] = tracker;
    return tracker;
  }

  /** Adds one more tracker to the running system: the others learn of it from the log alone. */
  async addTracker(): Promise<LocalTracker> {
    const [port] = await freePorts(this.#options.host ?? '127.0.0.1', [0]);
    const ordinal = this.#places.length + 1;
    const trackerInfo = join(this.folder, `tracker_info-${ordinal}.txt`);
    const place = await placeOf(this.#options, { ordinal, port: port!, trackerInfo });
    this.#places.push(place);
    await writeFile(trackerInfo, this.#places.map(({ line }) => `${line}\n`).join(''));
    const tracker = await this.#runTracker(place);
    this.trackers[place.ordinal - 1] = tracker;
    return tracker;
  }

  /** A tracker_info.txt that lists only some trackers, for a peer that shall know no others. */
  async trackerInfoOf(...ordinals: readonly number[]): Promise<string> {
    const path = join(this.folder, `tracker_info-only-${ordinals.join('-')}.txt`);
    await writeFile(path, ordinals.map((ordinal) => `${this.#places[ordinal - 1]!.line}\n`).join(''));
    return path;
  }

  /** Starts a peer, or starts it again, on its own folder. */
  async startPeer(name: string, options: LocalPeerOptions = {}): Promise<LocalPeer> {
    const dataDirectory = join(this.folder, name);
    const host = bracketed(this.#options.host ?? '127.0.0.1');
    const { address = `${host}:0`, control = '127.0.0.1:0', trackerInfo = this.trackerInfo } = options;
    const { flags = [], environment = {} } = options;
    const words = ['peer', address, trackerInfo, '--data-dir', dataDirectory, '--control', control, ...flags];
    const process = await this.#run({ name, words, environment });
    const peer = { name, process, dataDirectory, control: await ControlApi.of(dataDirectory) };
    const index = this.peers.findIndex((other) => other.name === name);
    this.peers.splice(index < 0 ? this.peers.length : index, 1, peer);
    return peer;
  }

  /** What the processes printed that ended without being asked to; empty when there are none. */
  get crashes(): string {
    return [...this.#started].flatMap((process) => process.crash ?? []).join('\n');
  }

  /** Ends everything that still runs. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    const trackers = new Set(this.trackers.map((tracker) => tracker?.process));
    await Promise.all([...this.#started].filter((process) => !trackers.has(process)).map((process) => process.stop()));
    await Promise.all([...this.#started].map((process) => process.stop()));
  }

  async #runTracker({ ordinal, dataDirectory, address, trackerInfo }: TrackerPlace): Promise<LocalTracker> {
    const log = this.#logUrl === undefined ? [] : ['--log', this.#logUrl];
    const words = ['tracker', trackerInfo, String(ordinal), '--data-dir', dataDirectory, ...log];
    const process = await this.#run({ name: `tracker ${ordinal}`, words });
    const http = / http (\S+?),? /.exec(`${process.readyLine} `)?.[1];
    return { ordinal, process, dataDirectory, address, http: `http://${http}` };
  }

  async #run(options: Omit<NodeProcessOptions, 'readyTimeoutMs'>): Promise<NodeProcess> {
    if (this.#isStopping) throw new StartFailed(options.name, 'was not started: the system stops', '');
    const { readyTimeoutMs, environment = {} } = this.#options;
    const own = { ...options, environment: { ...environment, ...options.environment } };
    const process = new NodeProcess({ ...own, ...(readyTimeoutMs !== undefined && { readyTimeoutMs }) });
    this.#started.add(process);
    await process.ready();
    return process;
  }

  /** Runs all to their end before it throws, so that nothing starts behind the back of who cleans up. */
  async #all<Result>(tasks: readonly (() => Promise<Result>)[]): Promise<Result[]> {
    const settled = await Promise.allSettled(tasks.map((task) => task()));
    return settled.map((result) => {
      if (result.status === 'rejected') throw result.reason;
      return result.value;
    });
  }
}

async function placeOf(
  { folder, host = '127.0.0.1' }: LocalSystemOptions,
  tracker: { ordinal: number; port: number; trackerInfo: string },
): Promise<TrackerPlace> {
  const { ordinal, port, trackerInfo } = tracker;
  const dataDirectory = join(folder, `tracker-${ordinal}`);
  const fingerprint = (await runCohort(['keys', 'init', '--data-dir', dataDirectory])).trim();
  const address = `${bracketed(host)}:${port}`;
  return { ordinal, dataDirectory, address, line: `${address} ${fingerprint}`, trackerInfo };
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
