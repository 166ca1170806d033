// Owns how a pattern picks paths of a share: a glob against the path below the share, its components joined with `/`. Case counts,
// and dots are characters like any other. A folder that fits stands for all that lies in it, and a path fits itself, whatever it
// looks like as a pattern.
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
