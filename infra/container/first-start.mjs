// Owns what has to be there before the first tracker starts: a key in the volume of each tracker, and the tracker_info.txt that
// pins them, which trackers and peers share. Run again it changes nothing, but writes addresses that have changed.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const cohort = fileURLToPath(new URL('cohort.mjs', import.meta.url));
const volumes = '/first-start';
const trackerInfo = join(volumes, 'cluster', 'tracker_info.txt');
/** `host:port` of each tracker, in the order of their numbers. */
const addresses = process.argv.slice(2);

const lines = addresses.map((address, index) => `${address} ${fingerprintOf(join(volumes, `tracker-${index + 1}`))}\n`);
const text = lines.join('');
if (!existsSync(trackerInfo) || readFileSync(trackerInfo, 'utf8') !== text) {
  writeFileSync(`${trackerInfo}.new`, text);
  renameSync(`${trackerInfo}.new`, trackerInfo);
}
process.stdout.write(text);

/** Of the key that is there, or of a new one. A tracker that runs on the key holds its folder, which reading does not need. */
function fingerprintOf(dataDirectory) {
  const words = existsSync(join(dataDirectory, 'identity.key')) ? ['fingerprint'] : ['keys', 'init'];
  return execFileSync(process.execPath, [cohort, ...words, '--data-dir', dataDirectory], { encoding: 'utf8' }).trim();
}
