// Owns what a tracker is told when it starts: its line of tracker_info.txt, its settings, and what follows from both. What is
// wrong is said in one sentence that names the fix.
import { dirname, join, resolve } from 'node:path';
import { BadInput, dataDirectoryFor, readTrackers } from '#identity/start-input';
import { logSettingsOf } from '#program/program-settings';
import type { LogSettings } from '#program/open-process-log';
import type { TrackerFlags } from '#program/tracker-settings';
import { formatHostPort, type HostPort } from '#wire/host-port';

/** What follows from the flags and the file. */
export interface TrackerConfiguration {
  readonly trackerInfoPath: string;
  /** Where peers connect. */
  readonly rpc: HostPort;
  /** The same as the log has it. */
  readonly address: string;
  /** The id that tracker_info.txt pins for this tracker (64 hex characters), or null. */
  readonly pinnedId: string | null;
  readonly dataDirectory: string;
  readonly logUrl: string;
  readonly http: HostPort;
  /** How brokers are spoken to, or null. */
  readonly kafkaClientFile: string | null;
  readonly logging: LogSettings;
}

/** A free port, for this machine only. */
const HTTP_DEFAULT: HostPort = { host: '127.0.0.1', port: 0 };

/** Works out the configuration of the `n`-th tracker of the file, counting from 1. Throws BadInput. */
export async function readConfiguration(file: string, n: string, flags: TrackerFlags): Promise<TrackerConfiguration> {
  const trackerInfoPath = resolve(file);
  const trackers = await readTrackers(trackerInfoPath);
  const own = trackers[ordinal(n, trackers.length) - 1]!;
  const rpc = { host: own.host, port: own.port };
  return {
    trackerInfoPath,
    rpc,
    address: formatHostPort(rpc),
    pinnedId: own.trackerId,
    dataDirectory: dataDirectoryFor('tracker', flags.dataDir),
    logUrl: flags.log ?? defaultLogUrl(trackerInfoPath),
    http: flags.http ?? HTTP_DEFAULT,
    kafkaClientFile: flags.kafkaClient ?? null,
    logging: logSettingsOf(flags),
  };
}

/** The embedded log stands beside tracker_info.txt, where every tracker of this machine finds it. */
function defaultLogUrl(trackerInfoPath: string): string {
  return `sqlite:${join(dirname(trackerInfoPath), 'cohort-log.sqlite')}`;
}

function ordinal(n: string, count: number): number {
  const number = /^[0-9]{1,3}$/.test(n) ? Number(n) : 0;
  if (number >= 1 && number <= count) return number;
  throw new BadInput(`"${n}" is none of the ${count} trackers of the file; give a number from 1 to ${count}`);
}
