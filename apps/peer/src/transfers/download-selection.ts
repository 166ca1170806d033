// Owns what is wanted of one download as a person says it, kept with its record, and what its readers wait for: in globs until it is
// known what there is, and then as priorities for the engine. What matches nothing is told to whoever asks, or ends the download when
// nobody does any more.
import { type WantedFiles, wantedBytesIn, wantedFiles } from '#domain/file-priorities';
import type { Manifest } from '#domain/manifest';
import { PRIORITIES } from '#domain/piece-priorities';
import type { TransferReasonView } from '#wire/control-api';
import { decodeManifest } from '#wire/manifest-codec';
import { PLACES } from '../storage/content-layout.ts';
import type { Download } from '../swarm/transfer-engine.ts';
import type { DownloadRecord } from './transfer-record.ts';
import {
  changedSelection,
  filePriorities,
  NO_SELECTION,
  type SelectionChange,
  type SelectionProblem,
  selectionProblem,
  sharePaths,
} from './wanted-files.ts';

/** Whom a selection tells of what it comes to, and of what its readers wait for. */
interface SelectionListener {
  /** What was asked for turned out to be nothing. */
  readonly cannotBe: (reason: TransferReasonView) => void;
  /** The engine's download of it; null while there is none. */
  readonly download: () => Download | null;
}

export class DownloadSelection {
  readonly #record: DownloadRecord;
  readonly #tell: SelectionListener;
  readonly #checked = Promise.withResolvers<SelectionProblem | null>();
  /** Files that somebody reads, by their positions, and how many do. */
  readonly #read = new Map<number, number>();
  /** What somebody waits for, also before there is an engine's download of it. */
  #hurried: { readonly pieces: readonly number[]; readonly arrived: () => void } | null = null;
  /** After it was said that only some of it is. */
  #isAllWanted = false;

  constructor(record: DownloadRecord, tell: SelectionListener) {
    this.#record = record;
    this.#tell = tell;
  }

  /** Resolves as soon as it is known what there is: with what is wrong with the selection, or null. */
  get checked(): Promise<SelectionProblem | null> {
    return this.#checked.promise;
  }

  /** For the engine, when it is known what there is. A selection that cannot be wants nothing, and ends the download. */
  priorities({ files }: Pick<Manifest, 'files'>): Uint8Array {
    const { selection = NO_SELECTION, file, temporary } = this.#record;
    const paths = sharePaths(files, file);
    const { only, priorities } = selection;
    // Who asked for a file that there is not is told where it is opened.
    if (temporary === true) return isOneFile(files) ? wholly(files) : filePriorities(selection, paths);
    const problem = selectionProblem(NO_SELECTION, { priorities, ...(only !== null && { only }) }, paths);
    this.#checked.resolve(problem);
    if (problem === null) return filePriorities(selection, paths);
    queueMicrotask(() => this.#tell.cannotBe(reasonOf(problem)));
    return new Uint8Array(files.length);
  }

  /** As the selection is now, of content that is known; null while nobody has said what is wanted. */
  prioritiesIn(manifestBytes: Uint8Array): Uint8Array | null {
    if (this.#record.selection === undefined && !this.#isAllWanted) return null;
    const decoded = decodeManifest(manifestBytes);
    return decoded.ok ? this.priorities(decoded.manifest) : null;
  }

  /** Whether a file is wanted, or read, that is not in place, nor left to its owner, as `PLACES` has it. */
  lacks(manifestBytes: Uint8Array, placed: Uint8Array = new Uint8Array()): boolean {
    const priorities = this.prioritiesIn(manifestBytes) ?? [];
    const isWanted = (position: number): boolean =>
      priorities[position] !== PRIORITIES.skip || this.#read.has(position);
    return priorities.some(
      (_priority, position) => isWanted(position) && (placed[position] ?? PLACES.part) === PLACES.part,
    );
  }

  /** Fetches these pieces before all others, in this order; `arrived` is called for each that comes. */
  hurry(pieces: readonly number[], arrived: () => void): void {
    this.#hurried = { pieces, arrived };
    this.#tell.download()?.hurry(pieces, arrived);
  }

  /** A download has just begun: what its readers want of it. */
  tellReaders(download: Download): void {
    download.readAlso([...this.#read.keys()]);
    if (this.#hurried !== null) download.hurry(this.#hurried.pieces, this.#hurried.arrived);
  }

  /** Somebody reads a file. Returns how to say that it is read no more; of what is there for readers alone it stays wanted. */
  beginReading(position: number): () => void {
    this.#countReaders(position, 1);
    return () => this.#countReaders(position, -1);
  }

  /** From now on everything is wanted. */
  wantAll(): void {
    delete this.#record.selection;
    this.#isAllWanted = true;
    const download = this.#tell.download();
    const manifestBytes = download?.manifestBytes() ?? null;
    const priorities = manifestBytes === null ? null : this.prioritiesIn(manifestBytes);
    if (priorities !== null) download?.prioritize(priorities);
  }

  /**
   * Takes a change, checked against what there is when that is known. Returns the priorities of the files now, null when it is not
   * known what there is, or what is wrong with the change.
   */
  change(change: SelectionChange, manifestBytes: Uint8Array | null): Uint8Array | SelectionProblem | null {
    const { selection = NO_SELECTION, file } = this.#record;
    const decoded = manifestBytes === null ? null : decodeManifest(manifestBytes);
    const paths = decoded?.ok === true ? sharePaths(decoded.manifest.files, file) : null;
    const problem = paths === null ? null : selectionProblem(selection, change, paths);
    if (problem !== null) return problem;
    this.#record.selection = changedSelection(selection, change);
    if (paths === null || decoded?.ok !== true) return null;
    const priorities = filePriorities(this.#record.selection, paths);
    this.#count(wantedFiles(decoded.manifest, priorities));
    return priorities;
  }

  /** How much is wanted, and there, is known at once, whenever the engine goes on with it. */
  #count(wanted: WantedFiles): void {
    this.#record.wantedBytes = wanted.totalBytes;
    this.#record.verifiedBytes = wantedBytesIn(wanted, Buffer.from(this.#record.bitfield, 'base64'));
  }

  #countReaders(position: number, more: 1 | -1): void {
    const before = this.#read.size;
    const count = (this.#read.get(position) ?? 0) + more;
    if (count === 0 && this.#record.temporary !== true) this.#read.delete(position);
    else this.#read.set(position, count);
    if (this.#read.size !== before) this.#tell.download()?.readAlso([...this.#read.keys()]);
  }
}

function isOneFile(files: Manifest['files']): boolean {
  return files.length === 1 && files[0]!.path === '';
}

function wholly(files: Manifest['files']): Uint8Array {
  return new Uint8Array(files.length).fill(PRIORITIES.normal);
}

function reasonOf({ field, message }: SelectionProblem): TransferReasonView {
  return {
    code: 'nothing_matches',
    detail: `What was asked for (${field}) ${message}.`,
    action: 'Say what is wanted with prioritize, then resume it.',
  };
}
