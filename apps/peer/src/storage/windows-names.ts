// Owns what Windows cannot have as a name, beside what no system may have: other systems share such names, and there a colon would
// even write into another file. A download of one is refused there before anything is made.
import { basename } from 'node:path';
import { StorageFailure } from './storage-problem.ts';

const RESERVED = /[<>:"|?*]/;

/** Throws StorageFailure destination_unwritable when one of these has no place on Windows; nothing on any other system. */
export function refuseForWindows(
  destination: string,
  files: readonly { readonly path: string }[],
  platform: string = process.platform,
): void {
  if (platform !== 'win32') return;
  const paths = [basename(destination), ...files.map(({ path }) => path)];
  const wrong = paths.find((path) => RESERVED.test(path));
  if (wrong === undefined) return;
  const why = 'Windows has no such name';
  const text = `${wrong} cannot be written, ${why}: ask who shared it to rename it, or download it on another system`;
  throw new StorageFailure('destination_unwritable', text);
}
