// Owns what a tracker is told when it starts: its line of tracker_info.txt, the flags, and what follows from both. What is
// wrong is said in one sentence that names the fix.
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { formatHostPort, type HostPort, parseHostPort } from '#wire/host-port';
import { parseTrackerInfo, type TrackerEntry } from '#wire/tracker-info';

/** Flags as they were given; each has an environment variable. */
export interface TrackerFlags {
  readonly dataDir?: string;
  readonly log?: string;
  readonly http?: string;
}

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
}

/** What was asked for cannot be: the message is for the person who asked. */
export class BadInput extends Error {
  override readonly name = 'BadInput';
}

/** Works out the configuration of the `n`-th tracker of the file, counting from 1. Throws BadInput. */
export async function readConfiguration(file: string, n: string, flags: TrackerFlags): Promise<TrackerConfiguration> {
  const trackerInfoPath = resolve(file);
  const trackers = await readTrackers(trackerInfoPath);
  const own = trackers[ordinal(n, trackers.length) - 1]!;
  const logUrl = flags.log === undefined ? defaultLogUrl(trackerInfoPath) : withAbsolutePath(flags.log);
  const rpc = { host: own.host, port: own.port };
  return {
    trackerInfoPath,
    rpc,
    address: formatHostPort(rpc),
    pinnedId: own.trackerId,
    dataDirectory: dataDirectoryOf(flags),
    logUrl,
    http: httpAddress(flags.http),
  };
}

/** The data directory: the flag's, else `$XDG_DATA_HOME/cohort/tracker`. */
export function dataDirectoryOf({ dataDir }: Pick<TrackerFlags, 'dataDir'>): string {
  if (dataDir !== undefined) return resolve(dataDir);
  const shared = process.env['XDG_DATA_HOME'];
  return join(shared === undefined || shared === '' ? join(homedir(), '.local', 'share') : shared, 'cohort', 'tracker');
}

/** The embedded log stands beside tracker_info.txt, where every tracker of this machine finds it. */
function defaultLogUrl(trackerInfoPath: string): string {
  return `sqlite:${join(dirname(trackerInfoPath), 'cohort-log.sqlite')}`;
}

/** The address is remembered for operators, who may stand in another folder. */
function withAbsolutePath(logUrl: string): string {
  const file = /^sqlite:(.+)$/s.exec(logUrl)?.[1];
  return file === undefined ? logUrl : `sqlite:${resolve(file)}`;
}

async function readTrackers(path: string): Promise<readonly TrackerEntry[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new BadInput(`cannot read ${path}: ${(error as Error).message}; give the path of a tracker_info.txt`);
  }
  const parsed = parseTrackerInfo(text);
  if (parsed.ok) return parsed.trackers;
  const lines = parsed.errors.map(({ line, message }) =>
    line === 0 ? `${path}: ${message}` : `${path}:${line}: ${message}`,
  );
  throw new BadInput(lines.join('\n'));
}

function ordinal(n: string, count: number): number {
  const number = /^[0-9]{1,3}$/.test(n) ? Number(n) : 0;
  if (number >= 1 && number <= count) return number;
  throw new BadInput(`"${n}" is none of the ${count} trackers of the file; give a number from 1 to ${count}`);
}

function httpAddress(text: string | undefined): HostPort {
  if (text === undefined) return { host: '127.0.0.1', port: 0 };
  const parsed = parseHostPort(text);
  if (!parsed.ok) throw new BadInput(`--http: ${parsed.message}`);
  return parsed.address;
}
