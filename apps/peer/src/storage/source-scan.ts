// Owns what there is to share under a path: the walk through a folder, what is left out of it, and everything that cannot be shared,
// each refused by its path before a byte is read. What it keeps, and how long it holds up others, is bounded.
import { lstatSync, opendirSync, type Stats, statSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { MANIFEST_FILES_MAX, MANIFEST_PATH_BYTES_MAX } from '#domain/manifest';
import { fileNameProblem, utf8Bytes } from '#domain/names';
import { type FileStamp, stampOf } from './content-files.ts';
import { pathOnDisk } from './content-layout.ts';
import { PathGlobs } from './path-glob.ts';
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

/** What is to be shared. A path that fits one of the globs of `exclude` is left out, a folder with everything in it. */
export interface ScanRequest {
  readonly path: string;
  readonly exclude: readonly string[];
  /** Most files with empty folders, and most folders; those of a manifest by default. */
  readonly entriesMax?: number;
}

/** What is looked at: a disk, or what a test makes of one. */
export interface Disk {
  /** What is at a path; throws the system's error. `follows` a link, or tells of the link itself. */
  look(path: string, follows: boolean): Stats;
  /** The names in a folder, one after the other: it may have more than there is room for. Throws the system's error. */
  names(path: string): Iterable<string>;
}

const THIS_DISK: Disk = { look: (path, follows) => (follows ? statSync(path) : lstatSync(path)), names: namesIn };

/** Looks at everything under a path. Throws StorageFailure source_missing, source_unreadable, source_unsupported. */
export async function scanSource(
  { path: root, exclude, entriesMax }: ScanRequest,
  disk: Disk = THIS_DISK,
): Promise<ScannedSource> {
  // A link is followed when it is what was named; inside a folder it could lead anywhere and is refused.
  const found = lookAt(root, () => disk.look(root, true));
  if (found.isFile()) return { files: [scannedFile('', found)], emptyFolders: [] };
  if (!found.isDirectory()) throw unsupported(root, kindOf(found));
  const source: FoundSource = {
    disk,
    root,
    excluded: new PathGlobs(exclude),
    entriesMax: entriesMax ?? MANIFEST_FILES_MAX,
    files: [],
    emptyFolders: [],
    folders: [''],
    folderCount: 1,
  };
  let entryCount = 0;
  for (let folder = source.folders.pop(); folder !== undefined; folder = source.folders.pop()) {
    let isEmpty = true;
    for (const name of namesOf(source, folder)) {
      isEmpty = !take(source, folder, name) && isEmpty;
      if (++entryCount % ENTRIES_PER_TURN === 0) await nextTurn();
    }
    if (isEmpty) source.emptyFolders.push(folder);
    refuseTooMany(source, folder);
  }
  if (source.emptyFolders[0] === '') throw new StorageFailure('source_unsupported', `${root} holds nothing to share`);
  const { files, emptyFolders } = source;
  return { files: files.sort((left, right) => (left.path < right.path ? -1 : 1)), emptyFolders: emptyFolders.sort() };
}

interface FoundSource extends ScannedSource {
  readonly disk: Disk;
  readonly root: string;
  readonly excluded: PathGlobs;
  readonly entriesMax: number;
  readonly files: ScannedFile[];
  readonly emptyFolders: string[];
  /** Still to be looked into. */
  readonly folders: string[];
  folderCount: number;
}

/** Takes what is at a path, unless it is left out: then the answer is false. */
function take(source: FoundSource, folder: string, name: string): boolean {
  const relative = folder === '' ? name : `${folder}/${name}`;
  if (source.excluded.lastOf(relative) >= 0) return false;
  const path = pathOnDisk(source.root, { path: relative });
  refuseName(path, name, relative);
  const entry = lookAt(path, () => source.disk.look(path, false));
  if (entry.isFile()) source.files.push(scannedFile(relative, entry));
  else if (entry.isDirectory()) {
    source.folders.push(relative);
    source.folderCount++;
  } else throw unsupported(path, kindOf(entry));
  refuseTooMany(source, relative);
  return true;
}

function scannedFile(path: string, entry: Stats): ScannedFile {
  const file = { path, bytes: entry.size, stamp: stampOf(entry) };
  // Windows knows no such bit, and tells by the ending of a name.
  const isExecutable = process.platform !== 'win32' && (entry.mode & OWNER_MAY_RUN) !== 0;
  return isExecutable ? { ...file, executable: true } : file;
}

function refuseTooMany({ root, files, emptyFolders, folderCount, entriesMax }: FoundSource, last: string): void {
  if (files.length + emptyFolders.length <= entriesMax && folderCount <= entriesMax) return;
  const what = `more than ${entriesMax} files and folders, ${last} is one too many`;
  throw new StorageFailure(
    'source_unsupported',
    `${root} holds ${what}: share parts of it, or leave some out with exclude`,
  );
}

/** Those of the folders around it were looked at before. */
function refuseName(path: string, name: string, relative: string): void {
  const problem = fileNameProblem(name);
  if (problem !== null) {
    throw new StorageFailure(
      'source_unsupported',
      `the name of ${path} ${problem}: rename it, or leave it out with exclude`,
    );
  }
  if (utf8Bytes(relative) <= MANIFEST_PATH_BYTES_MAX) return;
  const start = `${path.slice(0, 100)}...`;
  const text = `a path in ${start} is longer than ${MANIFEST_PATH_BYTES_MAX} bytes: shorten it, or leave it out with exclude`;
  throw new StorageFailure('source_unsupported', text);
}

function lookAt(path: string, look: () => Stats): Stats {
  try {
    return look();
  } catch (error) {
    // What stands for bytes that are no UTF-8 names nothing.
    if (!path.includes('\ufffd')) throw readFailure(error, path);
    const text = `the name of ${path} is not UTF-8: rename it, or leave it out with exclude`;
    throw new StorageFailure('source_unsupported', text, { cause: error });
  }
}

function kindOf(entry: Stats): string {
  return entry.isSymbolicLink() ? 'a symbolic link' : 'neither a file nor a folder';
}

function unsupported(path: string, kind: string): StorageFailure {
  return new StorageFailure(
    'source_unsupported',
    `${path} is ${kind}, which cannot be shared: leave it out with exclude`,
  );
}

function* namesOf({ disk, root }: FoundSource, folder: string): Generator<string> {
  const path = pathOnDisk(root, { path: folder });
  try {
    for (const name of disk.names(path)) yield name;
  } catch (error) {
    throw readFailure(error, path);
  }
}

function* namesIn(path: string): Generator<string> {
  const folder = opendirSync(path, { bufferSize: NAMES_AT_ONCE });
  try {
    for (let entry = folder.readSync(); entry !== null; entry = folder.readSync()) yield entry.name;
  } finally {
    folder.closeSync();
  }
}
