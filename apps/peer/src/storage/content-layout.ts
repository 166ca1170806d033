// Owns where the bytes of content lie in its files: content is its files one after the other in manifest order, so one run
// of bytes can end in one file and go on in the next. Runs in worker threads and on the main thread; touches no disk.
import { createHash } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { FILE_NAME_BYTES_MAX } from '#domain/names';

const ENDING_BYTES_MAX = '.part.journal'.length;

/** A file of the content: `begin` is where its first byte stands in the content. */
export interface PlacedFile {
  readonly path: string;
  readonly begin: number;
  readonly bytes: number;
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

/** The files of a manifest with their places. */
export function placeFiles(files: readonly { readonly path: string; readonly bytes: number }[]): PlacedFile[] {
  let begin = 0;
  return files.map(({ path, bytes }) => {
    const placed = { path, begin, bytes };
    begin += bytes;
    return placed;
  });
}

/** The parts of `length` bytes from `begin`, in order. The run must lie within the content. */
export function segmentsOf(files: readonly PlacedFile[], begin: number, length: number): Segment[] {
  const segments: Segment[] = [];
  let offset = 0;
  for (let fileNumber = fileAt(files, begin); offset < length; fileNumber++) {
    const file = files[fileNumber];
    if (file === undefined) throw new RangeError(`bytes ${begin} to ${begin + length} lie beyond the content`);
    const position = begin + offset - file.begin;
    const part = Math.min(length - offset, file.bytes - position);
    if (part > 0) segments.push({ fileNumber, position, offset, length: part });
    offset += Math.max(part, 0);
  }
  return segments;
}

/** The last file that begins at or before a byte: found by halving, for shares of many files. */
function fileAt(files: readonly PlacedFile[], at: number): number {
  let low = 0;
  let high = files.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((files[middle]?.begin ?? 0) <= at) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Where a file of the content lies on disk: the root itself for the only file of a share that is no folder. */
export function pathOnDisk(root: string, file: { readonly path: string }): string {
  return file.path === '' ? root : join(root, ...file.path.split('/'));
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
