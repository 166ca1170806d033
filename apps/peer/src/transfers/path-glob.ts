// Owns how globs pick files of a share that is known: a folder that fits stands for all that lies in it, and the very path of a file
// is always good, also where it cannot be read as a glob.
import { patternOf } from './path-patterns.ts';

/** Whether a path fits a glob, or lies in a folder that does. For many paths of one share: folders are looked at once. */
export function pathMatcher(glob: string): (path: string) => boolean {
  const pattern = patternOf(glob);
  const folders = new Map<string, boolean>();
  const matches = (path: string): boolean => path === glob || pattern?.test(path) === true || isFolderMatched(path);
  const isFolderMatched = (path: string): boolean => {
    const slash = path.lastIndexOf('/');
    if (slash < 0) return false;
    const folder = path.slice(0, slash);
    const known = folders.get(folder);
    if (known !== undefined) return known;
    const isMatched = matches(folder);
    folders.set(folder, isMatched);
    return isMatched;
  };
  return matches;
}
