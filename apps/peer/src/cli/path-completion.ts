// Owns the completion of local paths at the prompt: what stands in the folder that was typed so far. A folder that cannot be
// read has nothing in it.
import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Candidate } from './completion.ts';

const SHOWN_MAX = 1000;

/** Paths that begin as typed; hidden ones only for who has typed the dot. `~/` stands for the home folder. */
export async function pathCandidates(text: string, workingDirectory: string): Promise<readonly Candidate[]> {
  const end = text.lastIndexOf('/') + 1;
  const [folder, beginning] = [text.slice(0, end), text.slice(end)];
  const from = resolve(workingDirectory, folder.replace(/^~\//, `${homedir()}/`) || '.');
  const entries = await readdir(from, { withFileTypes: true }).catch((): Dirent[] => []);
  const shown = entries.filter(({ name }) => name.startsWith(beginning) && (beginning !== '' || !name.startsWith('.')));
  const found = shown.slice(0, SHOWN_MAX).map(async (entry) => {
    const isPart = await isFolder(entry, from);
    return { word: `${folder}${entry.name}${isPart ? '/' : ''}`, about: '', isPart };
  });
  return (await Promise.all(found)).toSorted((left, right) => (left.word < right.word ? -1 : 1));
}

async function isFolder(entry: Dirent, folder: string): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  return stat(join(folder, entry.name)).then(
    (target) => target.isDirectory(),
    () => false,
  );
}
