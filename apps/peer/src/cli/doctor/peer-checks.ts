// Owns what the doctor sees of the peer itself: whether it runs, and then what it says of its trackers, of being reached, and of
// its user; of one that does not run, what it has left on the disk.
import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DataDirUnusable, lockDataDir } from '#identity/data-dir-lock';
import { readTextIfThere } from '#identity/durable-file';
import type { TransferState, TransferView } from '#wire/control-api';
import type { SessionItem } from '#wire/control-sessions';
import type { StatusView } from '#wire/control-status';
import { CommandRefused, type PeerPlace } from '../control-client.ts';
import { formatTime } from '../quantities.ts';
import { type Finding, Findings } from './finding.ts';
import { lockHolder, processInWords } from './process-search.ts';

/** What a peer that runs says of itself. */
export interface PeerAnswers {
  readonly status: StatusView;
  /** Null when the trackers do not tell now. */
  readonly sessions: readonly SessionItem[] | null;
  readonly transfers: readonly TransferView[];
}

/** What a peer has left that does not run. */
export interface PeerRemains {
  readonly logId: string | null;
  readonly user: string | null;
  readonly sessionExpiresAtMs: number | null;
}

/** A folder that downloads go to, and how many bytes are still to come. */
export type Destinations = ReadonlyMap<string, number>;

const UNFINISHED: ReadonlySet<TransferState> = new Set(['queued', 'downloading', 'stalled', 'paused']);
const FOLDERS_MAX = 50;

/** What a peer says that runs. */
export function checkPeer({ status, sessions }: PeerAnswers, url: string): readonly Finding[] {
  return [
    new Findings('peer').ok(`It runs, and answers at ${url}.`),
    outageFinding(status),
    reachabilityFinding(status),
    sessionFinding(status, sessions),
  ];
}

/** What keeps a peer from answering: nobody is there, or somebody is and does not answer. */
export async function checkAbsence({ dataDirectory, tokenFile }: PeerPlace, why: Error): Promise<Finding> {
  const findings = new Findings('peer');
  if (why instanceof CommandRefused) {
    const detail = `The peer that runs refuses the control token in ${tokenFile}.`;
    return findings.problem(detail, 'Name the right file with --control-token-file, or restart the peer.');
  }
  if (!(await isLocked(dataDirectory))) {
    return findings.problem(
      `No peer runs on ${dataDirectory}.`,
      'Start one with: cohort peer <ip>:<port> <tracker_info.txt>, or name the data directory of a running one with --data-dir.',
    );
  }
  const pid = await lockHolder(join(dataDirectory, 'lock'));
  const who = pid === null ? 'Another process' : `The ${await processInWords(pid)}`;
  return findings.problem(
    `${who} holds ${dataDirectory}, and does not answer here: ${why.message.split('\n')[0]}`,
    'Wait when it has just been started; otherwise end it, and start the peer again.',
  );
}

/** What a peer that does not run knew of its user. */
export function checkRemains({ user, sessionExpiresAtMs }: PeerRemains, nowMs: number): Finding {
  const findings = new Findings('session');
  if (user === null) return findings.unknown('Nobody was logged in when the peer ended.');
  if (sessionExpiresAtMs === null) return findings.ok(`${user} was logged in when the peer ended, and still is.`);
  const end = formatTime(new Date(sessionExpiresAtMs).toISOString());
  if (sessionExpiresAtMs > nowMs)
    return findings.ok(`${user} is logged in until ${end} (UTC), and longer when the peer runs.`);
  return findings.warning(`The session of ${user} expired at ${end} (UTC).`, 'Start the peer and log in again.');
}

/** What link.json of a data directory says; of one that is not there or damaged, nothing. */
export async function readRemains(dataDirectory: string): Promise<PeerRemains> {
  try {
    const text = await readTextIfThere(join(dataDirectory, 'link.json'));
    const { logId = null, user = null, sessionExpiresAtMs = null } = JSON.parse(text ?? '{}') as Partial<PeerRemains>;
    return { logId, user, sessionExpiresAtMs };
  } catch {
    return { logId: null, user: null, sessionExpiresAtMs: null };
  }
}

