// Owns what a manifest is and when one is sound. Sound means that exactly one order of its files, one set of lengths and
// one list of digests describe the content, so that the same bytes always get the same content id.
import type { PieceHash } from './command.ts';
import { fileNameProblem, utf8Bytes } from './names.ts';
import { geometryOf, geometryProblem, type PieceGeometry, type PieceIndex } from './piece-geometry.ts';

/** Most files that one share may hold. */
export const MANIFEST_FILES_MAX = 100_000;
/** Longest path of a file inside a share, in UTF-8 bytes. */
export const MANIFEST_PATH_BYTES_MAX = 4096;

/** What content is made of. */
export interface Manifest {
  readonly version: 1;
  /** Sum of all files' lengths. */
  readonly totalBytes: number;
  /** Length of a piece in bytes: a power of two. */
  readonly pieceBytes: number;
  readonly hash: PieceHash;
  /** In the order of their bytes in the content, sorted by path; one entry with an empty path stands for a single file. */
  readonly files: readonly ManifestFile[];
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
export function manifestGeometry(manifest: Manifest): PieceGeometry {
  return geometryOf(manifest);
}

/** The digest that a piece must have: a view on the manifest's own bytes. */
export function pieceDigest(manifest: Manifest, index: PieceIndex): Uint8Array {
  const digestBytes = digestBytesOf(manifest.hash);
  return manifest.pieceDigests.subarray(index * digestBytes, (index + 1) * digestBytes);
}

/** The first thing wrong with a manifest, or null. */
export function manifestProblem(manifest: Manifest): ManifestProblem | null {
  if (manifest.version !== 1) return { field: 'version', message: 'must be 1' };
  if (manifest.hash !== 'sha1' && manifest.hash !== 'sha256') {
    return { field: 'hash', message: 'must be sha1 or sha256' };
  }
  return geometryProblem(manifest) ?? digestsProblem(manifest) ?? filesProblem(manifest);
}

function digestsProblem(manifest: Manifest): ManifestProblem | null {
  const expectedBytes = manifestGeometry(manifest).pieceCount * digestBytesOf(manifest.hash);
  if (manifest.pieceDigests.length === expectedBytes) return null;
  return { field: 'pieceDigests', message: `must be ${expectedBytes} bytes for this length and hash` };
}

function filesProblem(manifest: Manifest): ManifestProblem | null {
  const { files, totalBytes } = manifest;
  if (files.length === 0) return { field: 'files', message: 'must list at least one file' };
  if (files.length > MANIFEST_FILES_MAX) return { field: 'files', message: `must be at most ${MANIFEST_FILES_MAX}` };
  const isSingleFile = files.length === 1 && files[0]!.path === '';
  let sumBytes = 0;
  for (const [position, file] of files.entries()) {
    const problem = fileProblem(file) ?? (isSingleFile ? null : pathProblem(file.path));
    if (problem !== null) return { field: `files[${position}].${problem.field}`, message: problem.message };
    sumBytes += file.bytes;
  }
  if (sumBytes !== totalBytes) return { field: 'totalBytes', message: 'must be the sum of the lengths of the files' };
  return orderProblem(files);
}

function fileProblem(file: ManifestFile): ManifestProblem | null {
  if (!Number.isSafeInteger(file.bytes) || file.bytes < 0) {
    return { field: 'bytes', message: 'must be an integer from 0 to 2^53 - 1' };
  }
  if (!/^[0-9a-f]{40}$/.test(file.sha1)) return { field: 'sha1', message: 'must be 40 lowercase hex characters' };
  return null;
}

function pathProblem(path: string): ManifestProblem | null {
  if (path === '') return { field: 'path', message: 'must not be empty in a folder' };
  if (utf8Bytes(path) > MANIFEST_PATH_BYTES_MAX) {
    return { field: 'path', message: `must be at most ${MANIFEST_PATH_BYTES_MAX} bytes of UTF-8` };
  }
  for (const component of path.split('/')) {
    const message = fileNameProblem(component);
    if (message !== null) return { field: 'path', message: `has a component that ${message}` };
  }
  return null;
}

/** Paths ascend by code unit, each once, and none is both a file and a folder. */
function orderProblem(files: readonly ManifestFile[]): ManifestProblem | null {
  const paths = new Set<string>();
  let previous: string | null = null;
  for (const [position, { path }] of files.entries()) {
    if (previous !== null && path <= previous) {
      return { field: `files[${position}].path`, message: 'must come after the path before it' };
    }
    // A folder's own path sorts before everything in it, so a clash is already in the set.
    if (ancestorsOf(path).some((ancestor) => paths.has(ancestor))) {
      return { field: `files[${position}].path`, message: 'must not lie in another file' };
    }
    paths.add(path);
    previous = path;
  }
  return null;
}

/** The folders that a path lies in, outermost first, without the root. */
export function ancestorsOf(path: string): string[] {
  const components = path.split('/');
  return components.slice(1).map((_, depth) => components.slice(0, depth + 1).join('/'));
}
