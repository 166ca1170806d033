// Owns the life of a tracker's process: lock, key, log, ports; ready; until a signal or a log that cannot be followed ends
// it. A clean stop takes less than two seconds, whatever hangs.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { lockDataDir } from '#identity/data-dir-lock';
import { ReplacedFile } from '#identity/durable-file';
import { type Identity, loadOrCreateIdentity } from '#identity/identity';
import { BadInput } from '#identity/start-input';
import { openProcessLog } from '#program/open-process-log';
import type { ProcessLog } from '#program/process-log';
import { NO_TRACES, openTraces, type Traces } from '#program/traces';
import { formatHostPort } from '#wire/host-port';
import { formatFingerprint } from '#wire/tracker-info';
import { AUDIT_KEYS_FOLDER } from './audit/audit-keys.ts';
import { type CommandLog, LogFailure } from './command-log/command-log.ts';
import { openCommandLog } from './command-log/open-command-log.ts';
import { tracedCommandLog } from './command-log/traced-command-log.ts';
import type { TrackerConfiguration } from './configuration.ts';
import { EXIT, endOf as processEndOf } from './exit-codes.ts';
import { keepLogId, refuseOtherLog } from './replica/followed-log.ts';
import type { Replica } from './replica/replica.ts';
import { type RunningTracker, startTracker } from './tracker.module.ts';

const STOP_TIMEOUT_MS = 1_800;
const LOG_RETRY_MS = 1_000;
const HEALTH_INTERVAL_MS = 1_000;

/** Runs a tracker until SIGINT or SIGTERM. What keeps it from starting, or from going on, is said in its log and by the exit code. */
export async function runTracker(n: string, configuration: TrackerConfiguration): Promise<void> {
  const processLog = openProcessLog('tracker', configuration.logging);
  const end = (error: unknown): void => {
    const { code, message } = processEndOf(error);
    processLog.fatal(message, { exitCode: code });
    process.exitCode = code;
  };
  process.prependListener('uncaughtException', (error) => {
    processLog.fatal('this is a bug', { exitCode: EXIT.bug, error });
    process.exit(EXIT.bug);
  });
  await runUntilSignal(n, configuration, processLog).catch(end);
}

async function runUntilSignal(n: string, configuration: TrackerConfiguration, processLog: ProcessLog): Promise<void> {
  const stopping = stopSignal();
  const lock = lockDataDir(configuration.dataDirectory);
  let log: CommandLog | null = null;
  let traces = NO_TRACES;
  try {
    const identity = await loadOrCreateIdentity(configuration.dataDirectory);
    refuseOtherKey(identity, configuration);
    traces = await openTraces('tracker');
    log = await openPatiently(configuration, { processLog, stopping });
    if (log !== null && !stopping.aborted)
      await serve({ n, configuration, identity, log, processLog, traces, stopping });
  } finally {
    await log?.close();
    lock.release();
    await traces.close();
  }
}

interface Run {
  readonly n: string;
  readonly configuration: TrackerConfiguration;
  readonly identity: Identity;
  readonly log: CommandLog;
  readonly processLog: ProcessLog;
  readonly traces: Traces;
  readonly stopping: AbortSignal;
}

async function serve({ n, configuration, identity, log, processLog, traces, stopping }: Run): Promise<void> {
  const { rpc, http, address, dataDirectory, logUrl } = configuration;
  const snapshots = { folder: join(dataDirectory, 'snapshots') };
  const auditKeysFolder = join(dataDirectory, AUDIT_KEYS_FOLDER);
  const followed = traces === NO_TRACES ? log : tracedCommandLog(log, traces);
  const told = { processLog, traces };
  const parts = { identity, log: followed, rpc, http, address, snapshots, auditKeysFolder, ...told };
  const tracker = await startTracker(parts);
  tracker.figures.addProcess();
  const httpFile = join(dataDirectory, 'http');
  const watch = setInterval(healthReporter(tracker.replica, processLog), HEALTH_INTERVAL_MS);
  try {
    await new ReplacedFile(httpFile).write(`${formatHostPort(tracker.http)}\n`);
    await new ReplacedFile(join(dataDirectory, 'log')).write(`${logUrl}\n`);
    const ended = endOf(tracker, stopping);
    await Promise.race([tracker.ready, ended]);
    if (tracker.replica.readiness.ready) {
      await keepLogId(dataDirectory, tracker.replica.state.logId!);
      const addresses = `${formatHostPort(tracker.rpc)}, http ${formatHostPort(tracker.http)}`;
      process.stdout.write(`tracker ${n} ready on ${addresses}, log ${logUrl}\n`);
    }
    await ended;
  } finally {
    clearInterval(watch);
    await rm(httpFile, { force: true });
    await tracker.stop();
  }
}

