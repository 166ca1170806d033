// Owns which log a tracker follows: the id of it is kept in the data directory, and another log, or one that has become empty,
// is refused before a record is written to it or a peer hears of it. State from two logs must never meet.
import { join } from 'node:path';
import { readTextIfThere, ReplacedFile } from '#identity/durable-file';
import { type CommandLog, LogFailure } from '../command-log/command-log.ts';
import { logIdOf } from './starting-points.ts';

const LOG_ID = /^[0-9a-f]{64}$/;

/** Which log is to be followed, and by whom. */
export interface FollowedLog {
  readonly dataDirectory: string;
  /** As `--log` has it. */
  readonly logUrl: string;
}

/**
 * Throws `log_misconfigured` when the log is another one than this data directory's tracker has followed, or when what is kept
 * of that does not say. A log that is away is waited for until `signal` is aborted, and then nothing is said of it.
 */
export async function refuseOtherLog(
  log: CommandLog,
  { dataDirectory, logUrl }: FollowedLog,
  signal: AbortSignal,
): Promise<void> {
  const file = fileIn(dataDirectory);
  const followed = await followedIn(file, logUrl);
  if (followed === null) return;
  const found = await logIdOf({ log, end: await log.end(), signal });
  if (found === followed || signal.aborted) return;
  const difference = found === null ? 'is empty' : `is another one, ${found}`;
  throw new LogFailure(
    'log_misconfigured',
    `the log ${logUrl} ${difference}, and this tracker has followed the log ${followed}: give the --log that it had, or ` +
      `put that log back. To follow the other one from now on, remove ${file} and restart every peer.`,
  );
}

async function followedIn(file: string, logUrl: string): Promise<string | null> {
  const text = await readTextIfThere(file).catch((error: Error) => error.message);
  if (text === null || LOG_ID.test(text.trim())) return text?.trim() ?? null;
  throw new LogFailure(
    'log_misconfigured',
    `${file} does not say which log this tracker has followed: if that is ${logUrl}, remove the file and start again`,
  );
}

/** Keeps the id of the log that is followed from now on. A crash leaves the one before: half an id would be another log's. */
export async function keepLogId(dataDirectory: string, logId: string): Promise<void> {
  await new ReplacedFile(fileIn(dataDirectory)).write(`${logId}\n`);
}

function fileIn(dataDirectory: string): string {
  return join(dataDirectory, 'log-id');
}
