// A golden log: what a version of the rules means, as records and what each came to. It is made once, when the version is
// new, and never again; every later build has to come to the same.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { DerivedState } from '../../apps/tracker/src/replica/derived-state.ts';

/** What the records of a golden log came to when it was made. */
export interface GoldenOutcomes {
  /** RFC 6962 root over all records, hex. */
  readonly root: string;
  /** Effect digest after the last record, hex. */
  readonly digest: string;
  /** `accepted`, or the reason of the refusal, by offset. */
  readonly verdicts: readonly string[];
}

/** Where the records of a version stand, one a line without what was sealed beside them, and what they came to. */
export function goldenFiles(rulesVersion: number): { records: string; outcomes: string } {
  const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
  return { records: path(`rules-${rulesVersion}.ndjson`), outcomes: path(`rules-${rulesVersion}.outcomes.json`) };
}

/** The records of a golden log, as text, and what they have to come to. */
export function readGoldenLog(rulesVersion: number): { records: string[]; outcomes: GoldenOutcomes } {
  const files = goldenFiles(rulesVersion);
  const records = readFileSync(files.records, 'utf8').trimEnd().split('\n');
  return { records, outcomes: JSON.parse(readFileSync(files.outcomes, 'utf8')) as GoldenOutcomes };
}

/** Replays records as every tracker does. */
export function replayed(records: readonly string[]): { derived: DerivedState; outcomes: GoldenOutcomes } {
  const derived = new DerivedState();
  const verdicts = records.map((text, offset) => {
    const { applied } = derived.apply({ offset, value: Buffer.from(text), sealed: null, appendTimeMs: null });
    return applied.outcome.status === 'accepted' ? 'accepted' : applied.outcome.reason;
  });
  return { derived, outcomes: { root: derived.root, digest: derived.digest, verdicts } };
}
