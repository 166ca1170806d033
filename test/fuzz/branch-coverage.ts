// Owns what one execution reached of the product, by the counters that instrumenting-hooks.mjs put into it. How often a branch
// was taken counts by its order of magnitude, so that one more turn of a loop is news a few times and not for ever.

interface InstrumentedFile {
  /** Path from the root. */
  readonly path: string;
  /** Its counters. */
  readonly begin: number;
  readonly end: number;
  readonly words: ReadonlySet<string>;
}

interface Branches {
  readonly counters: Uint8Array<ArrayBuffer>;
  readonly files: readonly InstrumentedFile[];
}

const WORD_CHARACTERS_MAX = 64;
/** A bit for each count from 0 to 255: none, once, twice, three times, to 7, to 15, to 31, to 127, and more. */
const MAGNITUDES = Uint8Array.from({ length: 256 }, (_, count) => {
  const magnitude = [1, 2, 3, 4, 8, 16, 32, 128].findLastIndex((least) => count >= least);
  return magnitude < 0 ? 0 : 1 << magnitude;
});

export class BranchCoverage {
  readonly #branches: Branches;
  readonly #sources: readonly string[];
  /** The counters, four at a time. */
  readonly #fours: Int32Array;
  readonly #seen: Uint8Array;

  /** Looks at the files whose paths begin with one of `sources`. */
  constructor(sources: readonly string[]) {
    const held = (globalThis as { cohortBranches?: Branches }).cohortBranches;
    if (held === undefined) throw new Error('nothing counts branches: start with --import instrumenting-hooks.mjs');
    this.#branches = held;
    this.#sources = sources;
    this.#fours = new Int32Array(held.counters.buffer);
    this.#seen = new Uint8Array(held.counters.length);
  }

  /** Before an execution. */
  clear(): void {
    this.#branches.counters.fill(0, 0, this.#end);
  }

  /** After an execution: how many branches it took that none took before, or took another number of times. */
  note(): number {
    let news = 0;
    for (let four = 0; four * 4 < this.#end; four++) {
      if (this.#fours[four] === 0) continue;
      for (let branch = four * 4; branch < four * 4 + 4; branch++) if (this.#isNews(branch)) news++;
    }
    return news;
  }

  /** How many branches of the target's own files were taken at all. */
  get reached(): number {
    return this.#own.reduce((sum, { begin, end }) => sum + this.#seen.subarray(begin, end).filter(Boolean).length, 0);
  }

  /** How many there are. */
  get total(): number {
    return this.#own.reduce((sum, { begin, end }) => sum + end - begin, 0);
  }

  /** Names and literals of the target's own files. */
  get words(): string[] {
    const all = new Set(this.#own.flatMap(({ words }) => [...words]));
    return [...all].filter(({ length }) => length > 0 && length <= WORD_CHARACTERS_MAX);
  }

  #isNews(branch: number): boolean {
    const bit = MAGNITUDES[this.#branches.counters[branch]!]!;
    if ((this.#seen[branch]! & bit) === bit) return false;
    this.#seen[branch]! |= bit;
    return true;
  }

  get #own(): InstrumentedFile[] {
    return this.#branches.files.filter(({ path }) => this.#sources.some((source) => path.startsWith(source)));
  }

  get #end(): number {
    return this.#branches.files.at(-1)?.end ?? 0;
  }
}
