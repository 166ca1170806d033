// Owns reading an exported file line by line, byte for byte, and what its trailer says of it.
import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { BadInput } from '#identity/start-input';
import type { ReadRecord } from '../replica/derived-state.ts';
import {
  isSealedLine,
  isTrailerLine,
  recordInLine,
  sealedInLine,
  type Trailer,
  trailerInLine,
} from './export-format.ts';
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
/** Some hundred records: those of longer parts outlive collections before they are applied. */
const PART_BYTES = 128 * 1024;
const LINE_BYTES_MAX = 8 * 2 ** 20;

/** Opens an export. Throws BadInput when there is no such file, or it is a folder. */
export function openExportSource(path: string): ExportSource {
  const status = statSync(path, { throwIfNoEntry: false });
  if (status === undefined) throw new BadInput(`there is no file ${path}: give --file an exported log`);
  if (status.isDirectory()) throw new BadInput(`${path} is a folder: give --file an exported log`);
  return new FileOfRecords(path, () => createReadStream(path, { highWaterMark: PART_BYTES }));
}

/** An export from its bytes. */
export function exportSourceOf(bytes: Uint8Array): ExportSource {
  return new FileOfRecords('the export', () => [bytes]);
}

class FileOfRecords implements ExportSource {
  readonly name: string;
  readonly #open: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  #reader = new ExportReader();

  constructor(name: string, open: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>) {
    this.name = name;
    this.#open = open;
  }

  get trailer(): Trailer | null {
    return this.#reader.trailer;
  }

  get problem(): FormProblem | null {
    return this.#reader.problem;
  }

  async close(): Promise<void> {}

  /** Ends early at the first line that cannot be one of an export; `problem` says so. */
  async *records(): AsyncGenerator<readonly ReadRecord[]> {
    const reader = new ExportReader();
    this.#reader = reader;
    for await (const lines of linesOf(this.#open())) {
      const batch: ReadRecord[] = [];
      for (const line of lines) {
        const record = reader.accept(line);
        if (record !== null) batch.push(record);
        if (reader.problem !== null) break;
      }
      if (batch.length > 0) yield batch;
      if (reader.problem !== null) return;
    }
    reader.end();
  }
}

/** The form of an export, line by line. */
export class ExportReader {
  trailer: Trailer | null = null;
  problem: FormProblem | null = null;
  #digest = createHash('sha256');
  #next = 0;
  /** What stands beside the record that has to come next. */
  #sealed: string | null = null;
  #hasEnded = false;

  /** One that has read the same lines. */
  copy(): ExportReader {
    const copy = new ExportReader();
    copy.trailer = this.trailer;
    copy.problem = this.problem;
    copy.#digest = this.#digest.copy();
    copy.#next = this.#next;
    copy.#sealed = this.#sealed;
    copy.#hasEnded = this.#hasEnded;
    return copy;
  }

  /** Takes the next line without its newline, or null for one without an end; the record in it, if it is one. */
  accept(line: Uint8Array | null): ReadRecord | null {
    if (line === null) return this.#find('incomplete', 'the last line is cut off', this.#hasEnded ? null : this.#next);
    if (this.#hasEnded) return this.#find('tampered', 'something follows the trailer', this.#next);
    if (this.#sealed === null) {
      if (isTrailerLine(line)) return this.#acceptTrailer(line);
      if (isSealedLine(line)) return this.#acceptSealed(line);
    }
    // No record comes near to it; what is longer was cut where the reading stopped.
    const exported = line.length > LINE_BYTES_MAX ? null : recordInLine(line, this.#next);
    if (exported === null) return this.#find('tampered', notRecord(this.#next), this.#next);
    this.#digest.update(line).update('\n');
    const sealed = this.#sealed;
    this.#sealed = null;
    return { ...exported, offset: this.#next++, sealed, appendTimeMs: null };
  }

  /** There are no more lines. */
  end(): void {
    const { trailer } = this;
    if (!this.#hasEnded)
      this.#find('incomplete', 'the trailer is missing, so the end may have been cut off', this.#next);
    else if (trailer !== null && trailer.records !== this.#next) {
      this.#find('tampered', `the trailer speaks of ${trailer.records} records, and there are ${this.#next}`, null);
    } else if (trailer !== null && trailer.sha256 !== this.#digest.digest('hex')) {
      this.#find('tampered', 'the bytes are not those that the trailer was written for', null);
    }
  }

  #acceptSealed(line: Uint8Array): null {
    this.#sealed = sealedInLine(line, this.#next);
    if (this.#sealed === null) return this.#find('tampered', notRecord(this.#next), this.#next);
    this.#digest.update(line).update('\n');
    return null;
  }

  #acceptTrailer(line: Uint8Array): null {
    this.#hasEnded = true;
    this.trailer = trailerInLine(line);
    return this.trailer === null ? this.#find('tampered', 'the trailer is not as it was written', null) : null;
  }

  #find(kind: FormProblem['kind'], message: string, offset: number | null): null {
    this.problem ??= { kind, message, offset };
    return null;
  }
}

function notRecord(offset: number): string {
  return `there is no record of an export where that of offset ${offset} has to be`;
}

/** The lines of a stream without their newlines; null for one at the end that has none. Ends at a line that is too long. */
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
    if (rest.length > LINE_BYTES_MAX) lines.push(rest);
    yield lines;
    if (rest.length > LINE_BYTES_MAX) return;
  }
  if (rest.length > 0) yield [null];
}
