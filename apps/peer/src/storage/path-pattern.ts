// Owns what globs mean, everywhere: they are matched against paths within a folder whose components are joined with `/`, case counts,
// a name that begins with a dot is a name like any other, and a path fits itself, whatever it looks like as a glob. The only file
// that knows the library.
import picomatch from 'picomatch';

/** Null when it is none. A slash at its end says that a folder is meant, and a leading one that it begins at the root, as all do. */
export function patternOf(text: string): RegExp | null {
  const trimmed = trimmedGlob(text);
  if (trimmed === '') return null;
  try {
    const glob = picomatch.makeRe(trimmed, { dot: true, nonegate: true, windows: false, strictBrackets: true }) || null;
    return glob && new RegExp(`^${literally(trimmed)}$|${glob.source}`);
  } catch {
    return null;
  }
}

/** What is wrong with a text as a glob, as the end of a sentence about it; null when nothing is. */
export function globMistake(text: string): string | null {
  // Elsewhere it turns a glob round; in a list of which any may fit, that would be everything else.
  if (/^!(?!\()/.test(text))
    return 'must not begin with !: say what is meant, and ?name for a name that begins with it';
  return patternOf(text) === null ? 'must be a glob, like *.tmp or build/**' : null;
}

/** A glob without what says no more than where it begins, and that it means a folder. */
export function trimmedGlob(text: string): string {
  return text.replace(/^(?:\.?\/)+/, '').replace(/\/+$/, '');
}

function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
