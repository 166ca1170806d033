// Owns where a log stands while it is copied. One in a file stands beside its name until it is proven, so that nobody takes half of
// it for the whole and goes on from there. A topic has one name, and no mark that trackers would see.
import { existsSync, statSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { flushFolder } from '#identity/durable-file';
import { BadInput } from '#identity/start-input';
import { copyingFile, openCommandLog, parseLogAddress } from '../command-log/open-command-log.ts';

/** A place that a log is copied to. */
export interface LogPlace {
  /** Where records are put. */
  readonly url: string;
  /** Whether a log stands there that somebody may go on from: it is compared, and nothing is appended to it. */
  readonly isWhole: boolean;
  /** What helps when other records are found. */
  readonly remedy: string;
  /** What was put there is proven, and closed: from now on it has its name. Rejects with BadInput. */
  keep(): Promise<void>;
}

const REMEDY = 'name an empty log';

/** Rejects with LogFailure when something else has that name. */
export async function placeOf(url: string): Promise<LogPlace> {
  const address = parseLogAddress(url);
  if (address.kind === 'kafka') return { url, isWhole: false, remedy: REMEDY, keep: async () => {} };
  const { file } = address;
  if (await hasRecords(file)) return { url, isWhole: true, remedy: REMEDY, keep: async () => {} };
  const copying = copyingFile(file);
  return {
    url: `sqlite:${copying}`,
    isWhole: false,
    remedy: `${REMEDY}, or remove that file`,
    keep: () => giveName(copying, file),
  };
}

async function hasRecords(file: string): Promise<boolean> {
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) === 0) return false;
  const log = await openCommandLog({ url: `sqlite:${file}`, trackerInfoPath: null, readsOnly: true });
  try {
    return (await log.end()) > 0;
  } finally {
    await log.close();
  }
}

async function giveName(copying: string, file: string): Promise<void> {
  if (await hasRecords(file)) throw new BadInput(`${file} has records by now: copy to another place`);
  for (const held of [copying, file]) {
    // Whoever closes a log last takes this away. Beside another file of that name it would spoil it.
    if (!existsSync(`${held}-wal`)) continue;
    throw new BadInput(`${held} is open in another program: end that, and copy once more, which goes on from there`);
  }
  await rename(copying, file);
  await flushFolder(dirname(file));
}
