// Owns which log a tracker used last, as its data directory remembers it for those who ask without naming one.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BadInput } from '#identity/start-input';

/** The log's address. Rejects with BadInput when no tracker has run from there. */
export async function lastLogUrl(dataDirectory: string): Promise<string> {
  try {
    return (await readFile(join(dataDirectory, 'log'), 'utf8')).trim();
  } catch {
    throw new BadInput(`no tracker has run from ${dataDirectory} yet: say which log with --log`);
  }
}
