// Owns where the bytes of content lie in its files: content is its files one after the other in manifest order, so one run
// of bytes can end in one file and go on in the next. Runs in worker threads and on the main thread; touches no disk.
import { createHash } from 'node:crypto';
import { basename, dirname, join, sep } from 'node:path';
import { foldersAround } from '#domain/manifest';
import { FILE_NAME_BYTES_MAX } from '#domain/names';

const ENDING_BYTES_MAX = '.part.journal'.length;

/** A file of the content. */
export interface ListedFile {
  readonly path: string;
  readonly bytes: number;
  readonly executable?: true;
}

/** Where a file of the content is of which some are in their final place already. */
export const PLACES = { part: 0, inPlace: 1, left: 2 } as const;

/** Files that are in their final place already, while the others of the content are at the part. */
export interface PlacedApart {
  readonly root: string;
  /** For each file of the content one of `PLACES`: those that are left to their owner, who changed them, are read at the part too. */
  readonly files: Uint8Array;
}

/** Files by their position, each with its place. */
export interface FileTable {
  readonly count: number;
  /** Where the first byte of a file stands in the content. */
  beginOf(position: number): number;
  bytesOf(position: number): number;
  fileOf(position: number): { readonly path: string; readonly executable?: boolean };
}

/** The files that a run of bytes lies in: what threads tell each other. The first one begins at `begin`. */
export interface RunFiles {
  /** Position of the first one among all files. */
  readonly first: number;
  readonly begin: number;
  readonly files: readonly ListedFile[];
}

/** A part of a run of bytes that lies in one file. */
export interface Segment {
  readonly fileNumber: number;
  /** Offset in the file. */
  readonly position: number;
  /** Offset in the run. */
  readonly offset: number;
  readonly length: number;
}

/** Files that lie one after the other, the first one at `begin`. */
export function fileTable({ begin, files }: Omit<RunFiles, 'first'>): FileTable {
  const begins = new Float64Array(files.length + 1);
  begins[0] = begin;
  for (const [position, { bytes }] of files.entries()) begins[position + 1] = begins[position]! + bytes;
  return {
    count: files.length,
    beginOf: (position) => begins[position]!,
    bytesOf: (position) => files[position]!.bytes,
    fileOf: (position) => files[position]!,
  };
}

/** Those of the files that a run of bytes lies in, and empty ones between them. */
export function filesIn(
  table: FileTable,
  { begin, length }: { readonly begin: number; readonly length: number },
): RunFiles {
  const first = fileAt(table, begin);
  const files: ListedFile[] = [];
  for (let at = first; at < table.count && table.beginOf(at) < begin + length; at++) {
    files.push({ path: table.fileOf(at).path, bytes: table.bytesOf(at) });
  }
  return { first, begin: files.length === 0 ? 0 : table.beginOf(first), files };
}

/** The parts of `length` bytes from `begin`, in order. The run must lie within the content. */
export function segmentsOf(files: FileTable, begin: number, length: number): Segment[] {
  const segments: Segment[] = [];
  let offset = 0;
  for (let fileNumber = fileAt(files, begin); offset < length; fileNumber++) {
    if (fileNumber >= files.count) throw new RangeError(`bytes ${begin} to ${begin + length} lie beyond the content`);
    const position = begin + offset - files.beginOf(fileNumber);
    const part = Math.min(length - offset, files.bytesOf(fileNumber) - position);
    if (part > 0) segments.push({ fileNumber, position, offset, length: part });
    offset += Math.max(part, 0);
  }
  return segments;
}

/** The last file that begins at or before a byte: found by halving, for shares of many files. */
function fileAt(files: FileTable, at: number): number {
  let low = 0;
  let high = files.count - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (files.beginOf(middle) <= at) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Where a file of the content lies on disk: the root itself for the only file of a share that is no folder. */
export function pathOnDisk(root: string, file: { readonly path: string }): string {
  if (file.path === '') return root;
  return `${root}${sep}${sep === '/' ? file.path : file.path.replaceAll('/', sep)}`;
}

/** The folders of a tree whose paths are sorted, each after the one that it lies in. */
export function foldersOf(
  files: readonly { readonly path: string }[],
  emptyFolders: readonly string[],
): readonly string[] {
  return [...foldersAround({ files, emptyFolders }), ...emptyFolders];
}

/** The mode that a file is made with; the mask of the process takes away what its user does not give to others. */
export function modeOf({ executable = false }: { readonly executable?: boolean }): number {
  return executable ? 0o777 : 0o666;
}

/** Where a download is until it is finished. */
export function partPath(destination: string): string {
  return beside(destination, '.part');
}

/** Where the journal of an unfinished download is. */
export function journalPath(destination: string): string {
  return beside(destination, '.part.journal');
}

/** A place beside a destination for what is there a moment only; `token` is eight characters that make it nobody else's. */
export function asidePath(destination: string, token: string): string {
  return beside(destination, `.old-${token}`);
}

/** Whether two downloads would write to one place: the part of one may have the name of the other. */
export function doMeet(left: string, right: string): boolean {
  const places = new Set(placesOf(left));
  return placesOf(right).some((place) => places.has(place));
}

function placesOf(destination: string): string[] {
  return [destination, partPath(destination), journalPath(destination)];
}

/** A name that leaves no room for another ending is a name of its own: its digest stands for it. */
function beside(destination: string, ending: string): string {
  const name = basename(destination);
  if (Buffer.byteLength(name) <= FILE_NAME_BYTES_MAX - ENDING_BYTES_MAX) return `${destination}${ending}`;
  return join(dirname(destination), `${createHash('sha256').update(name).digest('hex')}${ending}`);
}
