// Owns building `dist/`: when it is needed, and that two processes that start together build once. A stamp holds the moment
// at which the last good build began, so an edit during a build is not lost, and a failed build never counts.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const STAMP = 'dist/.stamp';
const LOCK = 'dist/.lock';
const SOURCE_FOLDERS = ['apps', 'libs'];
const SOURCE_FILES = ['package.json', 'tsconfig.json', 'tsconfig.build.json'];
const BUILD_WAIT_MS = 300_000;

/** Builds when the sources are newer than the build. Returns null, or a sentence about what went wrong. */
export async function buildWhenStale(root) {
  if (!isStale(root)) return null;
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  if (!existsSync(compiler)) {
    // An installation without development packages runs what was built for it.
    return existsSync(join(root, STAMP)) ? null : `there is no build in ${root}: run npm ci there.`;
  }
  return await withLock(root, () => (isStale(root) ? build(root, compiler) : null));
}

/** Whether a source is newer than the last good build. A package without sources never is. */
function isStale(root) {
  if (!SOURCE_FOLDERS.every((folder) => existsSync(join(root, folder)))) return false;
  const stamp = statSync(join(root, STAMP), { throwIfNoEntry: false });
  if (stamp === undefined) return true;
  const files = SOURCE_FILES.map((file) => join(root, file)).filter((file) => existsSync(file));
  for (const folder of SOURCE_FOLDERS) files.push(...sourcesIn(join(root, folder)));
  return files.some((file) => statSync(file).mtimeMs > stamp.mtimeMs);
}

function sourcesIn(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sourcesIn(path);
    return entry.name.endsWith('.ts') ? [path] : [];
  });
}

async function build(root, compiler) {
  const begin = new Date();
  if (process.stderr.isTTY) process.stderr.write('cohort: building ...\n');
  const problem = await compile(root, compiler);
  if (problem !== null) return problem;
  writeFileSync(join(root, STAMP), '');
  utimesSync(join(root, STAMP), begin, begin);
  return null;
}

function compile(root, compiler) {
  const argv = [compiler, '-p', join(root, 'tsconfig.build.json'), '--pretty', 'false'];
  const child = spawn(process.execPath, argv, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  const output = [];
  child.stdout.on('data', (chunk) => output.push(chunk));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      resolve(code === 0 ? null : `the build failed:\n${Buffer.concat(output).toString('utf8')}`);
    });
  });
}

/** Runs `action` while no other process builds. The lock is SQLite's file lock, so it ends with its process. */
async function withLock(root, action) {
  const { DatabaseSync } = await import('node:sqlite');
  mkdirSync(join(root, 'dist'), { recursive: true });
  const lock = new DatabaseSync(join(root, LOCK), { timeout: BUILD_WAIT_MS });
  try {
    lock.exec('BEGIN EXCLUSIVE');
    return await action();
  } finally {
    lock.close();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const problem = await buildWhenStale(fileURLToPath(new URL('../..', import.meta.url)));
  if (problem !== null) {
    process.stderr.write(`${problem}\n`);
    process.exitCode = 1;
  }
}
