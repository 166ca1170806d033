// Owns the folder that `npm start` keeps its system in: one start at a time, and what a fresh start takes away, which is what
// starts have made and nothing else: a person may name any folder, and keep files of their own in it.
import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type DataDirLock, DataDirUnusable, lockDataDir } from '#identity/data-dir-lock';
import { COPY_NAME } from './next-commands.ts';

const MADE = /^(?:tracker-[12]|alice|bob|tracker_info\.txt|cohort-log\.sqlite(?:-wal|-shm)?)$/;

/** The folder is held by a start or by something that runs in it. The message says what to do. */
export class StateInUse extends Error {}

/** A folder that is held until `release`. */
export interface StateFolder extends DataDirLock {
  /** Whether an earlier start has left its system in it. */
  readonly isContinued: boolean;
}

/** Takes the folder, emptied of what earlier starts have left when `fresh`. Throws `StateInUse`, having removed nothing. */
export async function takeStateFolder(folder: string, { fresh }: { readonly fresh: boolean }): Promise<StateFolder> {
  const lock = locked(folder);
  try {
    if (fresh) await forget(folder);
    return { isContinued: existsSync(join(folder, 'tracker_info.txt')), release: () => lock.release() };
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function forget(folder: string): Promise<void> {
  const made = (await readdir(folder)).filter((name) => MADE.test(name) || name === COPY_NAME);
  const inside = made.map((name) => join(folder, name)).filter((path) => existsSync(join(path, 'lock')));
  // What was started by hand on one of them would lose its data while it runs.
  for (const path of inside) locked(path).release();
  await Promise.all(made.map((name) => rm(join(folder, name), { recursive: true, force: true })));
}

function locked(path: string): DataDirLock {
  try {
    return lockDataDir(path);
  } catch (error) {
    if (!(error instanceof DataDirUnusable)) throw error;
    if (!error.isBusy) throw new StateInUse(error.message, { cause: error });
    throw new StateInUse(
      `${path} is in use: a system runs there already. End it with Ctrl-C where it was started, or keep another one elsewhere with: npm start -- --state <folder>`,
      { cause: error },
    );
  }
}
