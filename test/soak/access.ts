// `npm run soak:access`: who could read a file and who fetched it, as the audit tells it, against a naive model, of every file at
// every offset of ten thousand random logs.
//   npm run soak:access -- --histories 10000 --records 150 --seed 1 --minutes 60
import { parseArgs } from 'node:util';
import { machineLine } from '../../infra/quick-start/measured.ts';
import { say } from '../bench/table.ts';
import { compareAccess } from '../unit/tracker/audit/access-model.ts';
import { randomRecords } from '../unit/tracker/random-log.ts';
import { byLength, endAfter, soakSeed } from './soak-length.ts';

const { values: flags } = parseArgs({
  options: {
    histories: { type: 'string', default: byLength({ full: '10000', short: '20' }) },
    records: { type: 'string', default: '150' },
    /** Of the first history; each has the next one. */
    seed: { type: 'string', default: soakSeed() },
    minutes: { type: 'string', default: '60' },
  },
});

say(machineLine());
say(`seeds from ${flags.seed}`);
endAfter(Number(flags.minutes));
const startMs = performance.now();
let [answers, rights, fetches] = [0, 0, 0];
for (let number = 0; number < Number(flags.histories); number++) {
  const seed = Number(flags.seed) + number;
  const compared = await compareAccess(
    randomRecords(seed, Number(flags.records), { isTruthful: true, hasVersions: seed % 2 === 0 }),
  );
  if (compared.disagreement !== null) throw new Error(`seed ${seed}: ${compared.disagreement}`);
  answers += compared.answers;
  rights += compared.rights;
  fetches += compared.fetches;
}
say(
  `${flags.histories} histories: ${answers} answers agree with the model, with ${rights} rights to read and ${fetches} fetches, ` +
    `in ${((performance.now() - startMs) / 1000).toFixed(0)} s`,
);
