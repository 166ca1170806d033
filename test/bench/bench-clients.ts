// `npm run bench:clients -- --harness <folder> [its flags]`: Cohort beside the programs that people use today, whole systems in one
// run. The harness is a folder with `run.sh` that takes `--plugin <file>`; what it measures and how is its own business.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { machineLine } from '../../infra/quick-start/measured.ts';

const [flag, harness, ...rest] = process.argv.slice(2);
if (flag !== '--harness' || harness === undefined || !existsSync(join(harness, 'run.sh'))) {
  process.stderr.write(
    'give the folder that holds the comparison and its run.sh: npm run bench:clients -- --harness <folder>\n',
  );
  process.exit(64);
}
process.stdout.write(`${machineLine()}\n`);
const plugin = join(import.meta.dirname, 'clients_plugin.py');
const { status } = spawnSync(join(harness, 'run.sh'), ['--plugin', plugin, ...rest], {
  stdio: 'inherit',
  env: { ...process.env, COHORT_NODE: process.execPath },
});
process.exitCode = status ?? 70;
