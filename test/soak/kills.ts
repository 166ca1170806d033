// `npm run soak:kills`: a peer is killed a hundred times while it downloads, at moments drawn from a seed that is printed; after
// each restart the download goes on with what was journalled, and the finished files are identical.
//   npm run soak:kills -- --count 100 --size 512MiB --seed 1 --minutes 30
import { parseArgs } from 'node:util';
import { sizeOf } from '../../infra/demo/files.ts';
import { machineLine } from '../../infra/quick-start/measured.ts';
import { say } from '../bench/table.ts';
import { Cluster } from '../e2e/cluster.ts';
import { seeded } from '../seeded-random.ts';
import { killDownloads } from './killed-downloads.ts';
import { byLength, endAfter, soakSeed } from './soak-length.ts';

const { values: flags } = parseArgs({
  options: {
    count: { type: 'string', default: byLength({ full: '100', short: '2' }) },
    size: { type: 'string', default: '512MiB' },
    seed: { type: 'string', default: soakSeed() },
    minutes: { type: 'string', default: '30' },
  },
});

say(machineLine());
say(`seed ${flags.seed}, ${flags.count} kills of a peer that downloads ${flags.size}`);
endAfter(Number(flags.minutes));
const startMs = performance.now();
const cluster = await Cluster.start({ trackerCount: 1 });
try {
  const count = Number(flags.count);
  const random = seeded(Number(flags.seed));
  const report = await killDownloads({ cluster, count, totalBytes: sizeOf(flags.size), random, say });
  const seconds = (performance.now() - startMs) / 1000;
  say(
    `${report.kills} kills in ${report.downloads} downloads, ${seconds.toFixed(0)} s: every file identical, no journalled piece ` +
      `fetched again, at most ${(report.inFlightBytesMax / 2 ** 20).toFixed(1)} MiB in flight at a kill`,
  );
} finally {
  await cluster.stop();
}
