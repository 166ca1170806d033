// Owns the embedded log: one SQLite file that all tracker processes of a machine share. Readers look again after each append
// of ours, when the file watch hears a foreign one, and in between with pauses that double up to half a second; in a long log
// they look one page ahead, so that reading goes on in the driver's thread while the page before is applied.
import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { ChangeSignal } from './change-signal.ts';
import { type AppendRecord, type CommandLog, LogFailure, type StoredRecord } from './command-log.ts';
import { GroupCommit } from './group-commit.ts';
import { packRecords, unpackRecords } from './record-pack.ts';
import { SqliteLogThread } from './sqlite-log-thread.ts';

/** What was there when somebody looked. */
interface Page {
  readonly records: readonly StoredRecord[];
  readonly isFull: boolean;
}

interface Look {
  /** Up to which notification it looked. */
  readonly since: number;
  readonly page: Promise<Page>;
}

const POLL_MS = 500;

/**
 * Opens the log in a file, creating both when they are missing, unless it is only read: then nothing is made or changed. Rejects
 * with a `LogFailure` within 5 s.
 */
export async function openSqliteCommandLog(
  file: string,
  { readsOnly = false }: { readonly readsOnly?: boolean } = {},
): Promise<CommandLog> {
  const thread = new SqliteLogThread(resolve(file), readsOnly);
  try {
    await thread.open();
  } catch (failure) {
    await thread.close();
    throw failure;
  }
  return new SqliteCommandLog(resolve(file), thread);
}

class SqliteCommandLog implements CommandLog {
  readonly #thread: SqliteLogThread;
  readonly #changes = new ChangeSignal();
  readonly #commit = new GroupCommit((records) => this.#write(records));
  readonly #closing = new AbortController();
  readonly #watcher: FSWatcher | null;

  constructor(file: string, thread: SqliteLogThread) {
    this.#thread = thread;
    this.#watcher = watchAppends(file, () => this.#changes.notify());
  }

  append(records: readonly AppendRecord[]): Promise<readonly number[]> {
    return this.#commit.append(records);
  }

  async *read(fromOffset: number, signal: AbortSignal): AsyncGenerator<readonly StoredRecord[]> {
    const stop = AbortSignal.any([signal, this.#closing.signal]);
    let next = fromOffset;
    let look = this.#look(next);
    let pauseMs = 1;
    while (!stop.aborted) {
      const { records, isFull } = await look.page;
      if (stop.aborted) return;
      if (records.length > 0) {
        next += records.length;
        const ahead = isFull ? this.#look(next) : null;
        yield records;
        look = ahead ?? this.#look(next);
        pauseMs = 1;
        continue;
      }
      // The watch hears of an append when its bytes are written, which is before they are flushed and can be read: hence
      // the pauses start small again after each notification.
      const isNotified = await this.#changes.wait({ since: look.since, timeoutMs: pauseMs, signal: stop });
      pauseMs = isNotified ? 1 : Math.min(pauseMs * 2, POLL_MS);
      look = this.#look(next);
    }
  }

  async end(): Promise<number> {
    return (await this.#thread.request({ kind: 'end' })).end;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#commit.close();
    this.#watcher?.close();
    await this.#thread.close();
  }

  async #write(records: readonly AppendRecord[]): Promise<number> {
    const packed = packRecords(records);
    const { firstOffset } = await this.#thread.request({ kind: 'append', records: packed }, [packed.bytes.buffer]);
    this.#changes.notify();
    return firstOffset;
  }

  #look(next: number): Look {
    const look = { since: this.#changes.version, page: this.#pageFrom(next) };
    // Whoever takes the page hears of a failure; nobody has to take one that was looked for ahead.
    look.page.catch(() => undefined);
    return look;
  }

  /** What can be read now, perhaps nothing. An outage reads as nothing; a log that is not the same any more throws. */
  async #pageFrom(next: number): Promise<Page> {
    try {
      const { records, appendTimesMs, isFull, end } = await this.#thread.request({ kind: 'read', fromOffset: next });
      if (end !== null && end < next) throw new LogFailure('log_halted', `The log ends at ${end}, before ${next}.`);
      const stored = unpackRecords(records).map(({ value, sealed }, index) => {
        return { offset: next + index, value, sealed, appendTimeMs: appendTimesMs[index]! };
      });
      return { records: stored, isFull };
    } catch (error) {
      if (error instanceof LogFailure && error.retryable) return { records: [], isFull: false };
      throw error;
    }
  }
}

/** Watches the folder, because the write-ahead file comes and goes. Where a machine cannot watch, polling has to do. */
function watchAppends(file: string, onAppend: () => void): FSWatcher | null {
  const writeAheadName = `${basename(file)}-wal`;
  try {
    const watcher = watch(dirname(file), { persistent: false }, (_, name) => {
      if (name === writeAheadName) onAppend();
    });
    return watcher.on('error', () => watcher.close());
  } catch {
    return null;
  }
}
