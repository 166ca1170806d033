// Owns putting repaired pieces into content that is in its place: they were fetched into a part beside it and verified there, so
// the content itself gets verified bytes only, and a crash leaves a piece as damaged as it was, for the next recheck to find.
import { accessSync, constants, lstatSync, statSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Manifest } from '#domain/manifest';
import { geometryOf, type PieceIndex, pieceRange } from '#domain/piece-geometry';
import { ContentFiles } from './content-files.ts';
import { journalPath, partPath, pathOnDisk, fileTable } from './content-layout.ts';
import { checkDestination, isThere, makeFile, removePart } from './destination.ts';
import { syncTree } from './disk-sync.ts';
import { readJournal } from './part-journal.ts';
import { StorageFailure, writeFailure } from './storage-problem.ts';

const SLICE_BYTES = 256 * 1024;

/** Throws StorageFailure destination_unwritable or disk_full when the files that need it cannot be repaired. */
export function checkRepair(request: {
  readonly destination: string;
  readonly contentId: string;
  /** Those that are not as they should be. */
  readonly files: Manifest['files'];
  /** What has to be fetched. */
  readonly missingBytes: number;
  /** Whether a link at the destination is followed. */
  readonly throughLink: boolean;
}): void {
  const { destination, contentId, files, missingBytes, throughLink } = request;
  // What is missing is needed twice at the end: in the part, and where it belongs.
  const totalBytes = missingBytes + growthOf(destination, files);
  checkDestination({ destination, overwrite: true, totalBytes });
  const journal = readJournal(journalPath(destination));
  if (journal !== null && journal.contentId !== contentId) {
    const part = partPath(destination);
    throw new StorageFailure('destination_unwritable', `${part} is in the way: it belongs to another download`);
  }
  for (const { path } of files) {
    const names = path === '' ? [] : path.split('/');
    for (const depth of names.keys()) {
      checkKind(
        pathOnDisk(destination, { path: names.slice(0, depth).join('/') }),
        'folder',
        throughLink && depth === 0,
      );
    }
    const place = pathOnDisk(destination, { path });
    checkKind(place, 'file', throughLink && path === '');
    checkWritable(place);
  }
}

/** Bytes by which the files have to grow. */
function growthOf(destination: string, files: Manifest['files']): number {
  return files.reduce((sum, file) => {
    const bytes = statSync(pathOnDisk(destination, file), { throwIfNoEntry: false })?.size ?? 0;
    return sum + Math.max(0, file.bytes - bytes);
  }, 0);
}

/** A repair leaves alone what somebody put in the place of a file or folder, and what is somewhere else. */
function checkKind(path: string, kind: 'file' | 'folder', isLinkFollowed: boolean): void {
  const found = isLinkFollowed ? statSync(path, { throwIfNoEntry: false }) : lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined || (kind === 'file' ? found.isFile() : found.isDirectory())) return;
  const what = found.isSymbolicLink() ? 'is a link' : `is no ${kind}`;
  throw new StorageFailure('destination_unwritable', `${path} ${what}, and stands where a ${kind} has to be`);
}

function checkWritable(path: string): void {
  if (!isThere(path)) return;
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
  } catch (error) {
    throw writeFailure(error, path);
  }
}

/** Gives the files their lengths and the pieces their bytes, out of the part, and syncs what it wrote. */
export async function finishRepair(request: {
  readonly destination: string;
  /** Of the part, as `preparePart` returned it. */
  readonly identity: string | null;
  readonly manifest: Pick<Manifest, 'files' | 'pieceBytes' | 'totalBytes'>;
  readonly pieces: readonly PieceIndex[];
  /** Those that are not as they should be. */
  readonly files: Manifest['files'];
}): Promise<void> {
  const { destination, identity, manifest, pieces, files } = request;
  for (const file of files) {
    const path = pathOnDisk(destination, file);
    try {
      makeFile(path, file, { isInFolder: file.path !== '', isNew: false });
    } catch (error) {
      throw writeFailure(error, path);
    }
  }
  const geometry = geometryOf(manifest);
  const placed = fileTable({ begin: 0, files: manifest.files });
  const part = new ContentFiles(placed, [partPath(destination)], { flags: 'r', identity });
  const content = new ContentFiles(placed, [destination], { flags: 'r+', identity: null });
  const buffer = Buffer.allocUnsafeSlow(Math.min(SLICE_BYTES, manifest.pieceBytes));
  try {
    for (const piece of pieces) {
      const { begin, length } = pieceRange(geometry, piece);
      for (let at = 0; at < length; at += buffer.length) {
        const slice = buffer.subarray(0, Math.min(buffer.length, length - at));
        part.read(begin + at, slice);
        content.write(begin + at, slice);
        await nextTurn();
      }
    }
  } finally {
    part.close();
    content.close();
  }
  await syncTree({ root: destination, files });
}

/** Removes what an earlier repair or download of this very content left beside it. */
export function dropRepair({ destination, contentId }: { readonly destination: string; readonly contentId: string }) {
  if (readJournal(journalPath(destination))?.contentId === contentId) removePart({ destination });
}
