// Owns how paths on the command line become the absolute paths that a peer takes, and which of two words is the path:
// `upload_file <group> <path>` and the classic `<path> <group>` both work.
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

export interface UploadArguments {
  readonly group: string;
  /** Absolute; empty when it was left empty. */
  readonly path: string;
}

/** The absolute path that a word stands for. What a variable leaves that is not set is none, and stays so: the peer refuses it. */
export function absolutePath(word: string, workingDirectory: string): string {
  return word === '' ? '' : resolve(workingDirectory, word);
}

/**
 * Tells path and group apart: a group's name never holds a slash, so a word that does is the path; otherwise the one
 * that names something on disk; otherwise the documented order, group first.
 */
export function uploadArguments(first: string, second: string, workingDirectory: string): UploadArguments {
  const isPath = (word: string): boolean => /[/\\]/.test(word);
  const isThere = (word: string): boolean => existsSync(absolutePath(word, workingDirectory));
  const isReversed = isPath(first) === isPath(second) ? isThere(first) && !isThere(second) : isPath(first);
  const [group, path] = isReversed ? [second, first] : [first, second];
  return { group, path: absolutePath(path, workingDirectory) };
}
