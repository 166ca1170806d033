// Owns what a peer is told when it starts: its address, the trackers, the flags, and what follows from them. What is wrong
// is said in one sentence that names the fix.
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { DIALLED_PORT_MIN } from '#identity/dialled-addresses';
import { BadInput, dataDirectoryFor, hostPortOf, readTrackers } from '#identity/start-input';
import { type LogFlags, logSettingsOf } from '#program/log-flags';
import type { LogSettings } from '#program/open-process-log';
import type { LimitsBody } from '#wire/control-limits';
import { type HostPort, parseHostPort } from '#wire/host-port';
import { parseByteCount, parseByteRate, parseTransferCount } from '#wire/limit-text';
import type { TrackerEntry } from '#wire/tracker-info';

/** Flags as they were given; each has an environment variable. */
export interface PeerFlags extends LogFlags {
  readonly dataDir?: string;
  readonly control?: string;
  readonly allowHost?: readonly string[];
  readonly controlTokenFile?: string;
  readonly listen?: string;
  readonly advertise?: string;
  readonly workers?: string;
  readonly uploadLimit?: string;
  readonly downloadLimit?: string;
  readonly activeTransfers?: string;
  readonly scrubRate?: string;
  readonly keepCopies?: string;
  readonly keepCopiesLimit?: string;
  readonly plain?: boolean;
}

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
  /** Limits that flags set; the others are as they were when the peer ran last. */
  readonly limits: Partial<LimitsBody>;
  /** How fast what is seeded is read in search of damage; null is not at all. */
  readonly scrubBytesPerSecond: number | null;
  readonly logging: LogSettings;
  /** Where copies are kept that groups want, and how many bytes; null for none. */
  readonly keeping: { readonly folder: string; readonly limitBytes: number } | null;
}

const CONTROL_DEFAULT = '127.0.0.1:7070';
/** More workers than this are no faster for one peer. */
const WORKERS_DEFAULT_MAX = 8;
const WORKERS_MAX = 64;
/** Some thousandths of what a disk reads: 44 GB a day. */
const SCRUB_RATE_DEFAULT = 512 * 1024;
const WILDCARDS: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

/** Works out the options of a peer. Throws BadInput. */
export async function readPeerOptions(address: string, file: string, flags: PeerFlags): Promise<PeerOptions> {
  const own = hostPortOf('<ip>:<port>', address);
  const listen = flags.listen === undefined ? own : hostPortOf('--listen', flags.listen);
  const advertise = flags.advertise === undefined ? own : hostPortOf('--advertise', flags.advertise);
  refuseUnreachable(advertise);
  const dataDirectory = dataDirectoryFor('peer', flags.dataDir);
  const trackerInfo = resolve(file);
  return {
    dataDirectory,
    trackerInfo,
    trackers: await readTrackers(trackerInfo),
    listen,
    advertise,
    control: hostPortOf('--control', flags.control ?? CONTROL_DEFAULT),
    allowedHosts: (flags.allowHost ?? []).map(allowedHost),
    controlTokenFile: resolve(flags.controlTokenFile ?? join(dataDirectory, 'control-token')),
    workers: workerCount(flags.workers),
    plain: flags.plain ?? false,
    limits: limitsOf(flags),
    scrubBytesPerSecond: scrubRate(flags.scrubRate),
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

/** A name, or `name:port`. */
function allowedHost(text: string): string {
  const parsed = parseHostPort(/:\d+$/.test(text) ? text : `${text}:0`);
  if (!parsed.ok) throw new BadInput(`--allow-host: ${parsed.message}`);
  return text.toLowerCase();
}

function limitsOf({ uploadLimit, downloadLimit, activeTransfers }: PeerFlags): Partial<LimitsBody> {
  return {
    ...(uploadLimit !== undefined && { uploadBytesPerSecond: rateOf('--upload-limit', uploadLimit) }),
    ...(downloadLimit !== undefined && { downloadBytesPerSecond: rateOf('--download-limit', downloadLimit) }),
    ...(activeTransfers !== undefined && { activeTransfers: activeCount(activeTransfers) }),
  };
}

function rateOf(name: string, text: string): number | null {
  const parsed = parseByteRate(text);
  if (!parsed.ok) throw new BadInput(`${name}: ${parsed.message}`);
  return parsed.bytesPerSecond;
}

function scrubRate(text: string | undefined): number | null {
  if (text === undefined) return SCRUB_RATE_DEFAULT;
  if (text === '0') return null;
  const parsed = parseByteRate(text);
  if (parsed.ok && parsed.bytesPerSecond !== null) return parsed.bytesPerSecond;
  throw new BadInput(`--scrub-rate: "${text}" is no rate; give 1KiB or more a second, like 1MB, or 0 to read nothing`);
}

/** Nobody's disk is filled without a word on how far. */
function keepingOf({ keepCopies, keepCopiesLimit }: PeerFlags): PeerOptions['keeping'] {
  if (keepCopies === undefined && keepCopiesLimit === undefined) return null;
  if (keepCopies === undefined)
    throw new BadInput('--keep-copies-limit needs --keep-copies <folder>: where to keep them');
  if (keepCopiesLimit === undefined) throw new BadInput('--keep-copies needs --keep-copies-limit <bytes>, like 50GB');
  const parsed = parseByteCount(keepCopiesLimit);
  if (!parsed.ok) throw new BadInput(`--keep-copies-limit: ${parsed.message}`);
  return { folder: resolve(keepCopies), limitBytes: parsed.bytes };
}

function activeCount(text: string): number | null {
  const parsed = parseTransferCount(text);
  if (!parsed.ok) throw new BadInput(`--active-transfers: ${parsed.message}`);
  return parsed.count;
}

function workerCount(text: string | undefined): number {
  if (text === undefined) return Math.min(availableParallelism(), WORKERS_DEFAULT_MAX);
  const count = /^[0-9]{1,3}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= WORKERS_MAX) return count;
  throw new BadInput(`--workers: "${text}" is not a number of threads; give one from 1 to ${WORKERS_MAX}`);
}
