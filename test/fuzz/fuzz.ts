// `npm run soak:fuzz`: every decoder against inputs that nobody wrote, made of right ones by changes that reach new branches, with
// a seed that is printed. One line each; what is wrong is left in dist/fuzz, and belongs into test/fuzz/cases with its mend.
//   npm run soak:fuzz -- --seconds 3600 --targets frames,manifest --executions 1000000 --seed 1 --jobs 2
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { machineLine } from '../../infra/quick-start/measured.ts';
import { say } from '../bench/table.ts';
import { byLength, soakSeed } from '../soak/soak-length.ts';
import type { FuzzReport } from './fuzz-loop.ts';
import { FUZZ_TARGETS } from './fuzz-target.ts';
import { fuzzInThread } from './fuzz-thread.ts';

const { values: flags } = parseArgs({
  options: {
    seconds: { type: 'string', default: byLength({ full: '3600', short: '10' }) },
    executions: { type: 'string', default: 'Infinity' },
    targets: { type: 'string', default: Object.keys(FUZZ_TARGETS).join() },
    seed: { type: 'string', default: soakSeed() },
    findings: { type: 'string', default: '5' },
    jobs: { type: 'string', default: String(Math.min(2, availableParallelism())) },
    out: { type: 'string', default: 'dist/fuzz' },
    plant: { type: 'string' },
  },
});

const names = flags.targets.split(',');
const unknown = names.filter((name) => FUZZ_TARGETS[name] === undefined);
if (unknown.length > 0)
  throw new Error(`no target is called ${unknown.join(', ')}; there are ${Object.keys(FUZZ_TARGETS).join(', ')}`);

say(machineLine());
say(`seed ${flags.seed}`);
let findingCount = 0;
await Promise.all(Array.from({ length: Number(flags.jobs) }, fuzzWhatIsLeft));
process.exitCode = findingCount === 0 ? 0 : 1;

async function fuzzWhatIsLeft(): Promise<void> {
  for (let target = names.shift(); target !== undefined; target = names.shift()) {
    const bounds = {
      executions: Number(flags.executions),
      seconds: Number(flags.seconds),
      findings: Number(flags.findings),
    };
    tell(await fuzzInThread({ target, seed: Number(flags.seed), bounds, plant: flags.plant }));
  }
}

function tell(report: FuzzReport): void {
  const { target, executions, seconds, branchesReached, branches, corpus, findings } = report;
  say(
    `${target.padEnd(17)} ${String(executions).padStart(10)} executions, ${(executions / seconds).toFixed(0).padStart(7)}/s, ` +
      `${branchesReached} of ${branches} branches, ${corpus} inputs kept, ${findings.length} findings`,
  );
  for (const { problem, input } of findings) {
    const name = createHash('sha256').update(input).digest('hex').slice(0, 16);
    const folder = join(flags.out, target);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, name), input);
    say(
      `${target}: ${problem}\n  with ${join(folder, name)}: ${JSON.stringify(Buffer.from(input).toString('latin1').slice(0, 300))}`,
    );
  }
  findingCount += findings.length;
}
