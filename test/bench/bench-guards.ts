// `npm run bench:guards`: what the guards against hostile peers cost those who move bytes: processor seconds for a GiB, of both sides
// together, of a download with the guards as they are and of one without them (unguarded-peer.ts), in turns, and in each pair the
// other one first. Prints both medians and what they differ by, of each pair and in the middle; writes JSON. Fails when that is more than
// `--at-most` percent.
//   npm run bench:guards -- --pairs 9 --size 2GiB --workers 2 --modes tls --at-most 2 --scratch /dev/shm
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { sizeOf, writeRandomFile } from '../../infra/demo/files.ts';
import { machineLine } from '../../infra/quick-start/measured.ts';
import { digestOf, measureSwarm, type SwarmOptions } from './bench-swarm.ts';
import { medianOf, quantileOf, say, type TextColumn, textTable } from './table.ts';
import { GUARDS } from './unguarded-peer.ts';

const { values: flags } = parseArgs({
  options: {
    size: { type: 'string', default: '2GiB' },
    pairs: { type: 'string', default: '9' },
    workers: { type: 'string', default: '2' },
    modes: { type: 'string', default: 'tls' },
    /** Percent. */
    'at-most': { type: 'string', default: '2' },
    scratch: { type: 'string', default: tmpdir() },
    out: { type: 'string', default: join('dist', 'bench') },
  },
});

/** Processor seconds for a GiB of one pair of downloads. */
interface Pair {
  readonly guarded: number;
  readonly unguarded: number;
}

/** All pairs of one mode. */
interface Row {
  readonly mode: string;
  readonly pairs: readonly Pair[];
}

const differenceOf = ({ guarded, unguarded }: Pair): number => (guarded / unguarded - 1) * 100;
const differences = ({ pairs }: Row): number[] => pairs.map(differenceOf);
const percent = (difference: number): string => `${difference < 0 ? '' : '+'}${difference.toFixed(2)} %`;

const COLUMNS: readonly TextColumn<Row>[] = [
  ['mode', ({ mode }) => mode],
  ['with guards, CPU s/GiB', ({ pairs }) => medianOf(pairs.map(({ guarded }) => guarded)).toFixed(3)],
  ['without', ({ pairs }) => medianOf(pairs.map(({ unguarded }) => unguarded)).toFixed(3)],
  ['difference', (row) => percent(medianOf(differences(row)))],
  ['least', (row) => percent(Math.min(...differences(row)))],
  ['a quarter below', (row) => percent(quantileOf(differences(row), 0.25))],
  ['a quarter above', (row) => percent(quantileOf(differences(row), 0.75))],
  ['most', (row) => percent(Math.max(...differences(row)))],
];

/** Pairs in turns; the one that is first finds the machine as the pair before left it, so each is first in every second pair. */
async function compare(mode: string, swarm: Omit<SwarmOptions, 'plain'>): Promise<Row> {
  const secondsPerGib = async (isUnguarded: boolean): Promise<number> => {
    const guards = isUnguarded ? 'out' : 'in';
    const { cpuSeconds } = await measureSwarm({ ...swarm, plain: mode === 'plain', guards });
    return (cpuSeconds * 2 ** 30) / totalBytes;
  };
  // The first of all pays for what is read for the first time.
  await secondsPerGib(false);
  const pairs: Pair[] = [];
  while (pairs.length < Number(flags.pairs)) {
    const isUnguardedFirst = pairs.length % 2 === 1;
    const first = await secondsPerGib(isUnguardedFirst);
    const second = await secondsPerGib(!isUnguardedFirst);
    const pair = isUnguardedFirst ? { guarded: second, unguarded: first } : { guarded: first, unguarded: second };
    pairs.push(pair);
    const [guarded, unguarded] = [pair.guarded.toFixed(3), pair.unguarded.toFixed(3)];
    say(`${mode}  with ${guarded}, without ${unguarded} CPU s/GiB: ${percent(differenceOf(pair))}`);
  }
  return { mode, pairs };
}

const totalBytes = sizeOf(flags.size);
const scratch = mkdtempSync(join(flags.scratch, 'cohort-guards-'));
try {
  mkdirSync(flags.out, { recursive: true });
  const machine = machineLine();
  say(machine);
  say(`${flags.size} from 1 to 1, ${flags.pairs} pairs, ${flags.workers} workers, ${GUARDS.length} guards`);
  const source = join(scratch, 'source');
  await writeRandomFile(source, totalBytes);
  const workers = Number(flags.workers);
  const { digested } = await digestOf(source, { scratch, workers, pieceBytes: null });
  const swarm = { scratch, source, digested, seeders: 1, downloaders: 1, downloads: 1, workers };
  const rows: Row[] = [];
  for (const mode of flags.modes.split(',')) rows.push(await compare(mode, swarm));
  say(textTable(rows, COLUMNS));
  const worst = Math.max(...rows.map((row) => medianOf(differences(row))));
  say(`guards cost ${percent(worst)} (at most ${flags['at-most']} %)`);
  if (!(worst <= Number(flags['at-most']))) process.exitCode = 1;
  writeFileSync(join(flags.out, 'guards.json'), `${JSON.stringify({ machine, flags, rows, worst }, null, 2)}\n`);
} finally {
  rmSync(scratch, { recursive: true });
}
