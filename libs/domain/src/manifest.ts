// Owns what a manifest is and when one is sound. Sound means that exactly one order of its files, one set of lengths and
// one list of digests describe the content, so that the same bytes always get the same content id.
import type { PieceHash } from './command.ts';
import { fileNameProblem, isLongerThan } from './names.ts';
import { geometryOf, geometryProblem, type PieceGeometry, type PieceIndex } from './piece-geometry.ts';

/** Most files and empty folders that one share may hold, and most folders that something lies in. */
export const MANIFEST_FILES_MAX = 100_000;
/** Longest path of a file inside a share, in UTF-8 bytes. */
export const MANIFEST_PATH_BYTES_MAX = 4096;
const SHA1_HEX = /^[0-9a-f]{40}$/;

/** 2 knows executable files and empty folders. */
export type ManifestVersion = 1 | 2;

/** What content is made of. */
export interface Manifest {
  /** What `manifestVersion` gives, so that each content has one encoding, and content without modes and folders keeps its id. */
  readonly version: ManifestVersion;
  /** Sum of all files' lengths. */
  readonly totalBytes: number;
  /** Length of a piece in bytes: a power of two. */
  readonly pieceBytes: number;
  readonly hash: PieceHash;
  /** In the order of their bytes in the content, sorted by path; one entry with an empty path stands for a single file. */
  readonly files: readonly ManifestFile[];
  /** Paths of the folders that hold nothing, sorted; left out when there are none. */
  readonly emptyFolders?: readonly string[];
  /** The digests of all pieces in order, one after the other, `digestBytesOf(hash)` bytes each. */
  readonly pieceDigests: Uint8Array;
}

/** One file of the content. */
export interface ManifestFile {
  /** Components joined with `/`; empty for the only file of a share that is not a folder. */
  readonly path: string;
  readonly bytes: number;
  /** SHA-1 of the whole file as `sha1sum` prints it: 40 lowercase hex characters. The sharer's word. */
  readonly sha1: string;
  /** Its owner may run it; left out when not. */
  readonly executable?: true;
}

/** Why a manifest is refused: the field, like `files[3].path`, and the end of a sentence about it. */
export interface ManifestProblem {
  readonly field: string;
  readonly message: string;
}

/** Length of one piece's digest in bytes. */
export function digestBytesOf(hash: PieceHash): number {
  return hash === 'sha1' ? 20 : 32;
}

/** How the content of a sound manifest splits into pieces. */
export function manifestGeometry(manifest: Pick<Manifest, 'totalBytes' | 'pieceBytes'>): PieceGeometry {
  return geometryOf(manifest);
}

/** The digest that a piece must have: a view on the manifest's own bytes. */
export function pieceDigest(manifest: Pick<Manifest, 'hash' | 'pieceDigests'>, index: PieceIndex): Uint8Array {
  const digestBytes = digestBytesOf(manifest.hash);
  return manifest.pieceDigests.subarray(index * digestBytes, (index + 1) * digestBytes);
}

/** The version in which content has to be encoded. */
export function manifestVersion({
  files,
  emptyFolders = [],
}: Pick<Manifest, 'files' | 'emptyFolders'>): ManifestVersion {
  return emptyFolders.length > 0 || files.some(({ executable }) => executable === true) ? 2 : 1;
}

/** The same files without what version 1 does not know. */
export function inVersion1({ totalBytes, pieceBytes, hash, files, pieceDigests }: Manifest): Manifest {
  const plain = files.map(({ path, bytes, sha1 }) => ({ path, bytes, sha1 }));
  return { version: 1, totalBytes, pieceBytes, hash, files: plain, pieceDigests };
}

/** The first thing wrong with a manifest, or null. */
export function manifestProblem(manifest: Manifest): ManifestProblem | null {
  const version = manifestVersion(manifest);
  if (manifest.version !== version) {
    return { field: 'version', message: `must be ${version} for these files and folders` };
  }
  if (manifest.hash !== 'sha1' && manifest.hash !== 'sha256') {
    return { field: 'hash', message: 'must be sha1 or sha256' };
  }
  return geometryProblem(manifest) ?? digestsProblem(manifest) ?? filesProblem(manifest) ?? treeProblem(manifest);
}

function digestsProblem(manifest: Manifest): ManifestProblem | null {
  const expectedBytes = manifestGeometry(manifest).pieceCount * digestBytesOf(manifest.hash);
  if (manifest.pieceDigests.length === expectedBytes) return null;
  return { field: 'pieceDigests', message: `must be ${expectedBytes} bytes for this length and hash` };
}

function filesProblem({ files, emptyFolders = [], totalBytes }: Manifest): ManifestProblem | null {
  const entryCount = files.length + emptyFolders.length;
  if (entryCount === 0) return { field: 'files', message: 'must list at least one file or empty folder' };
  if (entryCount > MANIFEST_FILES_MAX) {
    return { field: 'files', message: `must be at most ${MANIFEST_FILES_MAX} with the empty folders` };
  }
  let sumBytes = 0;
  for (const [position, file] of files.entries()) {
    const problem = fileProblem(file);
    if (problem !== null) return { field: `files[${position}].${problem.field}`, message: problem.message };
    sumBytes += file.bytes;
  }
  if (sumBytes !== totalBytes) return { field: 'totalBytes', message: 'must be the sum of the lengths of the files' };
  return null;
}