/** Says it once when a tracker stops being well, and once when it is again. */
function healthReporter(replica: Replica, processLog: ProcessLog): () => void {
  let reported = 'well';
  // The driver of a log that is away has many words for it: the first ones are enough.
  const say = (health: string, words: string): void => {
    if (health === reported) return;
    reported = health;
    processLog.warn(words);
  };
  return () => {
    const { readiness } = replica;
    const isCatchingUp = !readiness.ready && readiness.reason === 'catching_up';
    const { logProblem } = replica;
    const unready = readiness.ready || isCatchingUp ? null : `not ready, ${readiness.reason}: ${readiness.detail}`;
    if (unready !== null) say(unready, unready);
    else if (logProblem === null) say('well', 'all is well again');
    else say('log_unavailable', `the log takes no records: commands fail until it does, views go on. ${logProblem}`);
  };
}

/** Resolves at a signal; rejects when the log cannot be followed any further, or the start fails. */
async function endOf({ replica, ready }: RunningTracker, stopping: AbortSignal): Promise<void> {
  const stopped = new Promise<void>((resolve) => {
    if (stopping.aborted) resolve();
    stopping.addEventListener('abort', () => resolve(), { once: true });
  });
  const halted = replica.halted.then((reason) => Promise.reject(reason));
  const goingOn = ready.then(() => new Promise<never>(() => undefined));
  await Promise.race([stopped, halted, goingOn]);
}

type Opening = Pick<Run, 'processLog' | 'stopping'>;

/** A log that is away is waited for; null when a signal comes first. */
async function openPatiently(configuration: TrackerConfiguration, during: Opening): Promise<CommandLog | null> {
  const { stopping, processLog } = during;
  while (!stopping.aborted) {
    try {
      return await openFollowed(configuration, during);
    } catch (error) {
      if (!(error instanceof LogFailure && error.retryable)) throw error;
      processLog.warn(`${error.message}; trying again`);
      await sleep(LOG_RETRY_MS, undefined, { signal: stopping }).catch(() => undefined);
    }
  }
  return null;
}

async function openFollowed(
  configuration: TrackerConfiguration,
  { stopping, processLog }: Opening,
): Promise<CommandLog> {
  const { logUrl, trackerInfoPath, kafkaClientFile } = configuration;
  const log = await openCommandLog({
    url: logUrl,
    trackerInfoPath,
    kafkaClientFile,
    onWarning: (message) => processLog.warn(message),
  });
  try {
    await refuseOtherLog(log, configuration, stopping);
    return log;
  } catch (error) {
    await log.close();
    throw error;
  }
}

function refuseOtherKey(
  { id }: Identity,
  { pinnedId, dataDirectory, trackerInfoPath, address }: TrackerConfiguration,
): void {
  if (pinnedId === null || pinnedId === id) return;
  throw new BadInput(
    `${trackerInfoPath} pins ${formatFingerprint(pinnedId)} for ${address}, but the key in ${dataDirectory} is ` +
      `${formatFingerprint(id)}: give the --data-dir that has the pinned key, or correct the line`,
  );
}

/** Aborted by the first SIGINT or SIGTERM; the second one, or a stop that hangs, ends the process at once. */
function stopSignal(): AbortSignal {
  const stopping = new AbortController();
  const onSignal = (): void => {
    if (stopping.signal.aborted) process.exit(130);
    stopping.abort();
    setTimeout(() => process.exit(0), STOP_TIMEOUT_MS).unref();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return stopping.signal;
}
