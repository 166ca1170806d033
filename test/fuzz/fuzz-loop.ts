// Owns the loop: take an input that reached something, make another one of it, run the target, and keep the new one when it
// reached what none did before. What is wrong is made small and told once for each place where it shows.
import { BranchCoverage } from './branch-coverage.ts';
import { problemOf } from './execution.ts';
import { beginningsOf, type FuzzTarget } from './fuzz-target.ts';
import { Mutations } from './mutations.ts';

const SHRINKS_MAX = 2_000;
/** Of the inputs that were found last, one in two is taken next: what is new is understood least. */
const RECENT = 32;

/** An input that a target did not take as it should. */
export interface Finding {
  readonly problem: string;
  readonly input: Uint8Array;
}

/** What came of fuzzing a target. */
export interface FuzzReport {
  readonly target: string;
  readonly executions: number;
  readonly seconds: number;
  readonly branchesReached: number;
  readonly branches: number;
  readonly corpus: number;
  readonly findings: readonly Finding[];
}

/** When to stop: at what comes first. */
export interface FuzzBounds {
  readonly executions: number;
  readonly seconds: number;
  readonly findings: number;
}

export class FuzzLoop {
  readonly #target: FuzzTarget;
  readonly #random: () => number;
  /** Is shown every input before it runs, so that somebody else knows it when it never comes back. */
  readonly #show: (input: Uint8Array) => void;
  readonly #coverage: BranchCoverage;
  readonly #corpus: Uint8Array[] = [];
  readonly #findings = new Map<string, Finding>();
  #executions = 0;

  constructor(
    target: FuzzTarget,
    options: { readonly random: () => number; readonly show: (input: Uint8Array) => void },
  ) {
    this.#target = target;
    this.#random = options.random;
    this.#show = options.show;
    this.#coverage = new BranchCoverage(target.sources);
  }

  async run(bounds: FuzzBounds): Promise<FuzzReport> {
    const beginMs = performance.now();
    const endMs = beginMs + bounds.seconds * 1_000;
    for (const seed of beginningsOf(this.#target)) await this.#try(seed, true);
    const { shape } = this.#target;
    const mutations = new Mutations(this.#random, { shape, words: this.#coverage.words });
    const isOver = (): boolean =>
      this.#executions >= bounds.executions || this.#findings.size >= bounds.findings || performance.now() >= endMs;
    while (!isOver()) {
      const input = mutations.mutated(this.#chosen(), this.#chosen());
      await this.#try(this.#repaired(input), false);
    }
    return {
      target: this.#target.name,
      executions: this.#executions,
      seconds: (performance.now() - beginMs) / 1_000,
      branchesReached: this.#coverage.reached,
      branches: this.#coverage.total,
      corpus: this.#corpus.length,
      findings: [...this.#findings.values()],
    };
  }

  async #try(input: Uint8Array, isSeed: boolean): Promise<void> {
    const problem = await this.#execute(input);
    if (problem !== null) return this.#note(problem, input);
    if (this.#coverage.note() > 0 || isSeed) this.#corpus.push(input);
  }

  #execute(input: Uint8Array): Promise<string | null> {
    this.#executions++;
    this.#show(input);
    this.#coverage.clear();
    return problemOf(this.#target, input);
  }

  #chosen(): Uint8Array {
    const { length } = this.#corpus;
    const from = this.#random() < 0.5 ? Math.max(0, length - RECENT) : 0;
    return this.#corpus[from + Math.floor(this.#random() * (length - from))] ?? new Uint8Array(0);
  }

  #repaired(input: Uint8Array): Uint8Array {
    const { repair } = this.#target;
    return repair === undefined || this.#random() < 0.3 ? input : repair(input);
  }

  async #note(problem: string, input: Uint8Array): Promise<void> {
    const place = placeOf(problem);
    if (this.#findings.has(place)) return;
    this.#findings.set(place, { problem, input: await this.#shrunk(input, place) });
  }

  /** A shorter input with the same problem, found by leaving out parts, large ones first. */
  async #shrunk(input: Uint8Array, place: string): Promise<Uint8Array> {
    let small = input;
    let tries = 0;
    for (let part = Math.ceil(input.length / 2); part >= 1; part = part === 1 ? 0 : Math.ceil(part / 2)) {
      for (let at = 0; at < small.length && tries < SHRINKS_MAX; tries++) {
        const shorter = new Uint8Array(Buffer.concat([small.subarray(0, at), small.subarray(at + part)]));
        const problem = await this.#execute(shorter);
        if (problem !== null && placeOf(problem) === place) small = shorter;
        else at += part;
      }
    }
    return small;
  }
}

/** Where a problem shows: its words without numbers, and the first line of the product in its stack. */
function placeOf(problem: string): string {
  const [words = '', ...stack] = problem.split('\n');
  const frame = stack.find((line) => /\/(?:apps|libs)\//.test(line)) ?? '';
  return `${words.replace(/[0-9]+/g, 'n').slice(0, 120)} ${frame.trim()}`;
}
