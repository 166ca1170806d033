// Owns reading a log of trackers for an audit: up to its end at that moment, and nothing is ever appended. Opening a SQLite
// log that is not there would make one, so that is refused.
import { existsSync } from 'node:fs';
import { BadInput } from '#identity/start-input';
import type { CommandLog, StoredRecord } from '../command-log/command-log.ts';
import { openCommandLog, parseLogAddress } from '../command-log/open-command-log.ts';
import type { AuditSource } from './replay.ts';

/** A log that can also be followed. */
export interface LogSource extends AuditSource {
  /** Every record from an offset on, and those to come, until the signal. */
  follow(fromOffset: number, signal: AbortSignal): AsyncIterable<readonly StoredRecord[]>;
}

/** Opens the log that `--log` names. Rejects with BadInput or a `LogFailure`. */
export async function openLogSource(url: string): Promise<LogSource> {
  const address = parseLogAddress(url);
  if (address.kind === 'sqlite' && !existsSync(address.file)) {
    throw new BadInput(`there is no log at ${url}: say which one with --log`);
  }
  const log = await openCommandLog({ url, trackerInfoPath: null });
  return {
    name: url,
    records: () => recordsOf(log),
    follow: (fromOffset, signal) => log.read(fromOffset, signal),
    close: () => log.close(),
  };
}

async function* recordsOf(log: CommandLog): AsyncGenerator<readonly StoredRecord[]> {
  const end = await log.end();
  if (end === 0) return;
  const stop = new AbortController();
  for await (const batch of log.read(0, stop.signal)) {
    const wanted = batch.filter(({ offset }) => offset < end);
    yield wanted;
    if (wanted.length < batch.length || wanted.at(-1)!.offset === end - 1) break;
  }
  stop.abort();
}
