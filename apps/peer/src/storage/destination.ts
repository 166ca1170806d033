// Owns a download's place on disk from the first check to the finished file: a part beside the destination, and a journal; at the
// end synced and renamed, so a destination that exists is whole. Files of a folder are made when their first bytes come. The
// journal is made before the part: a part without one is not ours and is left alone.
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statfsSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { randomBytes } from 'node:crypto';
import { dirname } from 'node:path';
import { type FileStamp, identityOf, NO_LINK, stampFile } from './content-files.ts';
import { asidePath, foldersOf, journalPath, type ListedFile, modeOf, partPath, pathOnDisk } from './content-layout.ts';
import { syncFiles, syncFileSystem, syncFolder, syncTree } from './disk-sync.ts';
import { isJournal, journalHead, readJournal } from './part-journal.ts';
import { StorageFailure, writeFailure } from './storage-problem.ts';
import { refuseForWindows } from './windows-names.ts';

/** Where a download goes, and what for. */
export interface DestinationRequest {
  readonly destination: string;
  readonly overwrite: boolean;
  readonly totalBytes: number;
}

/** Throws StorageFailure destination_exists, destination_unwritable or disk_full when a download cannot go there. */
export function checkDestination({ destination, overwrite, totalBytes }: DestinationRequest): void {
  if (!overwrite && isThere(destination)) {
    throw new StorageFailure('destination_exists', `${destination} exists already`);
  }
  const folder = dirname(destination);
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new StorageFailure('destination_unwritable', `${folder} is not a folder that can be written to`, {
      cause: error,
    });
  }
  refuseOthersFiles(destination);
  checkSpace(destination, totalBytes - bytesOnDisk(partPath(destination)));
}

function refuseOthersFiles(destination: string): void {
  const [part, journal] = [partPath(destination), journalPath(destination)];
  const inTheWay = isThere(journal) ? journal : isThere(part) ? part : null;
  if (inTheWay === null || (inTheWay === journal && isOwnJournal(journal))) return;
  throw new StorageFailure('destination_unwritable', `${inTheWay} is in the way and is not a download`);
}

function isOwnJournal(journal: string): boolean {
  try {
    return isJournal(journal);
  } catch (error) {
    throw writeFailure(error, journal);
  }
}

function checkSpace(destination: string, neededBytes: number): void {
  const { bavail, bsize } = statfsSync(dirname(destination));
  const freeBytes = bavail * bsize;
  if (neededBytes <= freeBytes) return;
  throw new StorageFailure('disk_full', `${neededBytes} bytes are needed beside ${destination}, ${freeBytes} are free`);
}

/** Bytes that a file takes on disk already; a folder counts as nothing, which only asks for more room than needed. */
function bytesOnDisk(path: string): number {
  try {
    const entry = lstatSync(path);
    return entry.isFile() ? Math.min(entry.size, entry.blocks * 512) : 0;
  } catch {
    return 0;
  }
}

