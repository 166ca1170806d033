// Owns which paths of a folder are one on disks that take upper and lower case, or the forms of a composed character, for the same.
// Asked where content is shared and where it is downloaded, not where content is looked at that is there already: tables of Unicode
// change, and what was sound stays so.

/** Two paths that differ, and are one on some disks. */
export interface PathClash {
  readonly path: string;
  readonly other: string;
}

const ASCII = /^[\u0020-\u007e]*$/;

/** The first two of these paths, or of folders that they lie in, that are one on some disks; null when each is its own everywhere. */
export function pathClash(paths: Iterable<string>): PathClash | null {
  const known = new Map<string, string>();
  for (const path of paths) {
    const clash = clashOf(path, known);
    if (clash !== null) return clash;
  }
  return null;
}

/** Looks at a path and at the folders around it that are new, innermost first; they join what is known. */
function clashOf(path: string, known: Map<string, string>): PathClash | null {
  for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) {
    const part = path.slice(0, end);
    const key = keyOf(part);
    const other = known.get(key);
    if (other === part) return null;
    if (other !== undefined) return { path: part, other };
    known.set(key, part);
  }
  return null;
}

/** The same for all paths that a disk may take for one. */
function keyOf(path: string): string {
  return ASCII.test(path) ? path.toLowerCase() : path.normalize('NFC').toLowerCase().normalize('NFC');
}
