// Owns making a transfer of a measurement no worse than the one before it on a virtual machine: memory that the machine never
// touched, or that was free for two seconds and went back to its host, is handed out by the host page by page, at several times
// the cost. A scratch folder in memory, or the page cache of one on disk, is therefore filled right before each measured transfer.
import { closeSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const CHUNK_BYTES = 16 * 2 ** 20;
/** How much of what is free may be taken for the moment. */
const PART_MAX = 0.8;

/** Writes so many bytes to a file in the folder and deletes it, fewer when the folder has no room for them. */
export function touchMemory(folder: string, bytes: number): void {
  const { bavail, bsize } = statfsSync(folder);
  const path = join(folder, 'touched');
  const chunk = new Uint8Array(CHUNK_BYTES);
  const file = openSync(path, 'wx');
  try {
    let left = Math.min(bytes, bavail * bsize * PART_MAX);
    while (left > 0) left -= writeSync(file, chunk, 0, Math.min(chunk.length, Math.ceil(left)));
  } finally {
    closeSync(file);
    rmSync(path);
  }
}
