// Owns what is wanted of one download as a person says it, kept with its record: in globs until it is known what there is, and then as
// priorities for the engine. What matches nothing is told to whoever asks, or ends the download when nobody does any more.
import type { Manifest } from '#domain/manifest';
import { PRIORITIES } from '#domain/piece-priorities';
import type { TransferReasonView } from '#wire/control-api';
import { decodeManifest } from '#wire/manifest-codec';
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

export class DownloadSelection {
  readonly #record: DownloadRecord;
  readonly #onProblem: (reason: TransferReasonView) => void;
  readonly #checked = Promise.withResolvers<SelectionProblem | null>();

  constructor(record: DownloadRecord, onProblem: (reason: TransferReasonView) => void) {
    this.#record = record;
    this.#onProblem = onProblem;
  }

  /** Resolves as soon as it is known what there is: with what is wrong with the selection, or null. */
  get checked(): Promise<SelectionProblem | null> {
    return this.#checked.promise;
  }

  /** For the engine, when it is known what there is. A selection that cannot be wants nothing, and ends the download. */
  priorities({ files }: Pick<Manifest, 'files'>): Uint8Array {
    const { selection = NO_SELECTION, file } = this.#record;
    const paths = sharePaths(files, file);
    const { only, priorities } = selection;
    const problem = selectionProblem(NO_SELECTION, { priorities, ...(only !== null && { only }) }, paths);
    this.#checked.resolve(problem);
    if (problem === null) return filePriorities(selection, paths);
    queueMicrotask(() => this.#onProblem(reasonOf(problem)));
    return new Uint8Array(files.length);
  }

  /** As the selection is now, of content that is known; null while nobody has said what is wanted. */
  prioritiesIn(manifestBytes: Uint8Array): Uint8Array | null {
    const decoded = decodeManifest(manifestBytes);
    return decoded.ok && this.#record.selection !== undefined ? this.priorities(decoded.manifest) : null;
  }

  /** Whether a file is wanted that is not in place, by a 1 for each that is. */
  lacks(manifestBytes: Uint8Array, placed: Uint8Array = new Uint8Array()): boolean {
    const priorities = this.prioritiesIn(manifestBytes) ?? [];
    return priorities.some((priority, position) => priority !== PRIORITIES.skip && placed[position] !== 1);
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
    return paths === null ? null : filePriorities(this.#record.selection, paths);
  }
}

function reasonOf({ field, message }: SelectionProblem): TransferReasonView {
  return {
    code: 'nothing_matches',
    detail: `What was asked for (${field}) ${message}.`,
    action: 'Say what is wanted with prioritize, then resume it.',
  };
}
