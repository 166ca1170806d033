// Owns the file that settings may stand in: one JSON object, its keys named like the flags. JSON because it needs no library, because
// every tool that deploys can write it, and because there is one way to read it. A key that is none is refused, with the nearest.
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { BadInput } from '#identity/start-input';
import { kebab, type Settings } from './settings.ts';

/** What a file says, by the names of the settings. */
export interface SettingsFile {
  readonly path: string;
  /** Paths in it are relative to this. */
  readonly folder: string;
  readonly entries: ReadonlyMap<string, { readonly texts: readonly string[]; readonly line: number }>;
}

/** The setting that names the file does not stand in it. */
export const FILE_SETTING = 'config';

/** Reads the file. Throws BadInput that names the line. */
export function readSettingsFile(given: string, settings: Settings): SettingsFile {
  const path = resolve(given);
  const text = textOf(path);
  const names = new Map(Object.keys(settings).map((name) => [kebab(name), name]));
  names.delete(FILE_SETTING);
  const entries = new Map<string, { texts: readonly string[]; line: number }>();
  for (const [key, value] of Object.entries(objectIn(text, path))) {
    const line = lineOf(key, text);
    const name = names.get(key);
    if (name === undefined) throw new BadInput(`${path}:${line}: ${unknownKey(key, [...names.keys()])}`);
    const where = `${path}:${line}: ${key}`;
    if (Array.isArray(value) && settings[name]?.isList !== true)
      throw new BadInput(`${where}: give one value, no list`);
    entries.set(name, { texts: textsOf(value, where), line });
  }
  return { path, folder: dirname(path), entries };
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new BadInput(code === 'ENOENT' ? `there is no file ${path}` : `cannot read ${path}: ${message}`);
  }
}

function objectIn(text: string, path: string): object {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new BadInput(`${path} is not JSON: ${(error as Error).message}`);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new BadInput(`${path}: give one JSON object, with keys like "data-dir"`);
}

function textsOf(value: unknown, where: string): string[] {
  const values: unknown[] = Array.isArray(value) ? value : [value];
  return values.map((each) => {
    if (['string', 'number', 'boolean'].includes(typeof each)) return String(each);
    throw new BadInput(`${where}: ${JSON.stringify(each)} is no text, number, true or false`);
  });
}

/** Where a key stands; the last one counts, as it does for JSON. */
function lineOf(key: string, text: string): number {
  const written = JSON.stringify(key).replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const found = [...text.matchAll(new RegExp(`${written}\\s*:`, 'g'))].at(-1);
  return text.slice(0, found?.index ?? 0).split('\n').length;
}

function unknownKey(key: string, known: readonly string[]): string {
  const [nearest] = known.toSorted((left, right) => distance(key, left) - distance(key, right));
  return `there is no setting "${key}"; did you mean "${nearest}"? There are ${known.join(', ')}.`;
}

/** How many characters have to be put in, taken out or changed to make one of the other (Levenshtein). */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (const [position, character] of [...from].entries()) {
    const next = [position + 1];
    for (let column = 1; column <= to.length; column++) {
      const changed = row[column - 1]! + Number(character !== to[column - 1]);
      next.push(Math.min(changed, row[column]! + 1, next[column - 1]! + 1));
    }
    row = next;
  }
  return row[to.length]!;
}
