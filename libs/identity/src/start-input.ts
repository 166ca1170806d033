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
