// Owns what a build of the programs knows of the rules. While trackers are upgraded one after another, two builds read one log,
// so what reads it is told which one it is part of.
import { type Applied, apply, type AppendedRecord } from './apply.ts';
import { NEWEST_RULES_VERSION } from './decide.ts';
import type { State } from './state.ts';

/** The rules as one build has them. Of a version that is in force in a log, all builds make the same. */
export interface Rules {
  /** A log that asks for a newer one is not read any further. */
  readonly newestVersion: number;
  /** What the next record comes to. */
  apply(state: State, appended: AppendedRecord): Applied;
}

/** The rules of this build. */
export const RULES: Rules = { newestVersion: NEWEST_RULES_VERSION, apply };
