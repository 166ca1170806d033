// Owns the files that the demo and the benchmarks play with: random or sparse ones of a given size, their digests, and how large
// a folder has become.
import { createHash, randomFillSync } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, lstat, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

const CHUNK_BYTES = 4 * 1024 * 1024;
const UNITS: Readonly<Record<string, number>> = { '': 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

/** Bytes that a text like `64MiB` or `1000` means, or null. */
export function parseSize(text: string): number | null {
  const match = /^([1-9][0-9]*) ?(KiB|MiB|GiB|)$/.exec(text);
  if (match === null) return null;
  const bytes = Number(match[1]) * UNITS[match[2]!]!;
  return Number.isSafeInteger(bytes) ? bytes : null;
}

/** The same of a flag. Throws with what a size looks like. */
export function sizeOf(text: string): number {
  const bytes = parseSize(text);
  if (bytes === null) throw new Error(`"${text}" is not a size like 512MiB or 8GiB`);
  return bytes;
}

/** Writes a file of random bytes. */
export async function writeRandomFile(path: string, totalBytes: number): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await fill(file, totalBytes);
  } finally {
    await file.close();
  }
}

/** Makes a file of zeros that takes no room. */
export async function writeSparseFile(path: string, totalBytes: number): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.truncate(totalBytes);
  } finally {
    await file.close();
  }
}

async function fill(file: FileHandle, totalBytes: number): Promise<void> {
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  for (let written = 0; written < totalBytes;) {
    const part = chunk.subarray(0, Math.min(CHUNK_BYTES, totalBytes - written));
    await file.writeFile(randomFillSync(part));
    written += part.length;
  }
}

/** SHA-1 of a file, as `sha1sum` prints it. */
export async function sha1Of(path: string): Promise<string> {
  const hash = createHash('sha1');
  await pipeline(createReadStream(path, { highWaterMark: CHUNK_BYTES }), hash);
  return hash.digest('hex');
}

/** Bytes of all files below the folders; what comes or goes meanwhile is left out. */
export async function folderBytes(folders: readonly string[]): Promise<number> {
  const sizes = await Promise.all(folders.map(sizeBelow));
  return sizes.reduce((sum, bytes) => sum + bytes, 0);
}

async function sizeBelow(path: string): Promise<number> {
  const found = await lstat(path).catch(() => null);
  if (found === null || !found.isDirectory()) return found?.size ?? 0;
  return folderBytes((await readdir(path)).map((name) => join(path, name)));
}
