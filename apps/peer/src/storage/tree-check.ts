// Owns what a folder is beside the bytes of its files: the folders that hold nothing, and the right to run a file. Neither keeps a copy
// from being served, so both are looked at, and put right, apart from the pieces. Nothing is made or changed through a link.
import { constants, closeSync, fchmodSync, fstatSync, lstatSync, mkdirSync, openSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ancestorsOf } from '#domain/manifest';
import { NO_LINK } from './content-files.ts';
import { type ListedFile, pathOnDisk } from './content-layout.ts';

/** Entries that are looked at before others have their turn. */
const ENTRIES_PER_TURN = 256;
const OWNER_MAY_RUN = 0o100;
/** What a disk says that keeps no right to run a file, or one on which it is not the user's to give. */
const CANNOT_BE_SET: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EINVAL']);

/** A copy, and whether it is put right or only looked at. */
export interface TreeCheck {
  readonly root: string;
  readonly files: readonly ListedFile[];
  readonly emptyFolders?: readonly string[];
  readonly restores: boolean;
}

/** What was found of a tree. */
export interface CheckedTree {
  /** Paths of empty folders that were not there, and of files that their owner could not run as shared. */
  readonly differing: readonly string[];
  /** How many of them are so still. */
  readonly leftCount: number;
}

type Found = 'same' | 'restored' | 'differs';

/** Looks at a tree whose files are there. What has come to the place of a folder, and what a disk cannot keep, stays as it is. */
export async function checkTree({ root, files, emptyFolders = [], restores }: TreeCheck): Promise<CheckedTree> {
  const differing: string[] = [];
  let [leftCount, lookCount] = [0, 0];
  const note = async (path: string, found: Found): Promise<void> => {
    if (found !== 'same') differing.push(path);
    if (found === 'differs') leftCount++;
    if (++lookCount % ENTRIES_PER_TURN === 0) await nextTurn();
  };
  for (const path of emptyFolders) await note(path, folderAt({ root, path, restores }));
  for (const { path, executable } of files) {
    if (executable === true) await note(path, runnableAt({ root, path, restores }));
  }
  return { differing, leftCount };
}

interface Entry {
  readonly root: string;
  readonly path: string;
  readonly restores: boolean;
}

function folderAt({ root, path, restores }: Entry): Found {
  const onDisk = pathOnDisk(root, { path });
  if (lstatSync(onDisk, { throwIfNoEntry: false })?.isDirectory() === true) return 'same';
  if (!restores) return 'differs';
  try {
    for (const folder of [...ancestorsOf(path), path]) {
      const place = pathOnDisk(root, { path: folder });
      const found = lstatSync(place, { throwIfNoEntry: false });
      if (found === undefined) mkdirSync(place);
      else if (!found.isDirectory()) return 'differs';
    }
    return 'restored';
  } catch {
    return 'differs';
  }
}

function runnableAt({ root, path, restores }: Entry): Found {
  // Windows tells by the ending of a name.
  if (process.platform === 'win32') return 'same';
  const linked = ancestorsOf(path).some((folder) => isLink(pathOnDisk(root, { path: folder })));
  let file: number | null = null;
  try {
    if (linked) return 'differs';
    file = openSync(
      pathOnDisk(root, { path }),
      constants.O_RDONLY | constants.O_NONBLOCK | (path === '' ? 0 : NO_LINK),
    );
    const { mode } = fstatSync(file);
    if ((mode & OWNER_MAY_RUN) !== 0) return 'same';
    if (!restores) return 'differs';
    // Who may read it may run it.
    fchmodSync(file, (mode & 0o7777) | ((mode & 0o444) >> 2));
    return (fstatSync(file).mode & OWNER_MAY_RUN) === 0 ? 'same' : 'restored';
  } catch (error) {
    return CANNOT_BE_SET.has((error as NodeJS.ErrnoException).code ?? '') ? 'same' : 'differs';
  } finally {
    if (file !== null) closeSync(file);
  }
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}
