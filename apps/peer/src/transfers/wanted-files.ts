// Owns which files of a share a person wants, and how much: a selection in globs, kept with the download, and what it comes to once
// it is known what files there are. A pattern that matches nothing is a mistake, and is answered with what there is.
import { PRIORITIES, type PriorityName } from '#domain/piece-priorities';
import { hasFields } from '#identity/durable-file';
import { GLOBS_MAX } from '#wire/limits';
import { PathGlobs } from '../storage/path-glob.ts';
import { globMistake } from '../storage/path-pattern.ts';

/** What is wanted of a share. Everything normally when nothing is said. */
export interface Selection {
  /** Everything else is skipped; null for no such list. */
  readonly only: readonly string[] | null;
  /** Come after `only`; where several match a file, the last one counts. */
  readonly priorities: readonly PathPriority[];
}

/** What files that match a glob are worth. */
export interface PathPriority {
  readonly path: string;
  readonly priority: PriorityName;
}

/** A selection that is asked for: `only` begins anew, priorities are added to those that there are. */
export interface SelectionChange {
  readonly only?: readonly string[];
  readonly priorities?: readonly PathPriority[];
}

/** A field of a change that cannot be, and the end of a sentence about it. */
export interface SelectionProblem {
  readonly field: string;
  readonly message: string;
}

/** The files of a share, by their paths; the only file of one that is no folder has the share's name. */
export type SharePaths = readonly string[];

export const NO_SELECTION: Selection = { only: null, priorities: [] };

/** Paths that are named to somebody who asked for others. */
const NAMED_PATHS_MAX = 10;

/** The paths of a manifest's files as a person knows them. */
export function sharePaths(files: readonly { readonly path: string }[], share: string): SharePaths {
  return files.map(({ path }) => (path === '' ? share : path));
}

/** The selection that a change makes of one. */
export function changedSelection(before: Selection, { only, priorities = [] }: SelectionChange): Selection {
  const kept = only === undefined ? before.priorities : [];
  const paths = new Set(priorities.map(({ path }) => path));
  return {
    only: only ?? before.only,
    priorities: [...kept.filter(({ path }) => !paths.has(path)), ...priorities],
  };
}

/** How much each file is wanted, by a value of `PRIORITIES`. */
export function filePriorities({ only, priorities }: Selection, paths: SharePaths): Uint8Array {
  const wanted = only === null ? null : new PathGlobs(only);
  const rules = new PathGlobs(priorities.map(({ path }) => path));
  return Uint8Array.from(paths, (path) => {
    const rule = priorities[rules.lastOf(path)];
    if (rule !== undefined) return PRIORITIES[rule.priority];
    return wanted === null || wanted.lastOf(path) >= 0 ? PRIORITIES.normal : PRIORITIES.skip;
  });
}

/** What is wrong with a change, by the fields of the request that asked for it; null when nothing is. */
export function selectionProblem(
  before: Selection,
  change: SelectionChange,
  paths: SharePaths,
): SelectionProblem | null {
  const asked = [
    ...(change.only ?? []).map((glob, number) => ({ field: `only[${number}]`, glob })),
    ...(change.priorities ?? []).map(({ path }, number) => ({ field: `priorities[${number}].path`, glob: path })),
  ];
  for (const { field, glob } of asked) {
    const globs = new PathGlobs([glob]);
    if (paths.some((path) => globs.lastOf(path) >= 0)) continue;
    return { field, message: globMistake(glob) ?? `matches nothing in the share; ${inWords(paths)}` };
  }
  const after = changedSelection(before, change);
  const field = change.priorities === undefined ? 'only' : 'priorities';
  if (after.priorities.length > GLOBS_MAX) {
    return {
      field,
      message: `would be more than ${GLOBS_MAX} with those that were set before: begin anew with only`,
    };
  }
  const isNothing = filePriorities(after, paths).every((priority) => priority === PRIORITIES.skip);
  return isNothing ? { field, message: 'would leave nothing to fetch: pause or cancel the transfer instead' } : null;
}

/** Whether what a file holds is a selection. */
export function isSelection(value: unknown): value is Selection {
  if (!hasFields(value, { only: 'object?', priorities: 'object' })) return false;
  const { only, priorities } = value as Selection;
  const areGlobs = only === null || (Array.isArray(only) && only.every((glob) => typeof glob === 'string'));
  return areGlobs && Array.isArray(priorities) && priorities.every(isPathPriority);
}

function isPathPriority(value: unknown): boolean {
  return hasFields(value, { path: 'string', priority: 'string' }) && (value as PathPriority).priority in PRIORITIES;
}

function inWords(paths: SharePaths): string {
  if (paths.length === 0) return 'it holds empty folders and no file, and can only be taken as a whole';
  const named = paths.slice(0, NAMED_PATHS_MAX).join(', ');
  const others = paths.length - NAMED_PATHS_MAX;
  return `there is ${named}${others > 0 ? ` and ${others} more` : ''}`;
}
