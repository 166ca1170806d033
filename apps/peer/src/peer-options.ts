// Owns what a peer is told when it starts: its address, the trackers, its settings, and what follows from them. What is wrong
// is said in one sentence that names the fix.
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { DIALLED_PORT_MIN } from '#identity/dialled-addresses';
import { BadInput, dataDirectoryFor, hostPortOf, readTrackers } from '#identity/start-input';
import { logSettingsOf } from '#program/program-settings';
import type { LogSettings } from '#program/open-process-log';
import type { PeerFlags } from '#program/peer-settings';
import type { LimitsBody } from '#wire/control-limits';
import type { HostPort } from '#wire/host-port';
import type { TrackerEntry } from '#wire/tracker-info';

export interface PeerOptions {
  readonly dataDirectory: string;
  /** The tracker_info.txt, absolute. */
  readonly trackerInfo: string;
  readonly trackers: readonly TrackerEntry[];
  /** Where this peer accepts other peers; port 0 takes a free one. */
  readonly listen: HostPort;
  /** Where others are told to reach it; port 0 stands for the port that it listens on. */
  readonly advertise: HostPort;
  readonly control: HostPort;
  readonly allowedHosts: readonly string[];
  readonly controlTokenFile: string;
  readonly workers: number;
  readonly plain: boolean;
  /** Limits that were given; the others are as they were when the peer ran last. */
  readonly limits: Partial<LimitsBody>;
  /** How fast what is seeded is read in search of damage; null is not at all. */
  readonly scrubBytesPerSecond: number | null;
  readonly logging: LogSettings;
  /** Where copies are kept that groups want, and how many bytes; null for none. */
  readonly keeping: { readonly folder: string; readonly limitBytes: number } | null;
}

const CONTROL_DEFAULT: HostPort = { host: '127.0.0.1', port: 7070 };
/** More workers than this are no faster for one peer. */
const WORKERS_DEFAULT_MAX = 8;
/** Some thousandths of what a disk reads: 44 GB a day. */
const SCRUB_RATE_DEFAULT = 512 * 1024;
const WILDCARDS: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

/** Works out the options of a peer. Throws BadInput. */
export async function readPeerOptions(address: string, file: string, flags: PeerFlags): Promise<PeerOptions> {
  const own = hostPortOf('<ip>:<port>', address);
  const { listen = own, advertise = own, control = CONTROL_DEFAULT, allowHost = [], plain = false } = flags;
  refuseUnreachable(advertise);
  const dataDirectory = dataDirectoryFor('peer', flags.dataDir);
  const trackerInfo = resolve(file);
  return {
    dataDirectory,
    trackerInfo,
    trackers: await readTrackers(trackerInfo),
    ...{ listen, advertise, control, plain },
    allowedHosts: allowHost,
    controlTokenFile: flags.controlTokenFile ?? join(dataDirectory, 'control-token'),
    workers: flags.workers ?? Math.min(availableParallelism(), WORKERS_DEFAULT_MAX),
    limits: limitsOf(flags),
    scrubBytesPerSecond: flags.scrubRate === undefined ? SCRUB_RATE_DEFAULT : flags.scrubRate,
    keeping: keepingOf(flags),
    logging: logSettingsOf(flags),
  };
}

/** What no other peer ever dials; port 0 stands for a free one, which is never so low. */
function refuseUnreachable({ host, port }: HostPort): void {
  if (WILDCARDS.has(host)) {
    throw new BadInput(`${host} is no address that others can reach: give one with --advertise <host:port>`);
  }
  if (port === 0 || port >= DIALLED_PORT_MIN) return;
  throw new BadInput(
    `no peer dials port ${port}: give one from ${DIALLED_PORT_MIN} on, here or with --advertise <host:port>`,
  );
}

function limitsOf({ uploadLimit, downloadLimit, activeTransfers }: PeerFlags): Partial<LimitsBody> {
  return {
    ...(uploadLimit !== undefined && { uploadBytesPerSecond: uploadLimit }),
    ...(downloadLimit !== undefined && { downloadBytesPerSecond: downloadLimit }),
    ...(activeTransfers !== undefined && { activeTransfers }),
  };
}

/** Nobody's disk is filled without a word on how far. */
function keepingOf({ keepCopies: folder, keepCopiesLimit: limitBytes }: PeerFlags): PeerOptions['keeping'] {
  if (folder === undefined && limitBytes === undefined) return null;
  if (folder === undefined) throw new BadInput('--keep-copies-limit needs --keep-copies <folder>: where to keep them');
  if (limitBytes === undefined) throw new BadInput('--keep-copies needs --keep-copies-limit <bytes>, like 50GB');
  return { folder, limitBytes };
}
