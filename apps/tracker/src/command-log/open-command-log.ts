// Owns the text form of a log's address and which adapter it means: `sqlite:<file>` or `kafka:<host:port,...>[/<topic>]`.
import { existsSync, readFileSync } from 'node:fs';
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { isLoopback } from '#identity/dialled-addresses';
import { formatHostPort, parseHostPort } from '#wire/host-port';
import { parseTrackerInfo } from '#wire/tracker-info';
import { type CommandLog, LogFailure } from './command-log.ts';
import { PLAINTEXT, readKafkaClient } from './kafka-client-file.ts';
import { openSqliteCommandLog } from './sqlite-command-log.ts';

/** Where a log is. */
export type LogAddress =
  | { readonly kind: 'sqlite'; readonly file: string }
  | { readonly kind: 'kafka'; readonly brokers: readonly string[]; readonly topic: string };

/** Which log, and who shares it. */
export interface OpenCommandLogOptions {
  /** As `--log` takes it. */
  readonly url: string;
  /** The trackers that share the log; null when only a tool of this machine reads it. */
  readonly trackerInfoPath: string | null;
  /** As `--kafka-client` takes it; without it brokers are spoken to without TLS and without a login. */
  readonly kafkaClientFile?: string | null;
  /** Whether a log that is not there is refused, not made. */
  readonly mustExist?: boolean;
  /** For those who append nothing: also a log on read-only media is read, and has to be there. */
  readonly readsOnly?: boolean;
  /** Takes what a log's driver warns of, one line each; nothing is printed without it. */
  readonly onWarning?: (message: string) => void;
}

const DEFAULT_TOPIC = 'cohort-commands';
/** Kafka's own rule for names of topics. */
const TOPIC = /^(?!\.{1,2}$)[a-zA-Z0-9._-]{1,249}$/;
const FORMS = 'sqlite:<file> or kafka:<host:port,...>[/<topic>]';

/**
 * Opens the log that a text names. Rejects with a `LogFailure` within 5 s: `log_misconfigured` when a person has to change
 * something, `log_unavailable` when trying again may help.
 */
export async function openCommandLog(options: OpenCommandLogOptions): Promise<CommandLog> {
  const address = parseLogAddress(options.url);
  const { kafkaClientFile = null, readsOnly = false, mustExist = readsOnly, onWarning = () => {} } = options;
  if (address.kind === 'kafka') {
    const client = kafkaClientFile === null ? PLAINTEXT : readKafkaClient(kafkaClientFile);
    // Loaded when asked for: its driver takes 17 MiB that a log in a file has no use for.
    const { openKafkaCommandLog } = await import('./kafka-command-log.ts');
    return openKafkaCommandLog({ ...address, client, mustExist, onWarning });
  }
  if (kafkaClientFile !== null)
    throw misconfigured('--kafka-client is for --log kafka:; leave it out for a SQLite log.');
  if (options.trackerInfoPath !== null) await refuseOtherMachines(options.trackerInfoPath);
  if (mustExist && !existsSync(address.file))
    throw misconfigured(`there is no log at ${options.url}: say which one with --log`);
  if (!readsOnly) refuseHalf(address.file);
  return openSqliteCommandLog(address.file, { readsOnly });
}

/** Where the file of a log stands while it is copied, until it is proven to be whole. */
export function copyingFile(file: string): string {
  return `${file}.copying`;
}

/** Who began a log of that name now would have another one than the one that is copied to it. */
function refuseHalf(file: string): void {
  const copying = copyingFile(file);
  if (!existsSync(copying)) return;
  throw misconfigured(
    `a copy to ${file} has not ended: run cohort log copy to it once more, which goes on, or remove ${copying}`,
  );
}

/** Reads a log's address, or throws `log_misconfigured` with what to write instead. */
export function parseLogAddress(url: string): LogAddress {
  const [, kind, rest = ''] = /^(sqlite|kafka):(.*)$/s.exec(url) ?? [];
  if (kind === 'sqlite') return parseSqlite(rest);
  if (kind === 'kafka') return parseKafka(rest);
  throw misconfigured(`--log "${url}" names no log; write ${FORMS}.`);
}

function parseSqlite(file: string): LogAddress {
  if (file === '') throw misconfigured('--log sqlite: names no file; write sqlite:<file>.');
  if (file.includes('\0')) throw misconfigured('--log sqlite: names a file with a NUL in it; write sqlite:<file>.');
  return { kind: 'sqlite', file };
}

function parseKafka(rest: string): LogAddress {
  const slash = rest.indexOf('/');
  const brokerTexts = (slash === -1 ? rest : rest.slice(0, slash)).split(',');
  const topic = slash === -1 ? DEFAULT_TOPIC : rest.slice(slash + 1);
  if (!TOPIC.test(topic)) {
    throw misconfigured(
      `--log kafka: "${topic}" is not a topic; use 1 to 249 of the characters a-z, A-Z, 0-9, ".", "_" and "-".`,
    );
  }
  return { kind: 'kafka', brokers: brokerTexts.map(parseBroker), topic };
}

function parseBroker(text: string): string {
  const parsed = parseHostPort(text);
  if (!parsed.ok) throw misconfigured(`--log kafka: ${parsed.message}`);
  if (parsed.address.port === 0) throw misconfigured(`--log kafka: "${text}" needs the broker's port.`);
  return formatHostPort(parsed.address);
}

/** A SQLite file is shared by processes of one machine; over a network its locks do not hold. */
async function refuseOtherMachines(trackerInfoPath: string): Promise<void> {
  const parsed = parseTrackerInfo(readFileSync(trackerInfoPath, 'utf8'));
  if (!parsed.ok) return;
  for (const { host } of parsed.trackers) {
    if (await isThisMachine(host)) continue;
    throw misconfigured(
      `--log sqlite: is for trackers on one machine, and ${trackerInfoPath} lists ${host}: give --log kafka:<host:port,...>.`,
    );
  }
}

async function isThisMachine(host: string): Promise<boolean> {
  const ownAddresses = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const found = isIP(host) === 0 ? await lookup(host, { all: true }).catch(() => []) : [{ address: host }];
  return found.every(
    ({ address }) =>
      isLoopback(address) || isAnyAddress(address) || ownAddresses.some((own) => own.address === address),
  );
}

function isAnyAddress(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}

function misconfigured(message: string): LogFailure {
  return new LogFailure('log_misconfigured', message);
}
