// `npm run sbom`: every package that is installed, as a CycloneDX document in dist/sbom.cdx.json. It is checked against
// package-lock.json before it is written: one that leaves a package out is worse than none.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sbomProblems } from './sbom-problems.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FILE = 'dist/sbom.cdx.json';

const words = ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only'];
const text = execFileSync('npm', words, { cwd: ROOT, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
const document = JSON.parse(text);
const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
const problems = sbomProblems(document, lock);
if (problems.length > 0) throw new Error(`the list of packages is wrong: ${problems.join('; ')}`);
mkdirSync(dirname(join(ROOT, FILE)), { recursive: true });
writeFileSync(join(ROOT, FILE), text);
process.stdout.write(`${FILE}: ${document.components.length} packages, as package-lock.json has them\n`);
