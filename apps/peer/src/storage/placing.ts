// Owns putting files of an unfinished download in place: those that are wanted, each whole and synced, while the rest of the content
// stays in the part. From the first one on the destination is the download's own, which the journal says before anything is there.
// Nothing that somebody else has put into it is written over.
import { lstatSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { hasBit } from '#domain/bitfield';
import { type PieceSpan, pieceSpans } from '#domain/file-priorities';
import { ancestorsOf, type Manifest } from '#domain/manifest';
import { type FileStamp, identityOf, stampFile } from './content-files.ts';
import { journalPath, partPath, pathOnDisk } from './content-layout.ts';
import { isThere, newAsidePath, removePart } from './destination.ts';
import { syncFolder, syncTree } from './disk-sync.ts';
import { JournalWriter, readJournal } from './part-journal.ts';
import { StorageFailure, writeFailure } from './storage-problem.ts';

type Files = Manifest['files'];

/** An unfinished download, and what its content splits into. */
interface SplitContent {
  readonly destination: string;
  readonly files: Files;
  readonly pieceBytes: number;
}

/**
 * Which files of an unfinished download are in place, by what they are there; null for each other one. One that the part has, or
 * that never was whole, was not put in place, whatever is there under its name.
 */
export function findPlaced({ destination, files, pieceBytes }: SplitContent): (FileStamp | null)[] {
  const journal = readJournal(journalPath(destination));
  if (journal?.hasPlaced !== true) return files.map(() => null);
  const part = partPath(destination);
  const listed = journal.listed(Math.ceil(files.reduce((sum, { bytes }) => sum + bytes, 0) / pieceBytes));
  const spans = pieceSpans({ files, pieceBytes });
  return files.map((file, position) => {
    const path = pathOnDisk(destination, file);
    if (isThere(pathOnDisk(part, file)) || !areListed(listed, spans[position]!)) return null;
    return lstatSync(path, { throwIfNoEntry: false })?.isFile() === true ? stampFile(path) : null;
  });
}

function areListed(listed: Uint8Array, { first, end }: PieceSpan): boolean {
  for (let piece = first; piece < end; piece++) if (!hasBit(listed, piece)) return false;
  return true;
}

/** What is to be put in place. */
export interface Placing extends SplitContent {
  readonly contentId: string;
  readonly overwrite: boolean;
  /** Of the part, as `preparePart` returned it. */
  readonly identity: string | null;
  /** Positions of those that are whole, and belong in place. */
  readonly wanted: readonly number[];
}

/** Puts files in place; those that are there already stay. Answers like `findPlaced`. */
export async function placeFiles(request: Placing): Promise<(FileStamp | null)[]> {
  const { identity, wanted, ...content } = request;
  const { destination, files } = content;
  const part = partPath(destination);
  if (identityOf(part) !== identity) throw unwritable(`${part} was replaced by something else meanwhile`);
  const placed = findPlaced(content);
  const moving = wanted.filter((position) => placed[position] === null).map((position) => files[position]!);
  for (const file of moving) checkLength(pathOnDisk(part, file), file.bytes);
  await syncTree({ root: part, files: moving });
  try {
    const replaced = takeDestination(request);
    for (const file of moving) move(file, { part, destination });
    for (const folder of new Set(moving.map(({ path }) => dirname(path)))) {
      syncFolder(pathOnDisk(destination, { path: folder === '.' ? '' : folder }));
    }
    syncFolder(dirname(destination));
    if (replaced !== null) rmSync(replaced, { recursive: true });
  } catch (error) {
    throw error instanceof StorageFailure ? error : writeFailure(error, destination);
  }
  return findPlaced(content);
}

/** Puts in place what is not there yet of content that is whole, and ends the part. Answers with the stamps of all files. */
export async function finishPlaced(
  request: Omit<Placing, 'wanted'> & { readonly emptyFolders?: readonly string[] },
): Promise<FileStamp[]> {
  const { destination, files, emptyFolders = [] } = request;
  const stamps = await placeFiles({ ...request, wanted: [...files.keys()] });
  try {
    for (const path of emptyFolders) makeFolders(destination, path);
  } catch (error) {
    throw error instanceof StorageFailure ? error : writeFailure(error, destination);
  }
  removePart({ destination });
  return stamps.map((stamp, position) => {
    if (stamp !== null) return stamp;
    throw unwritable(`${pathOnDisk(destination, files[position]!)} was taken away meanwhile`);
  });
}

/** Makes the destination the download's own. What may be overwritten steps aside: the answer is where it is then. */
function takeDestination(request: Placing): string | null {
  const { destination, overwrite } = request;
  const isOwn = readJournal(journalPath(destination))?.hasPlaced === true;
  const isInTheWay = !isOwn && isThere(destination);
  if (isInTheWay && !overwrite) throw existsFailure(destination);
  const aside = isInTheWay ? newAsidePath(destination) : null;
  if (aside !== null) renameSync(destination, aside);
  if (!isOwn) notePlacing(request);
  if (!isThere(destination)) mkdirSync(destination);
  refuseOthers(destination);
  return aside;
}

function notePlacing({ destination, contentId }: Placing): void {
  const journal = new JournalWriter(destination, contentId);
  try {
    journal.appendPlacing();
  } finally {
    journal.close();
  }
}

function move(
  file: Files[number],
  { part, destination }: { readonly part: string; readonly destination: string },
): void {
  const folder = ancestorsOf(file.path).at(-1);
  if (folder !== undefined) makeFolders(destination, folder);
  const place = pathOnDisk(destination, file);
  if (isThere(place)) throw existsFailure(place);
  renameSync(pathOnDisk(part, file), place);
}

function makeFolders(destination: string, path: string): void {
  for (const folder of [...ancestorsOf(path), path]) {
    const place = pathOnDisk(destination, { path: folder });
    if (isThere(place)) refuseOthers(place);
    else mkdirSync(place);
  }
}

/** Nothing is put through a link, nor into what is no folder. */
function refuseOthers(place: string): void {
  if (lstatSync(place).isDirectory()) return;
  throw unwritable(`${place} is no folder, and stands where one of the download has to be`);
}

function checkLength(path: string, bytes: number): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found?.isFile() !== true || found.size !== bytes)
    throw unwritable(`${path} was changed by somebody else meanwhile`);
}

function existsFailure(path: string): StorageFailure {
  return new StorageFailure('destination_exists', `${path} was made by somebody else meanwhile`);
}

function unwritable(detail: string): StorageFailure {
  return new StorageFailure('destination_unwritable', detail);
}
