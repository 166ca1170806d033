// Owns what a run of the mutants comes to: a score for each file, and the list of survivors with the reasons why they may live.
import { relative } from 'node:path';
import type { Stryker } from '@stryker-mutator/core';
import type { Explained } from './survivors.ts';

/** What is known of a mutant that was tried. */
export type Mutant = Pick<
  Awaited<ReturnType<Stryker['runMutationTest']>>[number],
  'fileName' | 'location' | 'replacement' | 'status'
>;

/** How many mutants of a file, or of all files, the tests have found. */
export interface FileScore {
  readonly file: string;
  readonly mutants: number;
  readonly killed: number;
  /** Of which tests found by not ending any more. */
  readonly timedOut: number;
  /** Survivors that no test runs. */
  readonly notCovered: number;
  readonly percent: number;
}

/** A survivor as people read it. */
export interface Survivor {
  readonly file: string;
  readonly lineNumber: number;
  /** The line without its indentation. */
  readonly line: string;
  /** What stood there, and what the mutant wrote. */
  readonly change: string;
  /** Null while nobody has said why it may live. */
  readonly why: string | null;
}

/** Texts of the sources by file, and what was said about mutants of them. */
export interface Sources {
  readonly textOf: (file: string) => string;
  readonly explained: readonly Explained[];
}

const FOUND = new Set<Mutant['status']>(['Killed', 'Timeout']);
const MISSED = new Set<Mutant['status']>(['Survived', 'NoCoverage']);
const CHANGE_CHARACTERS_MAX = 160;

/** A score for each file, sorted, and the last for all of them. Mutants that are no program count for nothing. */
export function scoresOf(mutants: readonly Mutant[]): FileScore[] {
  const tried = mutants.filter(({ status }) => FOUND.has(status) || MISSED.has(status));
  const byFile = Map.groupBy(tried, fileOf);
  const files = [...byFile.keys()].sort();
  return [...files.map((file) => scoreOf(file, byFile.get(file)!)), scoreOf('all', tried)];
}

function scoreOf(file: string, mutants: readonly Mutant[]): FileScore {
  const count = (...statuses: readonly Mutant['status'][]): number =>
    mutants.filter(({ status }) => statuses.includes(status)).length;
  const killed = count(...FOUND);
  return {
    ...{ file, mutants: mutants.length, killed, timedOut: count('Timeout'), notCovered: count('NoCoverage') },
    percent: (100 * killed) / mutants.length,
  };
}

/** Everything that no test found, by file and line. */
export function survivorsOf(mutants: readonly Mutant[], { textOf, explained }: Sources): Survivor[] {
  const survivors = mutants.filter(({ status }) => MISSED.has(status));
  const described = survivors.map((mutant) => {
    const file = fileOf(mutant);
    const { start, end } = mutant.location;
    const lines = textOf(file).split('\n');
    // Lines and columns count from 1.
    const line = lines[start.line - 1] ?? '';
    const from = line.slice(start.column - 1, start.line === end.line ? end.column - 1 : undefined);
    const change = `${shortened(from)} → ${shortened(mutant.replacement)}`;
    const isThis = (one: Explained): boolean =>
      one.file === file && one.line === line.trim() && one.mutants.includes(change);
    const why = explained.find(isThis)?.why ?? null;
    return { file, lineNumber: start.line, line: line.trim(), change, why };
  });
  return described.sort((left, right) => {
    if (left.file !== right.file) return left.file < right.file ? -1 : 1;
    return left.lineNumber - right.lineNumber;
  });
}

/** The list of survivors as a Markdown text. */
export function survivorList(survivors: readonly Survivor[], machine: string): string {
  const lines = ['# Mutants that no test finds', '', machine];
  for (const [file, ofFile] of Map.groupBy(survivors, (survivor) => survivor.file)) {
    lines.push('', `## ${file}`, '');
    for (const { lineNumber, line, change, why } of ofFile) {
      lines.push(`- line ${lineNumber}: \`${change}\` in \`${line}\`: ${why ?? '**not explained**'}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

function shortened(code: string): string {
  return code.replaceAll(/\s+/g, ' ').slice(0, CHANGE_CHARACTERS_MAX);
}

function fileOf({ fileName }: Mutant): string {
  return relative(process.cwd(), fileName).replaceAll('\\', '/');
}
