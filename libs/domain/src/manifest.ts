// Owns what a manifest is and when one is sound. Sound means that exactly one order of its files, one set of lengths and
// one list of digests describe the content, so that the same bytes always get the same content id.
import type { PieceHash } from './command.ts';
import { fileNameProblem, utf8Bytes } from './names.ts';
import { geometryOf, geometryProblem, type PieceGeometry, type PieceIndex } from './piece-geometry.ts';

/** Most files and empty folders that one share may hold. */
export const MANIFEST_FILES_MAX = 100_000;
/** Longest path of a file inside a share, in UTF-8 bytes. */
export const MANIFEST_PATH_BYTES_MAX = 4096;

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
  if (!/^[0-9a-f]{40}$/.test(file.sha1)) return { field: 'sha1', message: 'must be 40 lowercase hex characters' };
  return null;
}

/** Paths are such as `pathProblem` takes, ascend by code unit, each once, and none is both a file and a folder. */
function treeProblem({ files, emptyFolders = [] }: Manifest): ManifestProblem | null {
  if (files.length === 1 && files[0]!.path === '' && emptyFolders.length === 0) return null;
  const holders = new Set<string>();
  let previous = '';
  for (const [position, { path }] of files.entries()) {
    const message = pathProblem(path, previous, holders);
    if (message !== null) return { field: `files[${position}].path`, message };
    previous = path;
  }
  previous = '';
  for (const [position, path] of emptyFolders.entries()) {
    const message = pathProblem(path, previous, holders);
    if (message !== null) return { field: `emptyFolders[${position}]`, message };
    previous = path;
  }
  return overlapProblem(files, emptyFolders, holders);
}

/** `holders` are the folders in which something lies that was seen before; those of this path join them. */
function pathProblem(path: string, previous: string, holders: Set<string>): string | null {
  if (path === '') return 'must not be empty in a folder';
  if (utf8Bytes(path) > MANIFEST_PATH_BYTES_MAX) return `must be at most ${MANIFEST_PATH_BYTES_MAX} bytes of UTF-8`;
  const slash = path.lastIndexOf('/');
  const isHolderKnown = slash >= 0 && holders.has(path.slice(0, slash));
  const names = isHolderKnown ? [path.slice(slash + 1)] : path.split('/');
  for (const name of names) {
    const message = fileNameProblem(name);
    if (message !== null) return `has a component that ${message}`;
  }
  if (path <= previous) return 'must come after the path before it';
  if (!isHolderKnown) for (const folder of ancestorsOf(path)) holders.add(folder);
  return null;
}

/** Nothing lies in a file or in an empty folder, and no path is both. */
function overlapProblem(
  files: Manifest['files'],
  emptyFolders: readonly string[],
  holders: ReadonlySet<string>,
): ManifestProblem | null {
  const empty = new Set(emptyFolders);
  for (const [position, { path }] of files.entries()) {
    if (empty.has(path)) return { field: `files[${position}].path`, message: 'must not be that of an empty folder' };
    if (!holders.has(path)) continue;
    const inner = files.findIndex((other) => other.path.startsWith(`${path}/`));
    const field =
      inner < 0
        ? `emptyFolders[${emptyFolders.findIndex((other) => other.startsWith(`${path}/`))}]`
        : `files[${inner}].path`;
    return { field, message: 'must not lie in another file' };
  }
  const position = emptyFolders.findIndex((path) => holders.has(path));
  return position < 0 ? null : { field: `emptyFolders[${position}]`, message: 'must hold nothing' };
}

/** The folders that a path lies in, outermost first, without the root. */
export function ancestorsOf(path: string): string[] {
  const components = path.split('/');
  return components.slice(1).map((_, depth) => components.slice(0, depth + 1).join('/'));
}
