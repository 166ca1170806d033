// Owns what there is to share under a path: the walk through a folder, what is left out of it, and everything that cannot be shared,
// each refused by its path before a byte is read. What it keeps, and how long it holds up others, is bounded.
import { lstatSync, opendirSync, type Stats, statSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { MANIFEST_FILES_MAX, MANIFEST_PATH_BYTES_MAX } from '#domain/manifest';
import { fileNameProblem, utf8Bytes } from '#domain/names';
import { type FileStamp, stampOf } from './content-files.ts';
import { pathOnDisk } from './content-layout.ts';
import { readFailure, StorageFailure } from './storage-problem.ts';

/** Entries that are looked at before others have their turn. */
const ENTRIES_PER_TURN = 256;
/** Names of a folder that are read at once. */
const NAMES_AT_ONCE = 256;
/** The bit of a mode that lets the owner run a file. */
const OWNER_MAY_RUN = 0o100;

/** A file found under a source path. */
export interface ScannedFile {
  readonly path: string;
  readonly bytes: number;
  readonly stamp: FileStamp;
  /** Left out when it is not. */
  readonly executable?: true;
}

/** What is shared of a path: sorted by path in code unit order; a file itself is one entry with an empty path. */
export interface ScannedSource {
  readonly files: readonly ScannedFile[];
  /** Folders that hold nothing that is shared. */
  readonly emptyFolders: readonly string[];
}

/** What is to be shared. A path that `exclude` matches is left out, a folder with everything in it. */
export interface ScanRequest {
  readonly path: string;
  readonly exclude: readonly RegExp[];
  /** Most files with empty folders, and most folders; those of a manifest by default. */
  readonly entriesMax?: number;
}

/** Looks at everything under a path. Throws StorageFailure source_missing, source_unreadable, source_unsupported. */
export async function scanSource({ path: root, exclude, entriesMax }: ScanRequest): Promise<ScannedSource> {
  // A link is followed when it is what was named; inside a folder it could lead anywhere and is refused.
  const found = lookAt(root, statSync);
  if (found.isFile()) return { files: [scannedFile('', found)], emptyFolders: [] };
  if (!found.isDirectory()) throw unsupported(root, kindOf(found));
  const source: FoundSource = {
    root,
    exclude,
    entriesMax: entriesMax ?? MANIFEST_FILES_MAX,
    files: [],
    emptyFolders: [],
    folders: [''],
    folderCount: 1,
  };
  let entryCount = 0;
  for (let folder = source.folders.pop(); folder !== undefined; folder = source.folders.pop()) {
    let isEmpty = true;
    for (const name of namesIn(pathOnDisk(root, { path: folder }))) {
      isEmpty = !take(source, folder === '' ? name : `${folder}/${name}`) && isEmpty;
      if (++entryCount % ENTRIES_PER_TURN === 0) await nextTurn();
    }
    if (isEmpty) source.emptyFolders.push(folder);
    refuseTooMany(source);
  }
  if (source.emptyFolders[0] === '') throw new StorageFailure('source_unsupported', `${root} holds nothing to share`);
  source.files.sort((left, right) => (left.path < right.path ? -1 : 1));
  source.emptyFolders.sort();
  return source;
}

interface FoundSource extends ScannedSource, Required<Omit<ScanRequest, 'path'>> {
  readonly root: string;
  readonly files: ScannedFile[];
  readonly emptyFolders: string[];
  /** Still to be looked into. */
  readonly folders: string[];
  folderCount: number;
}

/** Takes what is at a path, unless it is left out: then the answer is false. */
function take(source: FoundSource, relative: string): boolean {
  if (source.exclude.some((pattern) => pattern.test(relative))) return false;
  const path = pathOnDisk(source.root, { path: relative });
  refuseName(path, relative);
  const entry = lookAt(path, lstatSync);
  if (entry.isFile()) source.files.push(scannedFile(relative, entry));
  else if (entry.isDirectory()) {
    source.folders.push(relative);
    source.folderCount++;
  } else throw unsupported(path, kindOf(entry));
  refuseTooMany(source);
  return true;
}

function scannedFile(path: string, entry: Stats): ScannedFile {
  const file = { path, bytes: entry.size, stamp: stampOf(entry) };
  // Windows knows no such bit, and tells by the ending of a name.
  const isExecutable = process.platform !== 'win32' && (entry.mode & OWNER_MAY_RUN) !== 0;
  return isExecutable ? { ...file, executable: true } : file;
}

function refuseTooMany({ root, files, emptyFolders, folderCount, entriesMax }: FoundSource): void {
  if (files.length + emptyFolders.length <= entriesMax && folderCount <= entriesMax) return;
  const what = `more than ${entriesMax} files and folders`;
  throw new StorageFailure('source_unsupported', `${root} holds ${what}: share parts of it, or leave some out`);
}

function refuseName(path: string, relative: string): void {
  // Only the last component is new: those before it were looked at when their folder was.
  const problem = fileNameProblem(relative.slice(relative.lastIndexOf('/') + 1));
  if (problem !== null) {
    throw new StorageFailure('source_unsupported', `the name of ${path} ${problem}: rename it, or leave it out`);
  }
  if (utf8Bytes(relative) <= MANIFEST_PATH_BYTES_MAX) return;
  const start = `${path.slice(0, 100)}...`;
  const text = `a path in ${start} is longer than ${MANIFEST_PATH_BYTES_MAX} bytes: shorten it, or leave it out`;
  throw new StorageFailure('source_unsupported', text);
}

function lookAt(path: string, look: (path: string) => Stats): Stats {
  try {
    return look(path);
  } catch (error) {
    // What stands for bytes that are no UTF-8 names nothing.
    if (!path.includes('\ufffd')) throw readFailure(error, path);
    const text = `the name of ${path} is not UTF-8: rename it, or leave it out`;
    throw new StorageFailure('source_unsupported', text, { cause: error });
  }
}

function kindOf(entry: Stats): string {
  return entry.isSymbolicLink() ? 'a symbolic link' : 'neither a file nor a folder';
}

function unsupported(path: string, kind: string): StorageFailure {
  return new StorageFailure('source_unsupported', `${path} is ${kind}, which cannot be shared: leave it out`);
}

/** One after the other: a folder may have more names than there is room for. */
function* namesIn(path: string): Generator<string> {
  try {
    const folder = opendirSync(path, { bufferSize: NAMES_AT_ONCE });
    try {
      for (let entry = folder.readSync(); entry !== null; entry = folder.readSync()) yield entry.name;
    } finally {
      folder.closeSync();
    }
  } catch (error) {
    throw readFailure(error, path);
  }
}
