// Owns the inputs that were wrong once: a folder for each target, a file for each.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, 'cases');

/** A case of a target, by the name of its file. */
export interface FuzzCase {
  readonly name: string;
  readonly input: Uint8Array;
}

/** All of a target; none when it has no folder. */
export function casesOf(target: string): FuzzCase[] {
  const names = readdirSync(FOLDER).includes(target) ? readdirSync(join(FOLDER, target)) : [];
  return names.toSorted().map((name) => ({ name, input: new Uint8Array(readFileSync(join(FOLDER, target, name))) }));
}
