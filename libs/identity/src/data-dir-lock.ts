// Owns the lock on a data directory: one process at a time. SQLite's file lock is the operating system's, so it ends with
// the process, however that ends; a file with a process id in it would outlive a `kill -9`.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Holds a data directory until `release` or the end of the process. */
export interface DataDirLock {
  release(): void;
}

/** The data directory belongs to another running process. */
export class DataDirLocked extends Error {
  readonly code = 'data_dir_locked';
  constructor(dataDirectory: string, cause: unknown) {
    super(
      `${dataDirectory} is in use by another running cohort process: stop that one, or give this one its own --data-dir`,
      {
        cause,
      },
    );
  }
}

/** Takes the lock, or throws `DataDirLocked` at once. Makes the directory when it is missing. */
export function lockDataDir(dataDirectory: string): DataDirLock {
  mkdirSync(dataDirectory, { recursive: true, mode: 0o700 });
  const database = new DatabaseSync(join(dataDirectory, 'lock'), { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    throw new DataDirLocked(dataDirectory, error);
  }
  return { release: () => database.close() };
}
