// Owns how a row of a group's list of files is shown, in the list and in what is told of it.
import type { FileItem } from '#wire/control-api';
import type { FileView } from '#wire/tracker-api';

/** A file as the trackers describe it, as the control endpoint shows it. */
export function fileItem(file: FileView): FileItem {
  return {
    file: file.file,
    contentId: file.contentId,
    sharedBy: file.sharedBy,
    sharedAt: new Date(file.sharedAtMs).toISOString(),
    totalBytes: file.totalBytes,
    pieceBytes: file.pieceBytes,
    pieceCount: file.pieceCount,
    version: file.version ?? 1,
    seedersOnline: file.seedersOnline,
    completeCopies: file.seedersOnline,
    partialCopies: file.partialCopies ?? 0,
    wantedCopies: file.wantedCopies ?? 0,
  };
}
