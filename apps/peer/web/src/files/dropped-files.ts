// Owns what was dropped, or chosen in the browser, as things to share: files by themselves, and folders with all that is in them.

/** One thing to share. A file has one entry, whose path is its name. */
export interface DroppedThing {
  readonly name: string;
  readonly isFolder: boolean;
  readonly entries: readonly DroppedEntry[];
}

/** A file, and its path within the thing that it belongs to. */
export interface DroppedEntry {
  readonly path: string;
  readonly file: File;
}

/** What somebody chose: a folder's files tell their paths, which begin with the folder's name. */
export function chosenFiles(files: Iterable<File>): DroppedThing[] {
  const folders = new Map<string, DroppedEntry[]>();
  const things: DroppedThing[] = [];
  for (const file of files) {
    const slash = file.webkitRelativePath.indexOf('/');
    if (slash <= 0) {
      things.push({ name: file.name, isFolder: false, entries: [{ path: file.name, file }] });
      continue;
    }
    const name = file.webkitRelativePath.slice(0, slash);
    const entry = { path: file.webkitRelativePath.slice(slash + 1), file };
    const others = folders.get(name);
    if (others === undefined) folders.set(name, [entry]);
    else others.push(entry);
  }
  for (const [name, entries] of folders) things.push({ name, isFolder: true, entries });
  return things;
}

/** What was dropped. It has to be asked for while the event is being handled; folders are read after that. */
export function droppedThings(transfer: DataTransfer): Promise<DroppedThing[]> {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  return Promise.all(
    entries.map(async (entry) => {
      const found: DroppedEntry[] = [];
      await addEntries(found, entry, '');
      return { name: entry.name, isFolder: entry.isDirectory, entries: found };
    }),
  );
}

/** Adds all files in an entry, by their paths within the thing that was dropped. */
async function addEntries(found: DroppedEntry[], entry: FileSystemEntry, folder: string): Promise<void> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    found.push({ path: `${folder}${entry.name}`, file });
    return;
  }
  // The thing itself is no part of the paths in it.
  const inside = folder === '' && entry.fullPath.lastIndexOf('/') === 0 ? '' : `${folder}${entry.name}/`;
  for (const child of await childrenOf(entry as FileSystemDirectoryEntry)) await addEntries(found, child, inside);
}

/** A folder gives its entries in parts, the last of which is empty. */
async function childrenOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const children: FileSystemEntry[] = [];
  for (;;) {
    const part = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (part.length === 0) return children;
    for (const child of part) children.push(child);
  }
}
