// Owns the snapshots on disk: a folder in the tracker's data directory, with mode 0600, since password hashes are in them.
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { flushFolder } from '#identity/durable-file';
import type { SnapshotFiles } from './snapshot-files.ts';

const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;
const READ_BYTES = 1024 * 1024;
/** Flushed so often, so that the last flush has little left to do and the disk is not taken from the log for long. */
const FLUSH_BYTES = 32 * 1024 * 1024;
/** What a write puts its bytes under until all are there; a crash may leave one behind, and the next write takes its place. */
const UNFINISHED = 'unfinished';
/** A folder that stands where a file belongs goes as well: nothing here is worth keeping it. */
const ANYTHING = { force: true, recursive: true };

/** The real folder. Made when the first snapshot is written. */
export class SnapshotFolder implements SnapshotFiles {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async names(): Promise<readonly string[]> {
    try {
      return await readdir(this.#path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  }

  read(name: string): AsyncIterable<Uint8Array> {
    return createReadStream(join(this.#path, name), { highWaterMark: READ_BYTES });
  }

  async write(name: string, pieces: AsyncIterable<Uint8Array>): Promise<void> {
    await mkdir(this.#path, { recursive: true, mode: FOLDER_MODE });
    const unfinished = join(this.#path, UNFINISHED);
    try {
      await writeFlushed(unfinished, pieces);
      await rename(unfinished, join(this.#path, name));
    } catch (error) {
      await rm(unfinished, ANYTHING);
      throw error;
    }
    await flushFolder(this.#path);
  }

  async rename(from: string, to: string): Promise<void> {
    await rename(join(this.#path, from), join(this.#path, to));
    await flushFolder(this.#path);
  }

  async remove(name: string): Promise<void> {
    await rm(join(this.#path, name), ANYTHING);
  }
}

async function writeFlushed(path: string, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  const file = await open(path, 'w', FILE_MODE);
  try {
    let unflushedBytes = 0;
    for await (const piece of pieces) {
      await file.writeFile(piece);
      unflushedBytes += piece.length;
      if (unflushedBytes < FLUSH_BYTES) continue;
      await file.datasync();
      unflushedBytes = 0;
    }
    await file.sync();
  } finally {
    await file.close();
  }
}
