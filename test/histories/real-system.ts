// Owns a real system for histories and the failover figure: trackers as processes on a real log of their own, and links to them as
// peers have. What it starts it ends.
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileReports } from '#identity/durable-file';
import type { Identity } from '#identity/identity';
import { parseTrackerInfo, type TrackerEntry } from '#wire/tracker-info';
import { FailoverLink } from '../../apps/peer/src/tracker-link/failover-link.ts';
import { LinkMemory } from '../../apps/peer/src/tracker-link/link-memory.ts';
import type { OpenChannel } from '../../apps/peer/src/tracker-link/tracker-client.ts';
import { TrackerTrust } from '../../apps/peer/src/tracker-link/tracker-trust.ts';
import { LocalSystem } from '../../infra/quick-start/local-system.ts';
import { BrokerProcess } from './broker-process.ts';

export type RealLog = 'kafka' | 'sqlite';

/** Trackers that run. */
export interface RealSystem {
  readonly system: LocalSystem;
  readonly entries: readonly TrackerEntry[];
  readonly logUrl: string;
  /** The broker, or the path of the embedded log. */
  readonly log: BrokerProcess | string;
  stop(): Promise<void>;
}

/** Starts trackers on a new log in a folder, which is made. */
export async function startRealSystem(options: {
  readonly log: RealLog;
  readonly folder: string;
  readonly trackerCount: number;
}): Promise<RealSystem> {
  const { folder, trackerCount } = options;
  await mkdir(folder, { recursive: true });
  const broker = options.log === 'kafka' ? await BrokerProcess.start(join(folder, 'kafka')) : null;
  const file = join(folder, 'log.sqlite');
  const logUrl = broker === null ? `sqlite:${file}` : `kafka:${broker.brokers}/cohort-history`;
  const system = await LocalSystem.prepare({ folder, trackerCount, logUrl });
  const stop = async (): Promise<void> => {
    await system.stop();
    await broker?.stop();
  };
  try {
    await system.startTrackers();
    return { system, entries: await entriesOf(system), logUrl, log: broker ?? file, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function entriesOf(system: LocalSystem): Promise<readonly TrackerEntry[]> {
  const parsed = parseTrackerInfo(await readFile(system.trackerInfo, 'utf8'));
  if (!parsed.ok) throw new Error(parsed.errors.map(({ message }) => message).join(' '));
  return parsed.trackers;
}

/** Nobody listens there: nothing is fetched from these peers. */
const ADDRESSES = ['127.0.0.1:9'];

export interface RealLinkOptions {
  /** Where its memory and its trust are. */
  readonly folder: string;
  readonly identity: Identity;
  readonly trackers: readonly TrackerEntry[];
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Over TLS unless told otherwise. */
  readonly openChannel?: OpenChannel;
}

/** A peer's link, which begins to connect. */
export async function startLink({ folder, ...options }: RealLinkOptions): Promise<FailoverLink> {
  const link = new FailoverLink({
    ...options,
    trust: await TrackerTrust.open(options.trackers, join(folder, 'known-trackers.json'), REPORTS),
    memory: await LinkMemory.open(join(folder, 'link.json'), REPORTS),
    addresses: ADDRESSES,
    transport: 'tls',
  });
  link.start();
  return link;
}

const REPORTS: FileReports = {
  writeFailed: (path, error) => {
    throw new Error(`${path} was not written`, { cause: error });
  },
  damaged: (path) => {
    throw new Error(`${path} is damaged`);
  },
};
