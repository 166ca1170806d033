// Owns what a program can be told, as data: every setting once, with its meaning, its default and how its text is read. Flags,
// environment, file, help and the tables of the documentation come from it. A flag wins over the environment, that over the file.
import { BadInput } from '#identity/start-input';
import type { SettingsFile } from './settings-file.ts';

/** What a text comes to, or a sentence that says what is wrong and what can be given. */
export type Read<Value> =
  { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly message: string };

/** One setting. The flag of `dataDir` is `--data-dir`, its variable `COHORT_DATA_DIR`, its key in a file `data-dir`. */
export interface Setting<Value> {
  /** What stands for its value in help; null for a switch, which is on or off. */
  readonly placeholder: string | null;
  readonly meaning: string;
  /** What holds when nobody says anything. */
  readonly byDefault: string;
  /** Several may be given, with commas between them. */
  readonly isList?: true;
  /** `folder` is what relative paths are relative to. */
  readonly read: (text: string, folder: string) => Read<Value>;
}

/** The settings of a program, in the order in which they are shown. */
export type Settings = Readonly<Record<string, Setting<unknown>>>;

/** What was given of them. */
export type Given<Of extends Settings> = {
  readonly [Name in keyof Of]?: Of[Name] extends Setting<infer Value>
    ? Of[Name] extends { readonly isList: true }
      ? readonly Value[]
      : Value
    : never;
};

/** Where a value came from: what wins first. */
export type Source = 'flag' | 'environment' | 'file';

/** A value with where it came from. */
export interface SettledValue {
  readonly value: unknown;
  /** As it is shown: paths in full, all else as it was given. */
  readonly text: string;
  readonly source: Source;
  /** `--http`, `COHORT_HTTP`, or the file with its line. */
  readonly where: string;
}

/** What is told on the command line, by the names of commander's options, and around it. */
export interface Told {
  readonly flags: Readonly<Record<string, unknown>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly file: SettingsFile | null;
  /** What relative paths are relative to that stand in no file. */
  readonly folder: string;
}

interface GivenTexts extends Pick<SettledValue, 'source' | 'where'> {
  readonly texts: readonly string[];
  readonly folder: string;
}

/** The value of every setting that was given. Throws BadInput that begins with where a wrong one came from. */
export function settle(settings: Settings, told: Told): ReadonlyMap<string, SettledValue> {
  const settled = new Map<string, SettledValue>();
  for (const [name, setting] of Object.entries(settings)) {
    const given = ofFlag(name, told) ?? ofEnvironment(name, told) ?? ofFile(name, told);
    if (given !== null) settled.set(name, settledValue(setting, given));
  }
  return settled;
}

/** `data-dir` for `dataDir`: as flags and files have it. */
export function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** The variable of a setting. */
export function variableOf(name: string): string {
  return `COHORT_${kebab(name).toUpperCase().replaceAll('-', '_')}`;
}

function ofFlag(name: string, { flags, folder }: Told): GivenTexts | null {
  const value = flags[name];
  if (value === undefined) return null;
  const texts = (Array.isArray(value) ? value : [value]).map(String);
  return { texts, source: 'flag', where: `--${kebab(name)}`, folder };
}

/** An empty variable is not set. */
function ofEnvironment(name: string, { environment, folder }: Told): GivenTexts | null {
  const where = variableOf(name);
  const text = environment[where];
  return text === undefined || text === '' ? null : { texts: [text], source: 'environment', where, folder };
}

function ofFile(name: string, { file }: Told): GivenTexts | null {
  const entry = file?.entries.get(name);
  if (file === null || entry === undefined) return null;
  return {
    texts: entry.texts,
    source: 'file',
    where: `${file.path}:${entry.line}: ${kebab(name)}`,
    folder: file.folder,
  };
}

function settledValue(setting: Setting<unknown>, { texts, source, where, folder }: GivenTexts): SettledValue {
  const parts = setting.isList === true ? texts.flatMap((text) => text.split(',')) : texts;
  const values = parts.map((text) => {
    const read = setting.read(text, folder);
    if (read.ok) return read.value;
    throw new BadInput(`${where}: ${read.message}`);
  });
  const shown = values.map((value, position) => (typeof value === 'string' ? value : parts[position]!));
  return { value: setting.isList === true ? values : values[0], text: shown.join(','), source, where };
}