/** Where unfinished downloads go, as the running peer says, with the folder of the copies that it keeps. */
export function destinationsOf({ status, transfers }: PeerAnswers): Destinations {
  const kept = status.keeping === null ? [] : [{ folder: status.keeping.folder, missingBytes: 0 }];
  return gathered([
    ...kept,
    ...transfers
      .filter(({ direction, state, temporary }) => direction === 'download' && UNFINISHED.has(state) && !temporary)
      .map(({ path, wantedBytes, verifiedBytes }) => ({
        folder: dirname(path),
        missingBytes: wantedBytes - verifiedBytes,
      })),
  ]);
}

/** The same from the records of a peer that does not run; how much is still to come is not in them. */
export async function storedDestinations(dataDirectory: string): Promise<Destinations> {
  const folder = join(dataDirectory, 'transfers');
  const names = await readdir(folder).catch(() => []);
  const records = names.filter((name) => name.endsWith('.json')).map((name) => storedTransfer(join(folder, name)));
  const unfinished = (await Promise.all(records)).filter(
    ({ direction, state }) => direction === 'download' && UNFINISHED.has(state),
  );
  return gathered(unfinished.map(({ path }) => ({ folder: dirname(path), missingBytes: 0 })));
}

type StoredTransfer = Pick<TransferView, 'direction' | 'state' | 'path'>;

async function storedTransfer(path: string): Promise<StoredTransfer> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as StoredTransfer;
  } catch {
    // The peer puts a damaged one aside when it starts, and says so.
    return { direction: 'upload', state: 'failed', path: '' };
  }
}

function gathered(places: readonly { readonly folder: string; readonly missingBytes: number }[]): Destinations {
  const found = new Map<string, number>();
  for (const { folder, missingBytes } of places) {
    if (found.size < FOLDERS_MAX || found.has(folder)) found.set(folder, (found.get(folder) ?? 0) + missingBytes);
  }
  return found;
}

/** Looks only where there is a lock: looking must not make a data directory. */
async function isLocked(dataDirectory: string): Promise<boolean> {
  const isThere = await stat(join(dataDirectory, 'lock')).then(
    () => true,
    () => false,
  );
  if (!isThere) return false;
  try {
    lockDataDir(dataDirectory).release();
    return false;
  } catch (error) {
    return error instanceof DataDirUnusable && error.isBusy;
  }
}

function outageFinding({ outage }: StatusView): Finding {
  const findings = new Findings('commands');
  if (outage === null) return findings.ok('They are taken.');
  return findings.problem(outage.detail, 'See what is said of the trackers.');
}

function reachabilityFinding({ reachable, advertise, listen }: StatusView): Finding {
  const findings = new Findings('reachable');
  if (reachable === true)
    return findings.ok(`A tracker could connect to ${advertise}: others can fetch from this peer.`);
  if (reachable === null)
    return findings.unknown(`No tracker has said yet whether others can connect to ${advertise}.`);
  return findings.problem(
    `No tracker could connect to ${advertise}: others cannot fetch from this peer.`,
    `Let connections to ${listen} in (firewall, forwarded port), and start the peer with --advertise <host:port> where others reach it.`,
  );
}

function sessionFinding({ user, endedSession }: StatusView, sessions: readonly SessionItem[] | null): Finding {
  const findings = new Findings('session');
  if (user === null) {
    return findings.warning(endedSession?.detail ?? 'Nobody is logged in on this peer.', 'Type: cohort login <user>');
  }
  const expiresAt = sessions?.find(({ current }) => current)?.expiresAt ?? null;
  const until = expiresAt === null ? '' : ` until ${formatTime(expiresAt)} (UTC), and longer while the peer runs`;
  return findings.ok(`${user} is logged in${until}.`);
}
