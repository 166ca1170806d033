// Owns what a tracker and a peer are told alike when they start: the data directory, tracker_info.txt, addresses. What is
// wrong is said in one sentence that names the fix.
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { type HostPort, parseHostPort } from '#wire/host-port';
import { parseTrackerInfo, type TrackerEntry } from '#wire/tracker-info';

/** What was asked for cannot be: the message is for the person who asked. */
export class BadInput extends Error {
  override readonly name = 'BadInput';
}

/** The data directory: the flag's, else `$XDG_DATA_HOME/cohort/<role>`. */
export function dataDirectoryFor(
  role: 'tracker' | 'peer',
  flag: string | undefined,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string {
  if (flag !== undefined) return resolve(flag);
  return join(environment['XDG_DATA_HOME'] || join(homedir(), '.local', 'share'), 'cohort', role);
}

/**
 * Makes of the `COHORT_` variables what a person means by them before flags are read: an empty one is not set, and a switch
 * is on with 1 or true and off with 0 or false. Throws BadInput for a switch that says anything else.
 */
export function settleVariables(switches: readonly string[], environment: NodeJS.ProcessEnv = process.env): void {
  for (const [name, value] of Object.entries(environment)) {
    if (name.startsWith('COHORT_') && value === '') delete environment[name];
  }
  for (const name of switches) {
    const value = environment[name];
    if (value === '0' || value === 'false') delete environment[name];
    else if (value !== undefined && value !== '1' && value !== 'true') {
      throw new BadInput(`${name}: "${value}" says neither on nor off; give 1 or 0`);
    }
  }
}

/** The trackers that a tracker_info.txt lists. Rejects with BadInput that names every line that is wrong. */
export async function readTrackers(path: string): Promise<readonly TrackerEntry[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const problem = code === 'ENOENT' ? `there is no file ${path}` : `cannot read ${path}: ${message}`;
    throw new BadInput(`${problem}; give the path of a tracker_info.txt`);
  }
  const parsed = parseTrackerInfo(text);
  if (parsed.ok) return parsed.trackers;
  const lines = parsed.errors.map(({ line, message }) => `${path}${line === 0 ? '' : `:${line}`}: ${message}`);
  throw new BadInput(lines.join('\n'));
}

/** The address that a flag or argument gives. Throws BadInput that begins with its name. */
export function hostPortOf(name: string, text: string): HostPort {
  const parsed = parseHostPort(text);
  if (!parsed.ok) throw new BadInput(`${name}: ${parsed.message}`);
  return parsed.address;
}
