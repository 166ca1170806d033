// Owns reading an exported file line by line, byte for byte, and what its trailer says of it.
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { BadInput } from '#identity/start-input';
import type { StoredRecord } from '../command-log/command-log.ts';
import { isTrailerLine, recordInLine, type Trailer, trailerInLine } from './export-format.ts';
import type { AuditSource } from './replay.ts';

/** What is wrong with the form of an export, and from which record on nothing can be relied on. */
export interface FormProblem {
  /** `tampered`: bytes are not those that were exported; `incomplete`: there is no trailer, so the end may be missing. */
  readonly kind: 'tampered' | 'incomplete';
  readonly message: string;
  /** Null when it may be any record. */
  readonly offset: number | null;
}

/** An export whose form is known when its records have been read. */
export interface ExportSource extends AuditSource {
  readonly trailer: Trailer | null;
  readonly problem: FormProblem | null;
}

const NEWLINE = 0x0a;
const LINE_BYTES_MAX = 8 * 2 ** 20;

/** Opens an export. Throws BadInput when there is no such file. */
export function openExportSource(path: string): ExportSource {
  if (!existsSync(path)) throw new BadInput(`there is no file ${path}: give --file an exported log`);
  return new FileOfRecords(path, () => createReadStream(path, { highWaterMark: 2 ** 20 }));
}

/** An export from its bytes. */
export function exportSourceOf(bytes: Uint8Array): ExportSource {
  return new FileOfRecords('the export', () => [bytes]);
}

class FileOfRecords implements ExportSource {
  readonly name: string;
  readonly #open: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  trailer: Trailer | null = null;
  problem: FormProblem | null = null;

  constructor(name: string, open: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>) {
    this.name = name;
    this.#open = open;
  }

  async close(): Promise<void> {}

  /** Ends early at the first line that cannot be one of an export; `problem` says so. */
  async *records(): AsyncGenerator<readonly StoredRecord[]> {
    const digest = createHash('sha256');
    let next = 0;
    let hasEnded = false;
    for await (const lines of linesOf(this.#open())) {
      const batch: StoredRecord[] = [];
      for (const line of lines) {
        if (line === null) this.#find('incomplete', 'the last line is cut off', hasEnded ? null : next);
        else if (hasEnded) this.#find('tampered', 'something follows the trailer', next);
        else if (isTrailerLine(line)) {
          hasEnded = true;
          this.trailer = trailerInLine(line);
          if (this.trailer === null) this.#find('tampered', 'the trailer is not as it was written', null);
        } else {
          const value = recordInLine(line, next);
          if (value === null) this.#find('tampered', `line ${next + 1} is no record of an export`, next);
          else batch.push({ offset: next++, value, sealed: null, appendTimeMs: null });
          digest.update(line).update('\n');
        }
        if (this.problem !== null) break;
      }
      if (batch.length > 0) yield batch;
      if (this.problem !== null) return;
    }
    if (!hasEnded) this.#find('incomplete', 'the trailer is missing, so the end may have been cut off', next);
    else this.#compare(next, digest.digest('hex'));
  }

  #compare(records: number, sha256: string): void {
    const { trailer } = this;
    if (trailer === null) return;
    if (trailer.records !== records) {
      this.#find('tampered', `the trailer speaks of ${trailer.records} records, and there are ${records}`, null);
    } else if (trailer.sha256 !== sha256) {
      this.#find('tampered', 'the bytes are not those that the trailer was written for', null);
    }
  }

  #find(kind: FormProblem['kind'], message: string, offset: number | null): void {
    this.problem ??= { kind, message, offset };
  }
}

/** The lines of a stream without their newlines; null for one at the end that has none. */
async function* linesOf(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<readonly (Uint8Array | null)[]> {
  let rest: Uint8Array = new Uint8Array(0);
  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const lines = [];
    let begin = 0;
    for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, begin)) {
      lines.push(bytes.subarray(begin, end));
      begin = end + 1;
    }
    rest = bytes.subarray(begin);
    if (rest.length > LINE_BYTES_MAX)
      throw new BadInput(`a line is longer than ${LINE_BYTES_MAX} bytes: this is no export`);
    yield lines;
  }
  if (rest.length > 0) yield [null];
}
