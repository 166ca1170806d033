// Owns what the paths of a command may be, before anything is begun with them: a source that can be read, a destination
// whose place is there.
import type { Stats } from 'node:fs';
import { access, constants, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { fileNameProblem } from '#domain/names';
import type { Refused } from '#wire/tracker-api';
import { globMistake } from '../storage/path-pattern.ts';

/** A field of a command's body that cannot be. */
export function invalidField(field: string, message: string): Refused {
  return { status: 'failed', code: 'invalid_request', errors: [{ field, message }] };
}

/** Which of the globs in a field cannot be one; null when all can. */
export function globProblem(globs: readonly string[], field: string): Refused | null {
  for (const [position, glob] of globs.entries()) {
    const mistake = globMistake(glob);
    if (mistake !== null) return invalidField(`${field}[${position}]`, mistake);
  }
  return null;
}

/** Why what is at a path cannot be shared, or its length; a folder's is not known yet. */
export async function readableSource(path: string): Promise<Refused | { readonly bytes: number | null }> {
  const found = await lookAt(path);
  if (typeof found === 'string') return invalidField('path', found);
  if (!found.isFile() && !found.isDirectory()) return invalidField('path', 'must be a file or a folder');
  const mode = found.isDirectory() ? constants.R_OK | constants.X_OK : constants.R_OK;
  const isReadable = await access(path, mode).then(
    () => true,
    () => false,
  );
  if (!isReadable) return invalidField('path', 'must be readable for the user that the peer runs as');
  return { bytes: found.isFile() ? found.size : null };
}

/** The name that a source gets in its group, or why it cannot have it. */
export function nameInGroup(path: string, name: string | undefined): Refused | string {
  const chosen = (name ?? basename(resolve(path))).normalize('NFC');
  const problem = fileNameProblem(chosen);
  return problem === null ? chosen : invalidField('name', `${problem}; give a name for it in the group`);
}

/**
 * Where a download goes, or why it cannot go there: into a folder that is there, unless that is an earlier copy of the same file
 * (`isCopy` of its path), which is meant itself then, also where a link to it is named. Its folder is named without links: one that is led elsewhere while the
 * download runs does not take it along, and two ways to write one place are seen to be one.
 */
export async function finalDestination(
  destination: string,
  file: string,
  isCopy: (path: string) => Promise<boolean>,
): Promise<Refused | string> {
  const path = resolve(destination);
  const real = await realpath(dirname(path)).catch(() => dirname(path));
  const isFolder = (await statIfThere(path))?.isDirectory() === true;
  if (isFolder) {
    const named = join(real, basename(path));
    for (const place of [named, await realpath(path).catch(() => named)]) if (await isCopy(place)) return place;
  }
  const [folder, name] = isFolder ? [path, file] : [dirname(path), basename(path)];
  const realFolder = await realpath(folder).catch((error: unknown) => error as NodeJS.ErrnoException);
  if (typeof realFolder !== 'string' && !isAbsence(realFolder)) {
    return invalidField('destination', `cannot be looked at: ${realFolder.message}`);
  }
  if (typeof realFolder !== 'string' || (await statIfThere(realFolder))?.isDirectory() !== true) {
    return invalidField('destination', 'must be in a folder that exists');
  }
  return join(realFolder, name);
}

/** What is at a path, following links, or why that is nothing to share. */
async function lookAt(path: string): Promise<Stats | string> {
  try {
    return await stat(path);
  } catch (error) {
    if (isAbsence(error)) return 'must be a file or folder that is there on the machine of the peer';
    const { code, message } = error as NodeJS.ErrnoException;
    const isForbidden = code === 'EACCES' || code === 'EPERM';
    const hint = isForbidden ? ': let the user that the peer runs as into the folders around it' : '';
    return `cannot be looked at: ${message}${hint}`;
  }
}

function isAbsence(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** What is at a path, following links; null when nothing is, or it cannot be looked at. */
async function statIfThere(path: string): Promise<Stats | null> {
  return stat(path).catch(() => null);
}
