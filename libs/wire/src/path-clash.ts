// Owns which paths of a folder are one on disks that take upper and lower case, or the forms of a composed character, for the same.
// Asked where content is shared and where it is downloaded, not where content is looked at that is there already: tables of Unicode
// change, and what was sound stays so.

/** Two paths that differ, and are one on some disks. */
export interface PathClash {
  readonly path: string;
  readonly other: string;
}

const ASCII = /^[\u0020-\u007e]*$/;
const PLAIN = /^[\u0020-\u0040\u005b-\u007e]*$/;

/**
 * A name that was seen in a folder. A folder knows what is in it by name, keys of whole paths would take far more than the paths; and
 * only for as long as paths in it come.
 */
interface Known {
  readonly name: string;
  /** As it was first seen. */
  readonly path: string;
  inner: Map<string, Known> | null;
  /** What the last path in it goes through. */
  last: Known | null;
}

/** Whether a path has but one form, so that of such paths no two that differ are one anywhere. */
export function isPlainPath(path: string): boolean {
  return PLAIN.test(path);
}

/**
 * The first two of these paths, or of folders that they lie in, that are one on some disks; null when each is its own everywhere.
 * All that lies in a folder stands together, as it does in ascending order.
 */
export function pathClash(paths: Iterable<string>): PathClash | null {
  const root: Known = { name: '', path: '', inner: null, last: null };
  for (const path of paths) {
    const clash = clashOf(path, root);
    if (clash !== null) return clash;
  }
  return null;
}

/** Looks at a path from its outermost folder on; what is new of it joins what is known. */
function clashOf(path: string, root: Known): PathClash | null {
  const names = path.split('/');
  let clash: PathClash | null = null;
  let folder = root;
  let end = -1;
  for (const [depth, key] of keyOf(path).split('/').entries()) {
    const name = names[depth]!;
    end += 1 + name.length;
    let known = folder.inner?.get(key);
    if (known === undefined) {
      if (clash !== null) return clash;
      known = { name, path: path.slice(0, end), inner: null, last: null };
      (folder.inner ??= new Map()).set(key, known);
    } else if (clash !== null || known.name !== name) clash = { path: path.slice(0, end), other: known.path };
    if (folder.last !== known && folder.last !== null) folder.last.inner = null;
    folder.last = known;
    folder = known;
  }
  return clash;
}

/** The same for all paths that a disk may take for one. No name in it depends on the others, and slashes stay what they are. */
function keyOf(path: string): string {
  return ASCII.test(path) ? path.toLowerCase() : path.normalize('NFC').toLowerCase().normalize('NFC');
}
