// `npm run bench:folders`: folders between two whole peers, encrypted and verified. How fast many small files come over, as a ratio to
// `tar | nc | tar` of the same folder in the same run; what a folder of very many files costs in memory; and whether the tree
// of a real package comes over identical, modes included. Fails when a promise is not kept.
//   npm run bench:folders -- --files 10000 --bytes 16KiB --runs 5 --many 100000 --tree node_modules --scratch /dev/shm
import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { sizeOf } from '../../infra/demo/files.ts';
import { expectOk } from '../../infra/quick-start/control-api.ts';
import type { LocalPeer, LocalSystem } from '../../infra/quick-start/local-system.ts';
import { cpuSeconds, machineLine, peaksOf } from '../../infra/quick-start/measured.ts';
import { enterPair, forgetDownloads, GROUP, type Pair, withSystem } from './local-pair.ts';
import { medianOf, mibOf, say } from './table.ts';
import { tarPipeSeconds } from './tar-pipe.ts';
import { touchMemory } from './touched-memory.ts';

const { values: flags } = parseArgs({
  options: {
    files: { type: 'string', default: '10000' },
    bytes: { type: 'string', default: '16KiB' },
    runs: { type: 'string', default: '5' },
    many: { type: 'string', default: '100000' },
    tree: { type: 'string', default: 'node_modules' },
    workers: { type: 'string', default: '2' },
    'at-least': { type: 'string', default: '0.5' },
    scratch: { type: 'string', default: tmpdir() },
  },
});

const ratioMin = Number(flags['at-least']);
const RESIDENT_BYTES_MAX = 300 * 2 ** 20;
const FILES_IN_FOLDER = 100;
/** Where packages lay links, which are not shared, and where tools keep what is for its owner only. */
const EXCLUDED = ['.bin', '.cache'];
const fileBytes = sizeOf(flags.bytes);

let isKept = true;

/** Says what was promised, and whether it was kept. */
function check(promise: string, kept: boolean): void {
  say(`${kept ? 'ok    ' : 'MISSED'}  ${promise}`);
  isKept &&= kept;
}

/** A folder with so many files of random bytes, a hundred in each of its folders. */
async function makeFiles(root: string, count: number): Promise<void> {
  for (let number = 0; number < count; number++) {
    const folder = join(root, `folder-${String(Math.floor(number / FILES_IN_FOLDER)).padStart(4, '0')}`);
    if (number % FILES_IN_FOLDER === 0) await mkdir(folder, { recursive: true });
    await writeFile(join(folder, `file-${String(number).padStart(6, '0')}.bin`), randomBytes(fileBytes));
  }
}

async function share({ control }: LocalPeer, path: string, name: string): Promise<number> {
  const startMs = performance.now();
  const body = { group: GROUP, path, name, exclude: EXCLUDED.map((folder) => `**/${folder}`), wait: true };
  await expectOk('upload_file', control.command('upload_file', body));
  return (performance.now() - startMs) / 1000;
}

/** Seconds until a folder is in its place, and recorded. */
async function fetchFolder({ control }: LocalPeer, file: string, destination: string): Promise<number> {
  const startMs = performance.now();
  const body = { group: GROUP, file, destination, wait: true };
  await expectOk('download_file', control.command('download_file', body));
  return (performance.now() - startMs) / 1000;
}

/** Processor time that each has used so far; NaN where the system does not tell. */
function cpuSecondsOf(...peers: readonly LocalPeer[]): number[] {
  return peers.map(({ process: { pid } }) => cpuSeconds(pid) ?? NaN);
}

/** Throws when two trees differ in anything: names, bytes, modes. */
async function expectSame(left: string, right: string): Promise<void> {
  await promisify(execFile)('diff', ['-r', ...EXCLUDED.map((folder) => `--exclude=${folder}`), left, right]);
  const [modes, others] = [modesIn(left), modesIn(right)];
  if (modes !== others) throw new Error(`the modes in ${right} are not those in ${left}`);
}

function modesIn(root: string): string {
  const paths = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
    (path) => !path.split('/').some((folder) => EXCLUDED.includes(folder)),
  );
  return paths
    .sort()
    .map((path) => `${(statSync(join(root, path)).mode & 0o7777).toString(8)} ${path}\n`)
    .join('');
}

