// Owns matching paths against globs that have nothing but `*`, `?` and `**`, in a time that grows with the glob times the path: as a
// regular expression `*a*a*a*b` takes minutes for one long name, and names are anybody's in the group.

/** What has another meaning in a glob, or none that is known here. */
const OTHER = /[^\p{L}\p{N}\p{M} ._,;:=&%#'*?/-]|\*\*/u;

/** Whether the names of a path's components fit. */
export type NamesMatcher = (names: readonly string[]) => boolean;

/** A pattern for one name; `**` is for any number of them. */
interface NamePattern {
  readonly text: string;
  readonly isAny: boolean;
  readonly isPlain: boolean;
  /** What the name ends with in any case. */
  readonly end: string;
}

/** Null for a glob that says more than wildcards can. A glob begins and ends with no slash. */
export function wildcardsOf(glob: string): NamesMatcher | null {
  const split = glob.split('/');
  const texts = split.filter((text, depth) => text !== '**' || split[depth - 1] !== '**');
  if (texts.some((text) => text === '' || (text !== '**' && OTHER.test(text)))) return null;
  // `a/**` is a folder and all that is in it, `*/**` only what is in some folder.
  const isWithin = texts.at(-1) === '**' && texts.at(-2)?.endsWith('*') === true;
  const patterns = [...texts, ...(isWithin ? ['*'] : [])].map(namePattern);
  const last = patterns.at(-1)!;
  // The last name is that of a file, which most globs tell apart.
  return (names) => (last.isAny || doesNameFit(last, names.at(-1)!)) && doFit(patterns, names, NAMES);
}

function namePattern(text: string): NamePattern {
  const end = /[^*?]*$/.exec(text)![0];
  return { text, isAny: text === '**', isPlain: end.length === text.length, end };
}

function doesNameFit({ text, isPlain, end }: NamePattern, name: string): boolean {
  if (isPlain) return text === name;
  return name.endsWith(end) && doFit(text, name, CHARACTERS);
}

/** What a sequence is of: which of its patterns stands for any number of parts, and which part fits which pattern. */
interface Kind<Pattern, Part> {
  readonly isAny: (pattern: Pattern) => boolean;
  readonly fits: (pattern: Pattern, part: Part) => boolean;
}

const NAMES: Kind<NamePattern, string> = { isAny: ({ isAny }) => isAny, fits: doesNameFit };
const CHARACTERS: Kind<string, string> = {
  isAny: (pattern) => pattern === '*',
  fits: (pattern, character) => pattern === '?' || pattern === character,
};

/**
 * Whether a sequence fits one of patterns. Only the last one that stands for any number of parts is ever gone back to: what an earlier
 * one could take more, the last one can take as well.
 */
function doFit<Pattern, Part>(
  patterns: ArrayLike<Pattern>,
  parts: ArrayLike<Part>,
  { isAny, fits }: Kind<Pattern, Part>,
): boolean {
  let [at, wanted, anyAt, resumeAt] = [0, 0, -1, 0];
  while (at < parts.length) {
    const isMore = wanted < patterns.length;
    if (isMore && isAny(patterns[wanted]!)) {
      anyAt = wanted++;
      resumeAt = at;
    } else if (isMore && fits(patterns[wanted]!, parts[at]!)) {
      wanted++;
      at++;
    } else if (anyAt >= 0) {
      wanted = anyAt + 1;
      at = ++resumeAt;
    } else return false;
  }
  while (wanted < patterns.length && isAny(patterns[wanted]!)) wanted++;
  return wanted === patterns.length;
}
