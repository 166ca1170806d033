// Owns pushing what was written to the disk, so that what is in its place is there after a loss of power too.
import { execFile } from 'node:child_process';
import { closeSync, fdatasync, fsyncSync, openSync, statfsSync } from 'node:fs';
import { promisify } from 'node:util';
import { foldersOf, pathOnDisk } from './content-layout.ts';
import { writeFailure } from './storage-problem.ts';

/** Each of more files waits for the disk once: then the whole file system is cheaper. */
const SYNCED_ALONE_MAX = 64;

/** How Linux numbers file systems that are memory and nothing else: tmpfs and ramfs. */
const MEMORY_TYPES: ReadonlySet<number> = new Set([0x01021994, 0x858458f6]);

const syncData = promisify(fdatasync);

/** What is to be synced below a root. */
export interface SyncedTree {
  readonly root: string;
  readonly files: readonly { readonly path: string }[];
  readonly emptyFolders?: readonly string[];
}

/** Syncs the files of a tree, and the folders that their names are in. Throws StorageFailure disk_full, destination_unwritable. */
export async function syncTree({ root, files, emptyFolders = [] }: SyncedTree): Promise<void> {
  if (files.length > SYNCED_ALONE_MAX && (await syncFileSystem(root))) return;
  await syncFiles({ root, files });
  if (files[0]?.path === '') return;
  for (const folder of ['', ...foldersOf(files, emptyFolders)]) {
    const path = pathOnDisk(root, { path: folder });
    try {
      syncFolder(path);
    } catch (error) {
      throw writeFailure(error, path);
    }
  }
}

/** Syncs files, off the event loop. Throws StorageFailure like `syncTree`. */
export async function syncFiles({ root, files }: SyncedTree): Promise<void> {
  for (const file of files) {
    const path = pathOnDisk(root, file);
    try {
      const handle = openSync(path, 'r+');
      await syncData(handle).finally(() => closeSync(handle));
    } catch (error) {
      throw writeFailure(error, path);
    }
  }
}

/** Syncs one folder. */
export function syncFolder(folder: string): void {
  // Windows cannot open a folder; there the rename is durable by itself.
  if (process.platform === 'win32') return;
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/**
 * Syncs the file system that a path is on; false where that cannot be done. Node has no call for it, and the program that has it is
 * a part of Linux.
 */
export function syncFileSystem(path: string): Promise<boolean> {
  if (process.platform !== 'linux') return Promise.resolve(false);
  if (isMemory(path)) return Promise.resolve(true);
  return new Promise((resolve) => execFile('sync', ['-f', '--', path], (error) => resolve(error === null)));
}

function isMemory(path: string): boolean {
  try {
    return MEMORY_TYPES.has(statfsSync(path).type);
  } catch {
    return false;
  }
}
