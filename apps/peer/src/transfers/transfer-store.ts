// Owns the files of the transfers: one small JSON file for each, the manifests by content id, so that a share is served again
// after a restart without being hashed again, the limits that they keep to, and how far they are scrubbed.
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type FileReports, hasFields, readJsonIfSound, ReplacedFile } from '#identity/durable-file';
import type { LimitsBody, RateLimitsBody } from '#wire/control-limits';
import { ACTIVE_TRANSFERS_MAX, RATE_MAX, RATE_MIN } from '#wire/limits';
import { isKeptScrub, type KeptScrub } from './kept-scrub.ts';
import { isTransferRecord } from './transfer-record-check.ts';
import type { TransferRecord } from './transfer-record.ts';

export class TransferStore {
  readonly #directory: string;
  readonly #manifests: string;
  readonly #streams: string;
  readonly #limits: string;
  readonly #scrub: string;
  readonly #reports: FileReports;
  readonly #files = new Map<string, ReplacedFile>();

  private constructor(dataDirectory: string, reports: FileReports) {
    this.#reports = reports;
    this.#directory = join(dataDirectory, 'transfers');
    this.#manifests = join(dataDirectory, 'manifests');
    this.#streams = join(dataDirectory, 'streams');
    this.#limits = join(dataDirectory, 'limits.json');
    this.#scrub = join(dataDirectory, 'scrub.json');
  }

  static async open(dataDirectory: string, reports: FileReports): Promise<TransferStore> {
    const store = new TransferStore(dataDirectory, reports);
    await mkdir(store.#directory, { recursive: true, mode: 0o700 });
    await mkdir(store.#manifests, { recursive: true, mode: 0o700 });
    await mkdir(store.#streams, { recursive: true, mode: 0o700 });
    return store;
  }

  /** Every transfer, oldest first; one whose file is damaged is left out. */
  async loadAll(): Promise<TransferRecord[]> {
    const names = (await readdir(this.#directory)).filter((name) => name.endsWith('.json'));
    const check = { isSound: isTransferRecord, damaged: this.#reports.damaged };
    const found = await Promise.all(names.map((name) => readJsonIfSound(join(this.#directory, name), check)));
    const records = found.filter((record) => record !== null);
    return records.sort((left, right) => left.startedAtMs - right.startedAtMs);
  }

  /** Whether the file of a transfer was damaged, and lies beside the others still. */
  async hasDamaged(): Promise<boolean> {
    return (await readdir(this.#directory)).some((name) => name.endsWith('.damaged'));
  }

  /** A folder of its own for what is fetched for a reader. */
  newStreamFolder(): Promise<string> {
    return mkdtemp(join(this.#streams, 'stream-'));
  }

  /** Removes such a folder, of what was fetched into it and is gone. */
  async removeStreamFolder(path: string): Promise<void> {
    await rmdir(dirname(path)).catch(() => undefined);
  }

  /** Removes those of these folders in which none of the paths lies. */
  async keepStreamFolders(paths: readonly string[]): Promise<void> {
    const kept = new Set(paths.map((path) => dirname(path)));
    const folders = (await readdir(this.#streams)).map((name) => join(this.#streams, name));
    for (const folder of folders) if (!kept.has(folder)) await rm(folder, { recursive: true, force: true });
  }

  /** Resolves when the record, or a later state of it, is on the disk. */
  async save(record: TransferRecord): Promise<void> {
    await this.#file(this.#pathOf(record.transferId)).write(JSON.stringify(record, null, 2));
  }

  async remove(transferId: string): Promise<void> {
    await this.#remove(this.#pathOf(transferId));
  }

  /**
   * Several transfers may save the manifest of one content at once. Returns whether it is on the disk: without it the
   * content cannot be served after a restart.
   */
  async saveManifest(contentId: string, manifestBytes: Uint8Array): Promise<boolean> {
    const path = this.#manifestPath(contentId);
    const isSaved = await this.#file(path).write(manifestBytes);
    this.#files.delete(path);
    return isSaved;
  }

  /** The canonical bytes, or null when they are not there or are not those of the content. */
  async readManifest(contentId: string): Promise<Uint8Array | null> {
    const bytes = await readFile(this.#manifestPath(contentId)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null;
      throw error;
    });
    if (bytes === null) return null;
    return createHash('sha256').update(bytes).digest('hex') === contentId ? bytes : null;
  }

  async removeManifest(contentId: string): Promise<void> {
    await this.#remove(this.#manifestPath(contentId));
  }

  /** The limits that were saved last; null when none were, or when their file is damaged. */
  loadLimits(): Promise<LimitsBody | null> {
    return readJsonIfSound(this.#limits, { isSound: areLimits, damaged: this.#reports.damaged });
  }

  /** Resolves when these limits, or later ones, are on the disk. */
  async saveLimits(limits: LimitsBody): Promise<void> {
    await this.#file(this.#limits).write(JSON.stringify(limits, null, 2));
  }

  /** Where scrubbing was when that was saved last; null when it never was, or when its file is damaged. */
  loadScrub(): Promise<KeptScrub | null> {
    return readJsonIfSound(this.#scrub, { isSound: isKeptScrub, damaged: this.#reports.damaged });
  }

  async saveScrub(kept: KeptScrub): Promise<void> {
    await this.#file(this.#scrub).write(JSON.stringify(kept));
  }

  /** Resolves when nothing is being written. */
  async settled(): Promise<void> {
    await Promise.all([...this.#files.values()].map((file) => file.settled()));
  }

  /** Not before what is being written is there: it would come back. */
  async #remove(path: string): Promise<void> {
    await this.#files.get(path)?.settled();
    this.#files.delete(path);
    await rm(path, { force: true });
  }

  /** The one writer of a path. */
  #file(path: string): ReplacedFile {
    const file = this.#files.get(path) ?? new ReplacedFile(path, this.#reports.writeFailed);
    this.#files.set(path, file);
    return file;
  }

  #pathOf(transferId: string): string {
    return join(this.#directory, `${transferId}.json`);
  }

  #manifestPath(contentId: string): string {
    return join(this.#manifests, `${contentId}.manifest`);
  }
}

function areLimits(value: unknown): value is LimitsBody {
  const rates = { uploadBytesPerSecond: 'number?', downloadBytesPerSecond: 'number?' } as const;
  if (!hasFields(value, { ...rates, activeTransfers: 'number?', groups: 'object' })) return false;
  const { groups, activeTransfers } = value as LimitsBody;
  if (!Array.isArray(groups) || !groups.every((group) => hasFields(group, { ...rates, group: 'string' }))) return false;
  return [value as LimitsBody, ...groups].every(areRates) && isWithin(activeTransfers, 1, ACTIVE_TRANSFERS_MAX);
}

function areRates({ uploadBytesPerSecond, downloadBytesPerSecond }: RateLimitsBody): boolean {
  return [uploadBytesPerSecond, downloadBytesPerSecond].every((rate) => isWithin(rate, RATE_MIN, RATE_MAX));
}

/** Whether it is what a request could have set. */
function isWithin(limit: number | null, least: number, most: number): boolean {
  return limit === null || (Number.isInteger(limit) && limit >= least && limit <= most);
}
