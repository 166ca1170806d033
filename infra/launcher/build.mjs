// Owns building `dist/`: when it is needed, and that two processes that start together build once. Programs and the page of the peer
// are built apart, so that an edit of one costs nothing of the other. A stamp holds the moment at which the last good build began, so
// an edit during a build is not lost, and a failed build never counts.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const LOCK = 'dist/.lock';
const PAGE = 'apps/peer/web';
const BUILD_WAIT_MS = 300_000;

/** What is built: from which files, by which tool, and how. `isSource` is asked about paths below the root. */
const TARGETS = [
  {
    stamp: 'dist/.stamp',
    folders: ['apps', 'libs', 'infra/container'],
    files: ['package.json', 'tsconfig.json', 'infra/launcher/programs.config.mjs'],
    isSource: (path) => /\.m?[jt]s$/.test(path) && !path.startsWith(`${PAGE}/`),
    tool: 'node_modules/rolldown/bin/cli.mjs',
    argv: ['--config', 'infra/launcher/programs.config.mjs'],
  },
  {
    stamp: 'dist/.page-stamp',
    // Of the libraries the page takes along what of the domain it uses, and types, which leave nothing behind.
    folders: [PAGE, 'libs/domain'],
    files: ['package.json'],
    isSource: (path) => /\.(?:tsx?|css|html|svg)$/.test(path),
    tool: 'node_modules/vite/bin/vite.js',
    argv: ['build', '--config', `${PAGE}/vite.config.ts`, '--configLoader', 'native', '--logLevel', 'warn'],
  },
];

/** Builds what is older than its sources. Returns null, or a sentence about what went wrong. */
export async function buildWhenStale(root) {
  const older = TARGETS.filter((target) => isStale(root, target));
  if (older.length === 0) return null;
  if (older.some(({ tool }) => !existsSync(join(root, tool)))) {
    // An installation without development packages runs what was built for it.
    const isBuilt = older.every(({ stamp }) => existsSync(join(root, stamp)));
    return isBuilt ? null : `there is no build in ${root}: run npm ci there.`;
  }
  return await withLock(root, async () => {
    const stale = TARGETS.filter((target) => isStale(root, target));
    const problems = await Promise.all(stale.map((target) => build(root, target)));
    return problems.find((problem) => problem !== null) ?? null;
  });
}

/** Whether a source is newer than the last good build. A package without sources never is. */
function isStale(root, { stamp: stampFile, folders, files, isSource }) {
  if (!folders.every((folder) => existsSync(join(root, folder)))) return false;
  const stamp = statSync(join(root, stampFile), { throwIfNoEntry: false });
  if (stamp === undefined) return true;
  const sources = files.filter((file) => existsSync(join(root, file)));
  for (const folder of folders) sources.push(...filesIn(root, folder).filter(isSource));
  return sources.some((file) => statSync(join(root, file)).mtimeMs > stamp.mtimeMs);
}

/** Paths below the root. */
function filesIn(root, folder) {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory() ? filesIn(root, path) : [path];
  });
}

async function build(root, { stamp, tool, argv }) {
  const begin = new Date();
  if (process.stderr.isTTY)
    process.stderr.write(stamp.includes('page') ? 'cohort: building the page ...\n' : 'cohort: building ...\n');
  const problem = await run(root, [join(root, tool), ...argv]);
  if (problem !== null) return problem;
  writeFileSync(join(root, stamp), '');
  utimesSync(join(root, stamp), begin, begin);
  return null;
}

function run(root, argv) {
  const child = spawn(process.execPath, argv, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  // What a tool says of a build that succeeds is for nobody.
  const output = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => output.push(chunk));
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
