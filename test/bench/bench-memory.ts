// `npm run bench:memory`: how much memory whole peers hold resident, and whether it grows: with the size of a file, with the
// number of shares, and with the length of a run. Sources are sparse, so a large one costs little; each copy takes its full
// size in the scratch folder and is deleted before the next. Fails when a limit is missed.
//   npm run bench:memory -- --sizes 1GiB,16GiB --shares 10,1000,5000 --downloads 10 --workers 2 --scratch /dev/shm
import { mkdir, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { sizeOf } from '../../infra/demo/files.ts';
import { expectOk } from '../../infra/quick-start/control-api.ts';
import type { LocalPeer, LocalSystem } from '../../infra/quick-start/local-system.ts';
import { machineLine, peakResidentBytes, residentBytes } from '../../infra/quick-start/measured.ts';
import { enter, enterPair, forgetDownloads, GROUP, type Pair, withSystem } from './local-pair.ts';
import { textTable } from './table.ts';

const { values: flags } = parseArgs({
  options: {
    sizes: { type: 'string', default: '1GiB,16GiB' },
    shares: { type: 'string', default: '10,1000,5000' },
    downloads: { type: 'string', default: '10' },
    workers: { type: 'string', default: '2' },
    scratch: { type: 'string', default: tmpdir() },
  },
});

const MIB = 2 ** 20;
const RESIDENT_BYTES_MAX = 260 * MIB;
/** What the largest file may add to the peak of the smallest one. */
const SIZE_GROWTH_MAX = 0.1;
/** What every further share may add, with what sharing it leaves behind. The first hundreds load code as well. */
const BYTES_PER_SHARE_MAX = 24 * 1024;
/** The first runs load code and fill caches. Later growth is what threads collect in steps of a few MiB; a leak goes on. */
const SETTLED_RUN = 3;
const RUN_GROWTH_MAX = 0.1;

const SHARES_AT_ONCE = 8;

/** One line of the table, in bytes. */
interface Row {
  readonly what: string;
  readonly seeder: number;
  readonly downloader: number | null;
}

/** One promise, and whether it was kept. */
interface Check {
  readonly promise: string;
  readonly isKept: boolean;
}

/** Shares a sparse file of so many bytes and returns its name. */
async function shareSparse({ folder }: LocalSystem, { control }: LocalPeer, totalBytes: number): Promise<string> {
  const file = `sparse-${totalBytes}`;
  const path = join(folder, file);
  await writeFile(path, '');
  await truncate(path, totalBytes);
  await expectOk('upload_file', control.command('upload_file', { group: GROUP, path, wait: true }));
  return file;
}

/** Downloads the file whole, and deletes the copy. */
async function downloadOnce({ folder }: LocalSystem, downloader: LocalPeer, file: string): Promise<void> {
  const body = { group: GROUP, file, destination: join(folder, 'copy'), wait: true };
  await expectOk('download_file', downloader.control.command('download_file', body));
  await forgetDownloads(downloader);
}

/** Peaks of a seeder and a downloader that move one file of so many bytes. */
function measureSize(size: string): Promise<Row> {
  return withSystem(flags, async (system) => {
    const pair = await enterPair(system, flags);
    await downloadOnce(system, pair.downloader, await shareSparse(system, pair.seeder, sizeOf(size)));
    return rowOf(`peak, a file of ${size}`, pair, peakResidentBytes);
  });
}

/** Resident memory of one peer that shares more and more small files. */
function measureShares(counts: readonly number[]): Promise<Row[]> {
  return withSystem(flags, async (system) => {
    const sharer = await enter(system, 'sharer', flags);
    await expectOk('create_group', sharer.control.command('create_group', { group: GROUP }));
    const rows: Row[] = [];
    let shared = 0;
    for (const count of counts) {
      await shareSmall(system, sharer, { from: shared, to: count });
      shared = count;
      const seeder = known(residentBytes(sharer.process.pid));
      rows.push({ what: `resident, ${count} shares`, seeder, downloader: null });
    }
    return rows;
  });
}

async function shareSmall(
  { folder }: LocalSystem,
  { control }: LocalPeer,
  numbers: { readonly from: number; readonly to: number },
): Promise<void> {
  await mkdir(join(folder, 'small'), { recursive: true });
  let next = numbers.from;
  const shareInTurn = async (): Promise<void> => {
    while (next < numbers.to) {
      const number = next++;
      const path = join(folder, 'small', `${number}.txt`);
      await writeFile(path, `file ${number}\n`);
      await expectOk('upload_file', control.command('upload_file', { group: GROUP, path, wait: true }));
    }
  };
  await Promise.all(Array.from({ length: SHARES_AT_ONCE }, shareInTurn));
}

/** Resident memory of one pair after each of many downloads of the same file. */
function measureRuns(size: string, downloads: number): Promise<Row[]> {
  return withSystem(flags, async (system) => {
    const pair = await enterPair(system, flags);
    const file = await shareSparse(system, pair.seeder, sizeOf(size));
    const rows: Row[] = [];
    for (let run = 1; run <= downloads; run++) {
      await downloadOnce(system, pair.downloader, file);
      rows.push(rowOf(`resident, download ${run} of ${size}`, pair, residentBytes));
    }
    return rows;
  });
}

function rowOf(what: string, { seeder, downloader }: Pair, bytesOf: (pid: number) => number | null): Row {
  return { what, seeder: known(bytesOf(seeder.process.pid)), downloader: known(bytesOf(downloader.process.pid)) };
}

function known(bytes: number | null): number {
  if (bytes === null) throw new Error('this system does not tell how much memory a process has: only Linux does');
  return bytes;
}

function sizeChecks(rows: readonly Row[]): Check[] {
  const [first, last] = [rows[0]!, rows.at(-1)!];
  return (['seeder', 'downloader'] as const).map((who) => {
    const growth = last[who]! / first[who]! - 1;
    return {
      promise: `the ${who}'s peak with the last size is ${percent(growth)} above that with the first (at most ${percent(SIZE_GROWTH_MAX)})`,
      isKept: growth <= SIZE_GROWTH_MAX,
    };
  });
}

function shareCheck(rows: readonly Row[], counts: readonly number[]): Check {
  const perShare = (rows.at(-1)!.seeder - rows[0]!.seeder) / (counts.at(-1)! - counts[0]!);
  return {
    promise: `a share takes ${(perShare / 1024).toFixed(1)} KiB (at most ${BYTES_PER_SHARE_MAX / 1024})`,
    isKept: perShare <= BYTES_PER_SHARE_MAX,
  };
}

function runChecks(rows: readonly Row[]): Check[] {
  const [settled, last] = [rows[SETTLED_RUN - 1], rows.at(-1)];
  if (settled === undefined || last === settled) return [];
  return (['seeder', 'downloader'] as const).map((who) => {
    const growth = last![who]! / settled[who]! - 1;
    return {
      promise: `the ${who} grew by ${percent(growth)} from download ${SETTLED_RUN} to ${rows.length} (at most ${percent(RUN_GROWTH_MAX)})`,
      isKept: growth <= RUN_GROWTH_MAX,
    };
  });
}

function peakCheck(rows: readonly Row[]): Check {
  const highest = Math.max(...rows.flatMap(({ seeder, downloader }) => [seeder, downloader ?? 0]));
  return {
    promise: `no peer had more than ${mib(highest)} MiB resident (at most ${mib(RESIDENT_BYTES_MAX)})`,
    isKept: highest <= RESIDENT_BYTES_MAX,
  };
}

function percent(part: number): string {
  return `${(part * 100).toFixed(1)} %`;
}

function mib(bytes: number): string {
  return (bytes / MIB).toFixed(0);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

say(`${machineLine()}\n${flags.workers} workers, TLS, sparse sources`);
const sizes = flags.sizes.split(',');
const counts = flags.shares.split(',').map(Number);
const ofSizes: Row[] = [];
for (const size of sizes) ofSizes.push(await measureSize(size));
const ofShares = await measureShares(counts);
const ofRuns = await measureRuns(sizes[0]!, Number(flags.downloads));
const rows = [...ofSizes, ...ofShares, ...ofRuns];
say(
  textTable(rows, [
    ['', ({ what }) => what],
    ['seeder MiB', ({ seeder }) => mib(seeder)],
    ['downloader MiB', ({ downloader }) => (downloader === null ? '-' : mib(downloader))],
  ]),
);
const checks = [peakCheck(rows), ...sizeChecks(ofSizes), shareCheck(ofShares, counts), ...runChecks(ofRuns)];
for (const { promise, isKept } of checks) say(`${isKept ? 'ok    ' : 'MISSED'}  ${promise}`);
if (checks.some(({ isKept }) => !isKept)) process.exitCode = 1;