async function measureRate(system: LocalSystem, { seeder, downloader }: Pair): Promise<void> {
  const count = Number(flags.files);
  const source = join(system.folder, 'many-small');
  await makeFiles(source, count);
  const totalBytes = count * fileBytes;
  const shareSeconds = await share(seeder, source, 'many-small');
  say(
    `sharing ${count} files of ${flags.bytes}: ${shareSeconds.toFixed(2)} s, ${mibOf(totalBytes / shareSeconds)} MiB/s`,
  );
  const [tars, ours]: [number[], number[]] = [[], []];
  for (let run = 0; run < Number(flags.runs); run++) {
    // Copies are kept until the end: for a while after many files were deleted, ext4 makes others many times slower.
    const [tarCopy, copy] = [join(system.folder, `tar-${run}`), join(system.folder, `copy-${run}`)];
    mkdirSync(tarCopy);
    touchMemory(system.folder, totalBytes);
    tars.push(await tarPipeSeconds(source, tarCopy));
    const before = cpuSecondsOf(seeder, downloader);
    touchMemory(system.folder, totalBytes);
    ours.push(await fetchFolder(downloader, 'many-small', copy));
    const cpu = cpuSecondsOf(seeder, downloader).map((seconds, at) => (seconds - before[at]!).toFixed(2));
    await expectSame(source, copy);
    await forgetDownloads(downloader, 'keep');
    say(
      `  run ${run + 1}: tar ${tars.at(-1)!.toFixed(2)} s, Cohort ${ours.at(-1)!.toFixed(2)} s (CPU ${cpu.join(' + ')} s)`,
    );
  }
  const [tarRate, rate] = [totalBytes / medianOf(tars), totalBytes / medianOf(ours)];
  check(
    `${count} files of ${flags.bytes}, TLS, verified: ${mibOf(rate)} MiB/s, tar over TCP ${mibOf(tarRate)} MiB/s, ratio ${(rate / tarRate).toFixed(2)} (at least ${ratioMin}), medians of ${flags.runs}`,
    rate / tarRate >= ratioMin,
  );
}

async function measureMany(system: LocalSystem, { seeder, downloader }: Pair): Promise<void> {
  const count = Number(flags.many);
  const [source, copy] = [join(system.folder, 'very-many'), join(system.folder, 'copy')];
  await makeFiles(source, count);
  const shareSeconds = await share(seeder, source, 'very-many');
  const seconds = await fetchFolder(downloader, 'very-many', copy);
  await expectSame(source, copy);
  const processes = [
    { name: 'tracker', process: system.trackers[0]!.process },
    { name: 'seeder', process: seeder.process },
    { name: 'downloader', process: downloader.process },
  ];
  say(
    `${count} files of ${flags.bytes}: shared in ${shareSeconds.toFixed(1)} s, downloaded in ${seconds.toFixed(1)} s, identical`,
  );
  for (const [name, bytes] of peaksOf(processes)) {
    check(
      `peak of the ${name}: ${mibOf(bytes)} MiB resident (at most ${mibOf(RESIDENT_BYTES_MAX)})`,
      bytes <= RESIDENT_BYTES_MAX,
    );
  }
}

async function measureTree(system: LocalSystem, { seeder, downloader }: Pair): Promise<void> {
  const [source, copy] = [resolve(flags.tree), join(system.folder, 'tree')];
  await share(seeder, source, 'tree');
  const seconds = await fetchFolder(downloader, 'tree', copy);
  await expectSame(source, copy);
  check(
    `${flags.tree} without ${EXCLUDED.join(', ')} came over in ${seconds.toFixed(1)} s, identical by diff -r and modes`,
    true,
  );
}

say(
  `${machineLine()}\n${flags.workers} workers; nc is a TCP pipe of this benchmark's own, which tar itself writes to and reads from`,
);
await withSystem(flags, async (system) => {
  const pair = await enterPair(system, flags);
  if (flags.files !== '0') await measureRate(system, pair);
  if (flags.tree !== '') await measureTree(system, pair);
});
if (flags.many !== '0') await withSystem(flags, async (system) => measureMany(system, await enterPair(system, flags)));
if (!isKept) process.exitCode = 1;
