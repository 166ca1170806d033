// Owns putting files of an unfinished download in place: those that are wanted, each whole and synced, while the rest of the content
// stays in the part. From the first one on the destination is the download's own, which the journal says before anything is there.
// Nothing that somebody else has put into it is written over.
import { lstatSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { hasBit } from '#domain/bitfield';
import { type PieceSpan, pieceSpans } from '#domain/file-priorities';
import { ancestorsOf, type Manifest } from '#domain/manifest';
import { type FileStamp, identityOf, isSameStamp, placedChanged, stampFile, stampOf } from './content-files.ts';
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

/** What is in the place of the files of an unfinished download. */
export interface FoundPlaced {
  /** Of each file that was put in place, what it is there; null for each other one, and when it is seen not to be that file any more. */
  readonly stamps: readonly (FileStamp | null)[];
  /** Files that were seen to be changed by their owner. */
  readonly left: readonly number[];
  /** Files in whose place there is something of their owner's for sure. */
  readonly others: readonly number[];
}

/**
 * Looks at what is in place. A file that the part has, or that never was whole, was not put in place, whatever is there under its
 * name. What is there with another length is its owner's, although all its pieces may be sound: one that was appended to, or one
 * that has no pieces.
 */
export function findPlaced({ destination, files, pieceBytes }: SplitContent): FoundPlaced {
  const journal = readJournal(journalPath(destination));
  if (journal?.hasPlaced !== true) return { stamps: files.map(() => null), left: [], others: [] };
  const part = partPath(destination);
  const listed = journal.listed(Math.ceil(files.reduce((sum, { bytes }) => sum + bytes, 0) / pieceBytes));
  const spans = pieceSpans({ files, pieceBytes });
  const left = new Set(journal.left);
  const others: number[] = [];
  const stamps = files.map((file, position) => {
    const wasPlaced = !isThere(pathOnDisk(part, file)) && areListed(listed, spans[position]!);
    if (!wasPlaced && !left.has(position)) return null;
    const path = pathOnDisk(destination, file);
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (wasPlaced && found?.isFile() === true && found.size === file.bytes) return stampOf(found);
    if (found !== undefined) others.push(position);
    return null;
  });
  return { stamps, left: [...left], others };
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
  /** What was in place when the part was opened; null when nothing was. */
  readonly before: FoundPlaced['stamps'] | null;
  /** Positions of those that are left to their owner. */
  readonly left: ReadonlySet<number>;
}

/**
 * Puts files in place; those that are there already stay. The stamps of all that are in place then. Throws StorageFailure
 * destination_*, disk_full, placed_changed.
 */
export async function placeFiles(request: Placing): Promise<FoundPlaced['stamps']> {
  const { identity, wanted, left, ...content } = request;
  const { destination, files } = content;
  const part = partPath(destination);
  if (identityOf(part) !== identity) throw unwritable(`${part} was replaced by something else meanwhile`);
  const { stamps: placed } = findPlaced(content);
  refuseChanged(content, { before: request.before ?? [], now: placed });
  const movingPositions = wanted.filter((position) => placed[position] === null && !left.has(position));
  const moving = movingPositions.map((position) => files[position]!);
  for (const file of moving) checkLength(pathOnDisk(part, file), file.bytes);
  await syncTree({ root: part, files: moving });
  const before = [...placed];
  for (const position of movingPositions) before[position] = stampFile(pathOnDisk(part, files[position]!));
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
  // Being moved changes no stamp.
  const { stamps: now } = findPlaced(content);
  refuseChanged(content, { before, now });
  return now.map((stamp, position) => (left.has(position) ? null : stamp));
}

/** What was looked at before is what is there now. */
function refuseChanged(
  { destination, files }: SplitContent,
  { before, now }: { readonly before: FoundPlaced['stamps']; readonly now: FoundPlaced['stamps'] },
): void {
  for (const [position, stamp] of before.entries()) {
    const found = now[position] ?? null;
    if (stamp === null || (found !== null && isSameStamp(stamp, found))) continue;
    throw placedChanged(pathOnDisk(destination, files[position]!));
  }
}

/** Notes which files are left to their owner from now on. Throws StorageFailure disk_full, destination_unwritable. */
export function noteLeft(request: {
  readonly destination: string;
  readonly contentId: string;
  readonly positions: readonly number[];
}): void {
  const journal = new JournalWriter(request.destination, request.contentId);
  try {
    journal.appendLeft(request.positions);
  } finally {
    journal.close();
  }
}

/** Puts in place what is not there yet of content that is whole, and ends the part. Answers with the stamps of all files. */
export async function finishPlaced(
  request: Omit<Placing, 'wanted' | 'left'> & { readonly emptyFolders?: readonly string[] },
): Promise<FileStamp[]> {
  const { destination, files, emptyFolders = [] } = request;
  const stamps = await placeFiles({ ...request, wanted: [...files.keys()], left: new Set() });
  try {
    for (const path of emptyFolders) makeFolders(destination, path);
  } catch (error) {
    throw error instanceof StorageFailure ? error : writeFailure(error, destination);
  }
  const whole = stamps.map((stamp, position) => {
    if (stamp !== null) return stamp;
    throw unwritable(`${pathOnDisk(destination, files[position]!)} was taken away meanwhile`);
  });
  // Only now: without the part nobody goes on with what is not whole.
  removePart({ destination });
  return whole;
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
