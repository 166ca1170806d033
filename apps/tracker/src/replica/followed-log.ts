// Owns which log a tracker follows: the id of it is kept in the data directory, and another log, or one that has become empty,
// is refused before a record is written to it or a peer hears of it. State from two logs must never meet.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CommandLog, LogFailure } from '../command-log/command-log.ts';
import { DerivedState } from './derived-state.ts';

/** Which log is to be followed, and by whom. */
export interface FollowedLog {
  readonly dataDirectory: string;
  /** As `--log` has it. */
  readonly logUrl: string;
}

/** Throws `log_misconfigured` when the log is another one than this data directory's tracker has followed. */
export async function refuseOtherLog(log: CommandLog, { dataDirectory, logUrl }: FollowedLog): Promise<void> {
  const file = fileIn(dataDirectory);
  const followed = await readFile(file, 'utf8').then(
    (text) => text.trim(),
    () => '',
  );
  if (followed === '') return;
  const found = await logIdOf(log);
  if (found === followed) return;
  const difference = found === null ? 'is empty' : `is another one, ${found}`;
  throw new LogFailure(
    'log_misconfigured',
    `the log ${logUrl} ${difference}, and this tracker has followed the log ${followed}: give the --log that it had, or ` +
      `put that log back. To follow the other one from now on, remove ${file} and restart every peer.`,
  );
}

/** Keeps the id of the log that is followed from now on. */
export async function keepLogId(dataDirectory: string, logId: string): Promise<void> {
  await writeFile(fileIn(dataDirectory), `${logId}\n`);
}

function fileIn(dataDirectory: string): string {
  return join(dataDirectory, 'log-id');
}

/** The id that the log's genesis gives it; null while it has none. */
async function logIdOf(log: CommandLog): Promise<string | null> {
  const end = await log.end();
  const derived = new DerivedState();
  const stopping = new AbortController();
  try {
    if (end === 0) return null;
    for await (const batch of log.read(0, stopping.signal)) {
      for (const stored of batch) {
        derived.apply(stored);
        if (derived.state.logId !== null || stored.offset === end - 1) return derived.state.logId;
      }
    }
    return null;
  } finally {
    stopping.abort();
  }
}
