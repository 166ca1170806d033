// `npm run bench:faults`: what bad seeders cost a download. A swarm of two good seeders, one that corrupts one piece of a hundred,
// one that stalls, one that closes again and again and one at 1 MB/s, against the two good ones alone, one after the other in the
// same run. Fails when the swarm takes more than 1.3 times as long, or when a liar was found out and not named.
//   npm run bench:faults -- --size 1GiB --runs 5 --modes tls,plain --at-most 1.3 --scratch /dev/shm
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { sizeOf, writeRandomFile } from '../../infra/demo/files.ts';
import { machineLine } from '../../infra/quick-start/measured.ts';
import { digestOf, type Measurement, measureSwarm } from './bench-swarm.ts';
import { byLength, endAfter } from '../soak/soak-length.ts';
import { FAULTS, type Fault } from './faulty-serving.ts';
import { medianOf, mibOf, say } from './table.ts';

const { values: flags } = parseArgs({
  options: {
    size: { type: 'string', default: byLength({ full: '1GiB', short: '256MiB' }) },
    runs: { type: 'string', default: byLength({ full: '5', short: '1' }) },
    workers: { type: 'string', default: '2' },
    modes: { type: 'string', default: 'tls,plain' },
    faults: { type: 'string', default: FAULTS.join() },
    // One short run says that it works, not how fast.
    'at-most': { type: 'string', default: byLength({ full: '1.3', short: '10' }) },
    minutes: { type: 'string', default: '20' },
    scratch: { type: 'string', default: tmpdir() },
  },
});
const GOOD_SEEDERS = 2;

function describeSources(measured: Measurement): string {
  const words = measured.sources.flat().map(({ user, state, deliveredBytes, corruptPieces }) => {
    const corrupt = corruptPieces === 0 ? '' : `, ${corruptPieces} corrupt`;
    return `${user === 'bench' ? 'good' : user} ${mibOf(deliveredBytes)} MiB ${state}${corrupt}`;
  });
  return words.join(' | ');
}

/** Whether the status says of who lied that it did, and of nobody else. */
function namesCulprit(measured: Measurement): boolean {
  return measured.sources
    .flat()
    .every(({ user, state, corruptPieces }) => corruptPieces > 0 === (user === 'corrupts' && state === 'dropped'));
}

async function compare(mode: string, options: Omit<Parameters<typeof measureSwarm>[0], 'plain'>): Promise<object> {
  const plain = mode === 'plain';
  const [alone, together]: [number[], number[]] = [[], []];
  let namedCount = 0;
  for (let run = 0; run < Number(flags.runs); run++) {
    alone.push((await measureSwarm({ ...options, faults: [], plain })).seconds);
    const measured = await measureSwarm({ ...options, plain });
    together.push(measured.seconds);
    if (!namesCulprit(measured)) process.exitCode = 1;
    if (measured.sources.flat().some(({ corruptPieces }) => corruptPieces > 0)) namedCount++;
    say(
      `${mode}  ${alone.at(-1)?.toFixed(2)} s, with bad ones ${measured.seconds.toFixed(2)} s  ${describeSources(measured)}`,
    );
  }
  const ratio = medianOf(together) / medianOf(alone);
  if (!(ratio <= Number(flags['at-most']))) process.exitCode = 1;
  say(
    `${mode}  medians ${medianOf(alone).toFixed(2)} s and ${medianOf(together).toFixed(2)} s, ratio ${ratio.toFixed(2)} ` +
      `(at most ${flags['at-most']}), the liar named in ${namedCount} of ${flags.runs} runs`,
  );
  return { mode, ratio, alone, together, namedCount };
}

endAfter(Number(flags.minutes));
const scratch = mkdtempSync(join(flags.scratch, 'cohort-faults-'));
try {
  const machine = machineLine();
  say(machine);
  say(`${flags.size}, medians of ${flags.runs}, ${flags.workers} workers, ${GOOD_SEEDERS} good seeders`);
  const source = join(scratch, 'source');
  await writeRandomFile(source, sizeOf(flags.size));
  const workers = Number(flags.workers);
  const { digested } = await digestOf(source, { scratch, workers, pieceBytes: null });
  const faults = flags.faults.split(',') as Fault[];
  const swarm = { scratch, source, digested, seeders: GOOD_SEEDERS, downloaders: 1, downloads: 1, workers, faults };
  const results = [];
  for (const mode of flags.modes.split(',')) results.push(await compare(mode, swarm));
  say(JSON.stringify({ machine, flags, results }));
} finally {
  rmSync(scratch, { recursive: true });
}
