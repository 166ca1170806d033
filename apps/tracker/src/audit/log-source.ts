// Owns reading a log of trackers for an audit: up to its end at that moment; nothing is ever appended, nor made.
import type { CommandLog, StoredRecord } from '../command-log/command-log.ts';
import { openCommandLog } from '../command-log/open-command-log.ts';
import type { AuditSource } from './replay.ts';

/** A log that can also be followed. */
export interface LogSource extends AuditSource {
  /** Every record from an offset on, and those to come, until the signal. */
  follow(fromOffset: number, signal: AbortSignal): AsyncIterable<readonly StoredRecord[]>;
  /** How many records there are now. */
  end(): Promise<number>;
}

/** Opens the log that `--log` names, its brokers spoken to as `--kafka-client` says. Rejects with a `LogFailure`. */
export async function openLogSource(url: string, kafkaClientFile: string | null): Promise<LogSource> {
  return logSourceOf(await openCommandLog({ url, trackerInfoPath: null, kafkaClientFile, readsOnly: true }), url);
}

/** The same of a log that is open. */
export function logSourceOf(log: CommandLog, name: string): LogSource {
  return {
    name,
    records: () => recordsOf(log),
    follow: (fromOffset, signal) => log.read(fromOffset, signal),
    end: () => log.end(),
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
