// Owns the lock on a data directory: one process at a time. SQLite's file lock is the operating system's, so it ends with
// the process, however that ends; a file with a process id in it would outlive a `kill -9`.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Holds a data directory until `release` or the end of the process. */
export interface DataDirLock {
  release(): void;
}

/** A process cannot run on its data directory: another one does, or what is in it is of no use. The message says what to do. */
export class DataDirUnusable extends Error {
  readonly code = 'data_dir_unusable';
  /** Whether another process runs on it. */
  readonly isBusy: boolean;
  constructor(message: string, options: ErrorOptions & { readonly isBusy?: boolean } = {}) {
    super(message, options);
    this.isBusy = options.isBusy ?? false;
  }
}

/** SQLite's code of a file that another process has locked. */
const SQLITE_BUSY = 5;

/** Takes the lock, or throws `DataDirUnusable` at once. Makes the directory when it is missing. */
export function lockDataDir(dataDirectory: string): DataDirLock {
  const path = join(dataDirectory, 'lock');
  let database: DatabaseSync | null = null;
  try {
    mkdirSync(dataDirectory, { recursive: true, mode: 0o700 });
    database = new DatabaseSync(path, { timeout: 0 });
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database?.close();
    const isBusy = (error as { errcode?: number }).errcode === SQLITE_BUSY;
    throw new DataDirUnusable(whyNot(error, { dataDirectory, isBusy }), { cause: error, isBusy });
  }
  const held = database;
  return { release: () => held.close() };
}

function whyNot(error: unknown, { dataDirectory, isBusy }: { dataDirectory: string; isBusy: boolean }): string {
  if (isBusy) {
    return `${dataDirectory} is in use by another running cohort process: stop that one, or give this one its own --data-dir`;
  }
  return `${join(dataDirectory, 'lock')} cannot be locked: ${(error as Error).message}; make the folder writable, or remove that file`;
}
