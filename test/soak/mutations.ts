// `npm run soak:mutations`: one wrong byte, on a seeder's disk or on the wire without TLS, ten thousand times between workers and a
// hundred times between whole peers, at places drawn from a seed that is printed: never in a finished file.
//   npm run soak:mutations -- --trials 10000 --peer-trials 100 --seed 1 --minutes 60 --scratch /dev/shm
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { machineLine } from '../../infra/quick-start/measured.ts';
import { say } from '../bench/table.ts';
import { seeded } from '../seeded-random.ts';
import { mutatePeers } from './mutated-peers.ts';
import { mutateTransfers } from './mutated-transfers.ts';
import { byLength, endAfter, soakSeed } from './soak-length.ts';

const { values: flags } = parseArgs({
  options: {
    trials: { type: 'string', default: byLength({ full: '10000', short: '60' }) },
    'peer-trials': { type: 'string', default: byLength({ full: '100', short: '2' }) },
    seed: { type: 'string', default: soakSeed() },
    minutes: { type: 'string', default: '60' },
    scratch: { type: 'string', default: tmpdir() },
  },
});

say(machineLine());
say(`seed ${flags.seed}`);
endAfter(Number(flags.minutes));
const random = seeded(Number(flags.seed));
const scratch = mkdtempSync(join(flags.scratch, 'cohort-mutations-'));
try {
  const startMs = performance.now();
  const workers = await mutateTransfers({ scratch, trials: Number(flags.trials), random });
  say(
    `between workers: ${workers.onDisk} on disk, ${workers.onWire} on the wire, ${((performance.now() - startMs) / 1000).toFixed(0)} s: ` +
      `no wrong byte in a finished file; ${workers.named} times the seeder was dropped as a liar, ${workers.cutOff} times cut off`,
  );
} finally {
  rmSync(scratch, { recursive: true });
}
const startMs = performance.now();
const peers = await mutatePeers({ trials: Number(flags['peer-trials']), random, say });
say(
  `between whole peers: ${peers.onDisk} on disk, ${peers.onWire} on the wire, ${((performance.now() - startMs) / 1000).toFixed(0)} s: ` +
    `no wrong byte in a finished file; ${peers.named} times the seeder was dropped as a liar`,
);
