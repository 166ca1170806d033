// Owns what can go wrong with content on disk, as data: it crosses from worker threads to the main thread, where an error
// object would lose its code.

/** What kept a file operation from being done; `detail` is a sentence for the person whose disk it is. */
export interface StorageProblem {
  readonly code: StorageProblemCode;
  readonly detail: string;
}

export type StorageProblemCode =
  | 'source_missing'
  | 'source_changed'
  | 'source_unreadable'
  | 'source_unsupported'
  | 'destination_exists'
  | 'destination_unwritable'
  | 'disk_full'
  /** A file that was put in place was changed meanwhile: looking at what is there again tells what to do. */
  | 'placed_changed'
  | 'aborted';

/** A problem on its way up a worker's own stack; it never leaves the worker as an error. */
export class StorageFailure extends Error {
  readonly problem: StorageProblem;
  constructor(code: StorageProblemCode, detail: string, options?: ErrorOptions) {
    super(detail, options);
    this.problem = { code, detail };
  }
}

/** Result of a task: a value, or the problem. */
export type Outcome<Value> =
  { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly problem: StorageProblem };

/** Runs a task and turns a StorageFailure into its outcome. Other errors are bugs and pass. */
export async function outcomeOf<Value>(task: () => Value | Promise<Value>): Promise<Outcome<Value>> {
  try {
    return { ok: true, value: await task() };
  } catch (error) {
    if (error instanceof StorageFailure) return { ok: false, problem: error.problem };
    throw error;
  }
}

/** What an error of the file system means while a source is read. */
export function readFailure(error: unknown, path: string): StorageFailure {
  const { code, message } = error as NodeJS.ErrnoException;
  const isGone = code === 'ENOENT' || code === 'ENOTDIR';
  return isGone
    ? new StorageFailure('source_missing', `${path} is not there`, { cause: error })
    : new StorageFailure('source_unreadable', `${path} cannot be read: ${message}`, { cause: error });
}

const FULL_CODES: ReadonlySet<string | undefined> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** What an error of the file system means while a download is written. */
export function writeFailure(error: unknown, path: string): StorageFailure {
  const { code, message } = error as NodeJS.ErrnoException;
  return FULL_CODES.has(code)
    ? new StorageFailure('disk_full', `no room left to write ${path}`, { cause: error })
    : new StorageFailure('destination_unwritable', `${path} cannot be written: ${message}`, { cause: error });
}
