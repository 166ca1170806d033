// Owns how globs pick paths, those to fetch and those to leave out: a folder that fits stands for all that lies in it, and the very path of a file
// is always good, also where it cannot be read as a glob. Many globs are held against many paths at once: folders are looked at
// once, and what is a path is looked up.
import { patternOf, trimmedGlob } from './path-pattern.ts';
import { type NamesMatcher, wildcardsOf } from './path-wildcards.ts';

/** What makes a glob more than a path. */
const SPECIAL = /[*?[\]{}()!+@|\\]/;

/** Globs of one selection, in their order. */
export class PathGlobs {
  /** Positions of globs that are paths, the last one for each path. */
  readonly #paths = new Map<string, number>();
  /** The last one first. */
  readonly #patterns: { readonly position: number; readonly fits: NamesMatcher }[] = [];
  readonly #folders = new Map<string, number>();

  constructor(globs: readonly string[]) {
    for (const [position, glob] of globs.entries()) {
      const trimmed = trimmedGlob(glob);
      for (const path of [glob, ...(SPECIAL.test(glob) ? [] : [trimmed])]) this.#paths.set(path, position);
      const fits = SPECIAL.test(glob) ? (wildcardsOf(trimmed) ?? matcherOf(glob)) : null;
      if (fits !== null) this.#patterns.unshift({ position, fits });
    }
  }

  /** Position of the last glob that a path fits, or that a folder around it fits; -1 when there is none. */
  lastOf(path: string): number {
    const slash = path.lastIndexOf('/');
    const own = this.#lastFitting(path);
    return slash < 0 ? own : Math.max(own, this.#lastOfFolder(path.slice(0, slash)));
  }

  #lastOfFolder(folder: string): number {
    const known = this.#folders.get(folder);
    if (known !== undefined) return known;
    const last = this.lastOf(folder);
    this.#folders.set(folder, last);
    return last;
  }

  #lastFitting(path: string): number {
    const named = this.#paths.get(path) ?? -1;
    if (this.#patterns.length === 0) return named;
    const names = path.split('/');
    const found = this.#patterns.find(({ position, fits }) => position < named || fits(names));
    return Math.max(named, found?.position ?? -1);
  }
}

function matcherOf(glob: string): NamesMatcher | null {
  const pattern = patternOf(glob);
  return pattern && ((names) => pattern.test(names.join('/')));
}
