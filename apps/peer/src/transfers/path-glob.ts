// Owns how globs pick files of a share that is known: a folder that fits stands for all that lies in it, and the very path of a file
// is always good, also where it cannot be read as a glob. Many globs are held against many paths at once: folders are looked at
// once, what is no pattern is looked up, and what fits no pattern is found out by one look at all of them together.
import { patternOf } from './path-patterns.ts';

/** What makes a glob more than a path. */
const SPECIAL = /[*?[\]{}()!+@|\\]/;

/** Globs of one selection, in their order. */
export class PathGlobs {
  /** Positions of globs that are paths, the last one for each path. */
  readonly #paths = new Map<string, number>();
  /** The last one first. */
  readonly #patterns: { readonly position: number; readonly pattern: RegExp }[] = [];
  readonly #anyPattern: RegExp | null;
  readonly #folders = new Map<string, number>();

  constructor(globs: readonly string[]) {
    for (const [position, glob] of globs.entries()) {
      this.#paths.set(glob, position);
      const pattern = patternOf(glob);
      if (pattern === null) continue;
      if (SPECIAL.test(glob)) this.#patterns.unshift({ position, pattern });
      else this.#paths.set(glob.replace(/^(?:\.?\/)+/, '').replace(/\/+$/, ''), position);
    }
    const sources = this.#patterns.map(({ pattern }) => `(?:${pattern.source})`);
    this.#anyPattern = sources.length === 0 ? null : new RegExp(sources.join('|'));
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
    if (this.#anyPattern?.test(path) !== true) return named;
    const found = this.#patterns.find(({ position, pattern }) => position < named || pattern.test(path));
    return Math.max(named, found?.position ?? -1);
  }
}