/** Whether there is anything at a path, a link that leads nowhere too. */
export function isThere(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

/** What an earlier start left: the manifest and the pieces that its journal lists, still to be checked. */
export interface EarlierPart {
  readonly manifestBytes: Uint8Array;
  readonly listed: Uint8Array;
  /** Files of it are in place: what is at the destination is its own. */
  readonly hasPlaced: boolean;
}

/** What is there of this content at a destination from an earlier start, or null. Of a removal that broke off it may be without its part. */
export function findEarlierPart(request: {
  readonly destination: string;
  readonly contentId: string;
  readonly pieceCount: number;
}): EarlierPart | null {
  const journal = readJournal(journalPath(request.destination));
  if (journal?.contentId !== request.contentId) return null;
  const { manifestBytes, hasPlaced } = journal;
  if (!hasPlaced && !existsSync(partPath(request.destination))) return null;
  return { manifestBytes, hasPlaced, listed: journal.listed(request.pieceCount) };
}

/**
 * Makes the journal and the part, or goes on with those that are there for the same content. Returns the part's identity:
 * another process may begin a download at the same place, and then the part there is another one.
 */
export function preparePart(request: {
  readonly destination: string;
  readonly contentId: string;
  readonly manifestBytes: Uint8Array;
  readonly files: readonly ListedFile[];
  readonly emptyFolders?: readonly string[];
}): string {
  const { destination, files, emptyFolders = [] } = request;
  refuseForWindows(destination, [...files, ...emptyFolders.map((path) => ({ path }))]);
  const part = partPath(destination);
  const aside = newAsidePath(destination);
  const journal = readOwnJournal(destination);
  try {
    const isSame = journal?.contentId === request.contentId;
    const isTold = journal !== null && isSame && Buffer.from(request.manifestBytes).equals(journal.manifestBytes);
    // A journal outlives its part when somebody takes that away, or when a start or a removal breaks off between the two.
    const goesOn = isTold && isThere(part);
    if (goesOn || (isTold && journal.hasPlaced)) {
      // It alone says that what is at the destination is the download's own.
      truncateSync(journalPath(destination), journal.soundBytes);
      if (!goesOn) makeRoot(part, files);
    } else {
      // Not written over: whoever still writes to the old part and its journal does so beside the new ones.
      if (isThere(part)) renameSync(part, aside);
      replaceJournal(destination, journalHead(request.contentId, request.manifestBytes));
      makeRoot(part, files);
    }
    const folders = foldersOf(files, emptyFolders);
    if (goesOn) refuseLinks(part, [...folders, ...files.map(({ path }) => path)]);
    makeTree(part, { files, folders, isNew: !goesOn });
  } catch (error) {
    throw error instanceof StorageFailure ? error : writeFailure(error, part);
  } finally {
    // Only now, so that the new part cannot be given the identity of the old one.
    rmSync(aside, { recursive: true, force: true });
  }
  const identity = identityOf(part);
  // Every download makes its journal first: while this one is there, the part that was just looked at is not another's.
  const isOurs = readOwnJournal(destination)?.contentId === request.contentId;
  // Without an identity any root would do, and what is at the destination would be written.
  if (isOurs && identity !== null) return identity;
  if (isOurs) throw new StorageFailure('destination_unwritable', `${part} was taken away meanwhile`);
  throw new StorageFailure('destination_unwritable', `another process has begun a download to ${destination}`);
}

/** Throws when something is there: another process makes a part of its own just now. */
function makeRoot(part: string, [first]: readonly ListedFile[]): void {
  if (first?.path === '') closeSync(openSync(part, 'wx', modeOf(first)));
  else mkdirSync(part);
}

/**
 * Folders, and the files that no bytes will come for. The others are made when their first bytes come; the only file of a share
 * that is no folder has its full length from the start.
 */
function makeTree(
  part: string,
  {
    files,
    folders,
    isNew,
  }: { readonly files: readonly ListedFile[]; readonly folders: readonly string[]; readonly isNew: boolean },
): void {
  for (const folder of folders) makeFolder(pathOnDisk(part, { path: folder }), isNew);
  for (const file of files) {
    const isInFolder = file.path !== '';
    if (isInFolder && file.bytes > 0) continue;
    makeFile(pathOnDisk(part, file), file, { isInFolder, isNew: isInFolder && isNew });
  }
}

/** One that has to be new must not be there: the names of two folders are one on this disk. */
function makeFolder(path: string, isNew: boolean): void {
  try {
    mkdirSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    if (isNew) throw sameFileFailure(path, error);
  }
}

/** The stamps of files that are all there, each one of its own: two names may be one file on this disk. */
async function stampsOfWhole(part: string, files: readonly ListedFile[]): Promise<FileStamp[]> {
  const seen = new Map<number, string>();
  return files.map((file) => {
    const path = pathOnDisk(part, file);
    const stamp = stampFile(path);
    const other = seen.get(stamp.inode);
    // A number is not exact beyond 2^53, and what it stands for is.
    if (other !== undefined && identityOf(path) === identityOf(other)) throw sameFileFailure(path);
    seen.set(stamp.inode, path);
    if (stamp.bytes === file.bytes) return stamp;
    throw new StorageFailure('destination_unwritable', `${path} was changed by somebody else meanwhile`);
  });
}

function sameFileFailure(path: string, cause?: unknown): StorageFailure {
  const text = `${path} has two names in the share that are one on this disk: choose a disk that tells them apart`;
  return new StorageFailure('destination_unwritable', text, { cause });
}

/** Somebody else may have laid a part ready, with a link in it that leads out of it: nothing is written through one. */
function refuseLinks(part: string, paths: readonly string[]): void {
  for (const path of ['', ...paths]) {
    const onDisk = pathOnDisk(part, { path });
    if (lstatSync(onDisk, { throwIfNoEntry: false })?.isSymbolicLink() !== true) continue;
    throw new StorageFailure('destination_unwritable', `${onDisk} is a link, and stands where the download writes`);
  }
}

function replaceJournal(destination: string, head: Uint8Array): void {
  const aside = newAsidePath(destination);
  writeFileSync(aside, head, { flush: true });
  renameSync(aside, journalPath(destination));
}

/** Nobody's place yet. */
export function newAsidePath(destination: string): string {
  return asidePath(destination, randomBytes(4).toString('hex'));
}

function readOwnJournal(destination: string) {
  try {
    return readJournal(journalPath(destination));
  } catch (error) {
    throw writeFailure(error, journalPath(destination));
  }
}

/**
 * A file of its full length; what it holds already stays. One that has to be new must not be there: two names that differ in
 * case, or in how their characters are composed, are one file on some disks.
 */
export function makeFile(
  path: string,
  about: { readonly bytes: number; readonly executable?: true },
  { isInFolder, isNew }: { readonly isInFolder: boolean; readonly isNew: boolean },
): void {
  if (isInFolder) mkdirSync(dirname(path), { recursive: true });
  const { O_RDWR, O_CREAT, O_EXCL } = constants;
  const flags = O_RDWR | O_CREAT | (isInFolder ? NO_LINK : 0) | (isNew ? O_EXCL : 0);
  const file = openOrMake(path, { flags, mode: modeOf(about) });
  try {
    ftruncateSync(file, about.bytes);
  } finally {
    closeSync(file);
  }
}

function openOrMake(path: string, { flags, mode }: { readonly flags: number; readonly mode: number }): number {
  try {
    return openSync(path, flags, mode);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw sameFileFailure(path, error);
  }
}

/** Pushes what was written so far to the disk, so that little is left to do at the end: of those files that are there, or everything. */
export async function syncPart(request: {
  readonly root: string;
  readonly files: readonly ListedFile[] | null;
}): Promise<void> {
  const { root, files } = request;
  if (files === null) return void (await syncFileSystem(root));
  await syncFiles({ root, files: files.filter((file) => existsSync(pathOnDisk(root, file))) });
}

/** Syncs the part and puts it in place of the destination, then removes the journal. Returns the stamps of the files. */
export async function finishPart(request: {
  readonly destination: string;
  readonly overwrite: boolean;
  /** As `preparePart` returned it. */
  readonly identity: string | null;
  readonly files: readonly ListedFile[];
  readonly emptyFolders?: readonly string[];
}): Promise<FileStamp[]> {
  const { destination, overwrite, identity, files, emptyFolders = [] } = request;
  const part = partPath(destination);
  refuseReplaced(part, identity);
  // Looking at many files takes as long as the disk takes, and being synced changes none of their stamps.
  const [, stamps] = await Promise.all([syncTree({ root: part, files, emptyFolders }), stampsOfWhole(part, files)]);
  refuseReplaced(part, identity);
  if (!overwrite && isThere(destination)) {
    throw new StorageFailure('destination_exists', `${destination} was made by somebody else meanwhile`);
  }
  try {
    replace(part, destination);
    syncFolder(dirname(destination));
    rmSync(journalPath(destination), { force: true });
  } catch (error) {
    throw writeFailure(error, destination);
  }
  return stamps;
}

function refuseReplaced(part: string, identity: string | null): void {
  if (identityOf(part) === identity) return;
  throw new StorageFailure('destination_unwritable', `${part} was replaced by something else meanwhile`);
}

/** A folder cannot be renamed over another one, nor over a file: the old one steps aside first. */
function replace(part: string, destination: string): void {
  const needsRoom = isThere(destination) && (lstatSync(part).isDirectory() || lstatSync(destination).isDirectory());
  if (!needsRoom) return renameSync(part, destination);
  const replaced = newAsidePath(destination);
  renameSync(destination, replaced);
  renameSync(part, destination);
  rmSync(replaced, { recursive: true });
}

/** Removes an unfinished download. */
export function removePart({ destination }: { readonly destination: string }): void {
  try {
    // The journal goes last: without it the part would pass for somebody else's file.
    if (!isJournal(journalPath(destination))) return;
    rmSync(partPath(destination), { recursive: true, force: true });
    rmSync(journalPath(destination), { force: true });
  } catch (error) {
    throw writeFailure(error, destination);
  }
}

/** Removes a download, finished or not. */
export function removeDownload({ destination }: { readonly destination: string }): void {
  try {
    const isOwn = isJournal(journalPath(destination));
    if (isOwn) rmSync(partPath(destination), { recursive: true, force: true });
    rmSync(destination, { recursive: true, force: true });
    // Last of all: without it what is left at the destination would pass for somebody else's.
    if (isOwn) rmSync(journalPath(destination), { force: true });
  } catch (error) {
    throw writeFailure(error, destination);
  }
}
