// Owns backups of a log: exports with what stands beside the records, so that they hold password hashes and only their owner may
// read them. One is there as a whole or not at all, and nothing of one is taken before all of it has been looked at.
import { createHash, randomUUID } from 'node:crypto';
import { constants, existsSync, rmSync } from 'node:fs';
import { type FileHandle, link, open, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { flushFolder } from '#identity/durable-file';
import { BadInput } from '#identity/start-input';
import { decodeLogRecord } from '#wire/log-record';
import { exportLine, sealedLine, trailerLine } from '../audit/export-format.ts';
import { type ExportSource, openExportSource } from '../audit/export-source.ts';
import { trailerOf } from '../audit/export-writing.ts';
import type { AuditSource } from '../audit/replay.ts';
import { verify } from '../audit/verification.ts';
import type { StoredRecord } from '../command-log/command-log.ts';
import type { CopiedExtent, CopySource, CopyTarget } from './copy-end.ts';

const FILE_MODE = 0o600;
/** A file of our own making: no link of somebody else's is followed, and nothing is written over. Windows knows no O_NOFOLLOW. */
const MADE_ANEW = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);

/** A backup that is read. */
export class BackupSource implements CopySource {
  readonly name: string;
  readonly #export: ExportSource;

  /** Throws BadInput when there is no such file. */
  constructor(path: string) {
    if (!existsSync(path)) throw new BadInput(`--from: there is no file ${path}`);
    this.#export = openExportSource(path);
    this.name = path;
  }

  get trailer(): ExportSource['trailer'] {
    return this.#export.trailer;
  }

  records(): AsyncIterable<readonly StoredRecord[]> {
    return this.#export.records();
  }

  async prove(): Promise<void> {
    const { verdict, problem } = await verify(this.#export);
    if (verdict !== 'sound') throw new BadInput(`${this.name} is no backup to go on from: ${problem}`);
    await this.#refuseWithoutSecrets();
  }

  async refuseUse(): Promise<void> {}

  async close(): Promise<void> {}

  /** An export would make a log in which nobody can log in. */
  async #refuseWithoutSecrets(): Promise<void> {
    let setsPasswords = false;
    for await (const batch of this.records()) {
      if (batch.some(({ sealed }) => sealed !== null)) return;
      setsPasswords ||= batch.some(setsPassword);
    }
    if (setsPasswords) {
      throw new BadInput(`${this.name} has no password hashes: it is an export of cohort audit, and no backup`);
    }
  }
}

function setsPassword({ value }: StoredRecord): boolean {
  return (decodeLogRecord(value)?.command.data as { commitment?: unknown } | undefined)?.commitment !== undefined;
}

/** A backup that is written, beside its name until it is proven; unless it is, nothing of it stays. */
export class BackupTarget implements CopyTarget {
  readonly name: string;
  readonly isLog = false;
  readonly heldCount = 0;
  readonly #file: FileHandle;
  readonly #unproven: string;
  readonly #digest = createHash('sha256');
  #records = 0;

  private constructor(path: string, { file, unproven }: { file: FileHandle; unproven: string }) {
    this.name = path;
    this.#file = file;
    this.#unproven = unproven;
  }

  /** Rejects with BadInput when there is a file of that name. */
  static async open(path: string): Promise<BackupTarget> {
    const whole = resolve(path);
    if (existsSync(whole)) throw isThere(path);
    const unproven = `${whole}.${randomUUID()}.new`;
    const file = await open(unproven, MADE_ANEW, FILE_MODE).catch((error: Error) => {
      throw new BadInput(`--to: ${path} cannot be written: ${error.message}`);
    });
    return new BackupTarget(whole, { file, unproven });
  }

  async take(records: readonly StoredRecord[]): Promise<void> {
    const lines = records.flatMap(({ value, sealed, offset }) => [
      ...(sealed === null ? [] : [sealedLine(sealed, offset)]),
      exportLine(value, offset),
    ]);
    const bytes = Buffer.concat(lines);
    this.#digest.update(bytes);
    this.#records += records.length;
    await this.#file.writeFile(bytes);
  }

  async finish(extent: CopiedExtent): Promise<void> {
    const trailer = trailerOf(extent, { records: this.#records, sha256: this.#digest.digest('hex') });
    await this.#file.writeFile(trailerLine({ ...trailer, auditor: null }));
    await this.#file.sync();
  }

  written(): AuditSource {
    return openExportSource(this.#unproven);
  }

  async keep(): Promise<void> {
    await publish(this.#unproven, this.name);
    await rm(this.#unproven, { force: true });
    await flushFolder(dirname(this.name));
  }

  async close(): Promise<void> {
    await this.#file.close();
    await rm(this.#unproven, { force: true });
  }

  /** For a process that ends at once: what is written holds all password hashes. */
  discard(): void {
    rmSync(this.#unproven, { force: true });
  }
}

/** A second name replaces nothing, as a new name would: somebody may have made a file of that name meanwhile. */
async function publish(unproven: string, path: string): Promise<void> {
  try {
    await link(unproven, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST' || existsSync(path)) throw isThere(path);
    // Some file systems have one name for each file.
    await rename(unproven, path);
  }
}

function isThere(path: string): BadInput {
  return new BadInput(`--to: ${path} is there already; name a new file`);
}
