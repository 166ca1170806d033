// `npm run bench:recheck`: how fast a copy is rechecked (every piece, and the SHA-1 of the whole beside it, so each byte is hashed
// twice), as a ratio to what two threads hash in the same run.
//   npm run bench:recheck -- --size 1GiB --runs 5 --workers 2 --scratch /dev/shm
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadOrCreateIdentity } from '#identity/identity';
import { sizeOf, writeRandomFile } from '../../infra/demo/files.ts';
import { machineLine } from '../../infra/quick-start/measured.ts';
import { openTransferEngine } from '../../apps/peer/src/swarm/open-transfer-engine.ts';
import { sha1BytesPerSecond } from './baselines.ts';
import { medianOf, mibOf, say } from './table.ts';

const { values: flags } = parseArgs({
  options: {
    size: { type: 'string', default: '1GiB' },
    runs: { type: 'string', default: '5' },
    workers: { type: 'string', default: '2' },
    scratch: { type: 'string', default: tmpdir() },
  },
});
const totalBytes = sizeOf(flags.size);

const folder = mkdtempSync(join(flags.scratch, 'cohort-recheck-'));
const path = join(folder, 'copy');
const engine = await openTransferEngine({
  identity: await loadOrCreateIdentity(join(folder, 'identity')),
  listen: { host: '127.0.0.1', port: 0 },
  workers: Number(flags.workers),
  plain: true,
  now: Date.now,
  random: Math.random,
});
try {
  await writeRandomFile(path, totalBytes);
  const { manifestBytes } = await engine.digest({ path, hash: 'sha1' });
  const [rates, ceilings, ratios]: [number[], number[], number[]] = [[], [], []];
  for (let run = 0; run < Number(flags.runs); run++) {
    const ceiling = await sha1BytesPerSecond(2);
    const startMs = performance.now();
    const found = await engine.inspect({ path, manifestBytes });
    const rate = (totalBytes * 1000) / (performance.now() - startMs);
    if (!found.complete || found.sha1Mismatches.length > 0) throw new Error('the copy is not what was written');
    rates.push(rate);
    ceilings.push(ceiling);
    ratios.push(rate / ceiling);
  }
  say(machineLine());
  say(`recheck of ${flags.size} by ${flags.workers} workers, medians of ${flags.runs} runs`);
  say(`  rate ${mibOf(medianOf(rates))} MiB/s; two threads hash ${mibOf(medianOf(ceilings))} MiB/s with SHA-1`);
  say(
    `  ratio ${medianOf(ratios).toFixed(2)}: 0.50 is both threads hashing all the time, since each byte is hashed twice`,
  );
} finally {
  await engine.close();
  rmSync(folder, { recursive: true });
}