function fileProblem(file: ManifestFile): ManifestProblem | null {
  if (!Number.isSafeInteger(file.bytes) || file.bytes < 0) {
    return { field: 'bytes', message: 'must be an integer from 0 to 2^53 - 1' };
  }
  if (!SHA1_HEX.test(file.sha1)) return { field: 'sha1', message: 'must be 40 lowercase hex characters' };
  return null;
}

/** Paths are such as `pathProblem` takes, ascend by code unit, each once, and none is both a file and a folder. */
function treeProblem(manifest: Manifest): ManifestProblem | null {
  const { files, emptyFolders = [] } = manifest;
  if (files.length === 1 && files[0]!.path === '' && emptyFolders.length === 0) return null;
  // First, and without keeping any of them: a manifest of 10 MiB can name five million folders, whose paths take 10 GB.
  const tooMany = foldersProblem(manifest);
  if (tooMany !== null) return tooMany;
  let previous = '';
  for (const [position, { path }] of files.entries()) {
    const message = pathProblem(path, previous);
    if (message !== null) return { field: `files[${position}].path`, message };
    previous = path;
  }
  previous = '';
  for (const [position, path] of emptyFolders.entries()) {
    const message = pathProblem(path, previous);
    if (message !== null) return { field: `emptyFolders[${position}]`, message };
    previous = path;
  }
  return overlapProblem(manifest);
}

function foldersProblem(manifest: Manifest): ManifestProblem | null {
  const folders = foldersAround(manifest);
  for (let count = 0; folders.next().done !== true; count++) {
    if (count < MANIFEST_FILES_MAX) continue;
    return { field: 'files', message: `must lie in at most ${MANIFEST_FILES_MAX} folders, with the empty folders` };
  }
  return null;
}

function pathProblem(path: string, previous: string): string | null {
  if (path === '') return 'must not be empty in a folder';
  if (isLongerThan(path, MANIFEST_PATH_BYTES_MAX)) return `must be at most ${MANIFEST_PATH_BYTES_MAX} bytes of UTF-8`;
  // The names of the folders around both were looked at already.
  for (const name of path.slice(sharedFoldersEnd(path, previous)).split('/')) {
    const message = fileNameProblem(name);
    if (message !== null) return `has a component that ${message}`;
  }
  return path <= previous ? 'must come after the path before it' : null;
}

/** Nothing lies in a file or in an empty folder, and no path is both. */
function overlapProblem({ files, emptyFolders = [] }: Manifest): ManifestProblem | null {
  // Those before a path that it begins with: sorted, all that begins with one stands together behind it.
  const begun: string[] = [];
  for (const path of inOrder(files, emptyFolders)) {
    while (begun.length > 0 && !path.startsWith(begun.at(-1)!)) begun.pop();
    if (begun.length === 0) {
      begun.push(path);
      continue;
    }
    const fileField = (): string => `files[${files.findIndex((file) => file.path === path)}].path`;
    if (begun.at(-1) === path) return { field: fileField(), message: 'must not be that of an empty folder' };
    const holder = begun.find(({ length }) => path[length] === '/');
    if (holder !== undefined) {
      const empty = emptyFolders.indexOf(holder);
      if (empty >= 0) return { field: `emptyFolders[${empty}]`, message: 'must hold nothing' };
      const inner = emptyFolders.indexOf(path);
      return { field: inner < 0 ? fileField() : `emptyFolders[${inner}]`, message: 'must not lie in another file' };
    }
    begun.push(path);
  }
  return null;
}

/**
 * The folders in which something lies, each after the one that it lies in. Each once when the paths are sorted: all that is in a
 * folder stands together then, so a path only has to be held against the one before it.
 */
export function* foldersAround({
  files,
  emptyFolders = [],
}: {
  readonly files: readonly { readonly path: string }[];
  readonly emptyFolders?: readonly string[];
}): Generator<string, void> {
  let previous = '';
  for (const path of inOrder(files, emptyFolders)) {
    let end = path.indexOf('/', sharedFoldersEnd(path, previous));
    for (; end >= 0; end = path.indexOf('/', end + 1)) yield path.slice(0, end);
    previous = path;
  }
}

/** The paths of sorted files and of sorted empty folders, ascending. */
export function inOrder(
  files: readonly { readonly path: string }[],
  emptyFolders: readonly string[],
): Iterable<string> {
  return emptyFolders.length === 0 ? files.map(({ path }) => path) : merged(files, emptyFolders);
}

function* merged(files: readonly { readonly path: string }[], emptyFolders: readonly string[]): Generator<string> {
  let next = 0;
  for (const { path } of files) {
    for (; next < emptyFolders.length && emptyFolders[next]! < path; next++) yield emptyFolders[next]!;
    yield path;
  }
  yield* emptyFolders.slice(next);
}

/** Length of the folders around both paths, with the slash after the innermost one. */
function sharedFoldersEnd(path: string, previous: string): number {
  const parentEnd = path.lastIndexOf('/') + 1;
  if (previous.startsWith(path.slice(0, parentEnd))) return parentEnd;
  let end = 0;
  for (let at = 0; at < previous.length && path.charCodeAt(at) === previous.charCodeAt(at); at++) {
    if (path[at] === '/') end = at + 1;
  }
  return end;
}

/** The folders that a path lies in, outermost first, without the root. */
export function ancestorsOf(path: string): string[] {
  const components = path.split('/');
  return components.slice(1).map((_, depth) => components.slice(0, depth + 1).join('/'));
}
