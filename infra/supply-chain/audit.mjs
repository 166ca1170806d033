// `npm run audit:packages`: what is known to be wrong with the packages in use. A finding that SECURITY.md does not answer by the name of
// its advisory is a failure. A registry that answers no such question is no failure: that is said in a line.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { auditVerdict } from './audit-verdict.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const { stdout } = spawnSync('npm', ['audit', '--json'], { cwd: ROOT, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
const { line, isFailure } = auditVerdict(stdout, readFileSync(join(ROOT, 'SECURITY.md'), 'utf8'));
process.stdout.write(`${line}\n`);
process.exitCode = isFailure ? 1 : 0;
