// Owns pushing what came of one download to the disk while more comes, so that little is left to wait for at the end.
import type { Manifest } from '#domain/manifest';
import type { WorkerPool } from '../data-plane/worker-pool.ts';
import { partPath } from '../storage/content-layout.ts';

/** What may lie unsynced before it is pushed to the disk. */
const SYNC_BYTES = 64 * 1024 * 1024;
/** Most files that are opened for that: of more, all that waits on their file system is pushed. */
const SYNCED_FILES_MAX = 16;

export class PartSyncing {
  readonly #pool: WorkerPool;
  readonly #destination: string;
  #unsyncedBytes = 0;
  #isSyncing = false;

  constructor(pool: WorkerPool, destination: string) {
    this.#pool = pool;
    this.#destination = destination;
  }

  /** So many bytes more are in these files. */
  async wrote(bytes: number, files: Manifest['files']): Promise<void> {
    this.#unsyncedBytes += bytes;
    if (this.#unsyncedBytes < SYNC_BYTES || this.#isSyncing) return;
    this.#unsyncedBytes = 0;
    this.#isSyncing = true;
    // A problem shows again when the finished part is synced, and is dealt with there.
    const synced = { root: partPath(this.#destination), files: files.length > SYNCED_FILES_MAX ? null : files };
    await this.#pool.run('syncPart', synced).catch(() => null);
    this.#isSyncing = false;
  }
}
