// Owns one history of a real system: three trackers as processes on a real log, clients with people, faults for as long as was
// asked, then peace, in which every command has to come to an answer and every tracker to the end of the log; then the check.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StoredRecord } from '../../apps/tracker/src/command-log/command-log.ts';
import { openCommandLog } from '../../apps/tracker/src/command-log/open-command-log.ts';
import { Replica } from '../../apps/tracker/src/replica/replica.ts';
import { trackerStatus } from '../../infra/quick-start/tracker-status.ts';
import { until } from '../../infra/quick-start/until.ts';
import { Draws } from '../simulation/draws.ts';
import { History, readHistory } from './history.ts';
import { checkHistory, type HistoryVerdict } from './history-check.ts';
import { HistoryClient } from './history-client.ts';
import { People } from './people.ts';
import { type FaultName, RealFaults } from './real-faults.ts';
import { type RealLog, type RealSystem, startRealSystem } from './real-system.ts';

export interface HistoryOptions {
  readonly log: RealLog;
  readonly seconds: number;
  readonly seed: number;
  /** Where everything is kept: the history, the log, the folders of trackers and clients. */
  readonly folder: string;
  readonly clients: number;
  readonly peoplePerClient: number;
  /** Mean pause of each person. */
  readonly pauseMs: number;
  /** Mean time from one fault to the next. */
  readonly faultEveryMs: number;
}

/** What came of a history. */
export interface HistoryReport {
  readonly verdict: HistoryVerdict;
  readonly faults: Readonly<Record<FaultName, number>>;
  readonly attempts: number;
}

const TRACKERS = 3;
const SIZE = { users: 12, groups: 6, files: 5, passwords: 2 };
const DIGEST_EVERY_MS = 1_000;
const PEACE_MS_MAX = 90_000;
/** Offsets at the end at which every tracker is asked, evenly over the log. */
const DIGESTS_AT_END = 200;

/** Everything that runs. */
interface Cast {
  readonly options: HistoryOptions;
  readonly real: RealSystem;
  readonly history: History;
  /** Reads the log as a tracker does; commands are drawn from what it knows. */
  readonly reader: Replica;
  readonly draws: Draws;
}

/** Runs a history to its end. Throws when something of it does not come up, or not to rest. */
export async function runHistory(options: HistoryOptions): Promise<HistoryReport> {
  const { log, folder } = options;
  const real = await startRealSystem({ log, folder, trackerCount: TRACKERS });
  try {
    const historyFile = join(folder, 'history.ndjson');
    const played = await playOn(real, options, historyFile);
    const records = await wholeLog(real.logUrl);
    await writeFile(join(folder, 'log.ndjson'), records.map(lineOf).join(''));
    const verdict = await checkHistory(records, readHistory(historyFile));
    return { verdict, ...played };
  } finally {
    await real.stop();
  }
}

function lineOf({ offset, value }: StoredRecord): string {
  return `${JSON.stringify({ offset, value: Buffer.from(value).toString('utf8') })}\n`;
}

type Played = Pick<HistoryReport, 'faults' | 'attempts'>;

async function playOn(real: RealSystem, options: HistoryOptions, historyFile: string): Promise<Played> {
  const history = new History(historyFile);
  const log = await openCommandLog({ url: real.logUrl, trackerInfoPath: null });
  const reader = new Replica({ log, now: Date.now });
  try {
    await reader.start();
    return await play({ options, real, history, reader, draws: new Draws(options.seed) });
  } finally {
    await reader.stop();
    await log.close();
    await history.close();
  }
}

/** Everything up to the moment from which on the log alone is looked at. */
async function play(cast: Cast): Promise<Played> {
  const { options, real, history, reader, draws } = cast;
  const clients = await Promise.all(
    Array.from({ length: options.clients }, (_, index) =>
      HistoryClient.open({
        folder: join(options.folder, `client-${index + 1}`),
        trackers: real.entries,
        history,
        random: draws.uniform,
      }),
    ),
  );
  const people = new People({ draws, state: reader.state, size: SIZE, pauseMs: options.pauseMs });
  const faults = new RealFaults({ draws, history, clients, ...real });
  const isOver = AbortSignal.timeout(options.seconds * 1_000);
  const lives = clients.flatMap((client) => Array.from({ length: options.peoplePerClient }, () => people.live(client)));
  try {
    const asked = askDigests(cast, isOver);
    await faults.run(options.faultEveryMs, isOver);
    await asked;
    people.end();
    await within(Promise.all(lives), 'every command has an answer');
    await untilPeace(cast);
    await askAtEnd(cast);
    return { faults: faults.counts, attempts: people.attemptCount };
  } finally {
    people.end();
    await Promise.all(clients.map((client) => client.close()));
  }
}

/** Asks every tracker that answers, all along, what it has as of where it is. */
async function askDigests(cast: Cast, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await sleep(DIGEST_EVERY_MS, undefined, { signal }).catch(() => undefined);
    // Who is down or paused now says it another time.
    await Promise.allSettled(cast.real.system.trackers.map((tracker) => askDigest(cast, tracker, 'now')));
  }
}

async function askDigest(
  { history }: Cast,
  { http, address }: { http: string; address: string },
  at: number | 'now',
): Promise<void> {
  const offset = at === 'now' ? (await trackerStatus({ http })).appliedOffset : at;
  const response = await fetch(`${http}/digest?at=${offset}`);
  if (!response.ok) throw new Error(`tracker ${address} has no digest at offset ${offset}: ${await response.text()}`);
  const { digest, root } = (await response.json()) as { digest: string; root: string };
  history.add({ type: 'digest', tracker: address, offset, digest, root });
}

async function untilPeace({ real: { system }, reader }: Cast): Promise<void> {
  await until(
    'every tracker is ready and has read all there is',
    async () => {
      const statuses = await Promise.all(system.trackers.map(trackerStatus));
      return statuses.every(({ ready, appliedOffset }) => ready && appliedOffset === reader.appliedOffset);
    },
    PEACE_MS_MAX,
  );
  if (!reader.isReading) throw new Error(`the log cannot be followed: ${(await reader.halted).message}`);
  if (system.crashes !== '') throw new Error(system.crashes);
}

async function askAtEnd(cast: Cast): Promise<void> {
  const end = cast.reader.appliedOffset;
  const step = Math.max(1, Math.floor(end / DIGESTS_AT_END));
  for (let offset = end; offset >= 0; offset -= step) {
    for (const tracker of cast.real.system.trackers) await askDigest(cast, tracker, offset);
  }
}

/** Every record, read anew. */
async function wholeLog(url: string): Promise<StoredRecord[]> {
  const log = await openCommandLog({ url, trackerInfoPath: null });
  const stop = new AbortController();
  const records: StoredRecord[] = [];
  try {
    const end = await log.end();
    for await (const batch of log.read(0, stop.signal)) {
      records.push(...batch);
      if (records.length >= end) break;
    }
    return records;
  } finally {
    stop.abort();
    await log.close();
  }
}

async function within<Value>(done: Promise<Value>, what: string): Promise<Value> {
  const timer = new AbortController();
  const late = sleep(PEACE_MS_MAX, undefined, { signal: timer.signal }).then(() => {
    throw new Error(`waited ${PEACE_MS_MAX / 1_000} s in vain until ${what}`);
  });
  try {
    return await Promise.race([done, late]);
  } finally {
    late.catch(() => undefined);
    timer.abort();
  }
}
