// Facts about `cohort` as a process, on a checkout of its own with three tiny programs and the real bundler.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { programOf } from '../../../../infra/launcher/program.mjs';

const repository = fileURLToPath(new URL('../../../..', import.meta.url));
const root = realpathSync(mkdtempSync(join(tmpdir(), 'cohort-launcher-')));
const launcher = join(root, 'infra/launcher/cohort.mjs');
const caches = join(root, 'caches');
const ownCaches: NodeJS.ProcessEnv = { XDG_CACHE_HOME: caches };

/**
 * Fills the young generations of two threads with what lives for a while, and says how large each became, in MiB, whether
 * the second thread can collect its garbage itself, and where its compiled code is kept.
 */
const busy = `
  import { getCompileCacheDir } from 'node:module';
  import { getHeapSpaceStatistics } from 'node:v8';
  import { isMainThread, parentPort, Worker } from 'node:worker_threads';
  if (!isMainThread || process.argv[3] === 'busy') {
    const kept: object[] = [];
    for (let number = 0; number < 2_000_000; number++) kept[number % 200_000] = { number };
    const space = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
    const young = Math.ceil(space!.space_size / 2 ** 20);
    if (!isMainThread) parentPort!.postMessage([young, 'gc' in globalThis, getCompileCacheDir() ?? null]);
    else new Worker(new URL(import.meta.url)).once('message', (other) => console.log(JSON.stringify([young, ...other])));
  }
`;
const limits = "import '../../../libs/wire/src/limits.ts';\n";
const say = (program: string): string => `console.log(JSON.stringify(['${program}', ...process.argv.slice(2)]));\n`;
const peer = `${busy}
  process.on('SIGTERM', () => process.exit(7));
  if (isMainThread && process.argv[3] !== 'busy') {
    setInterval(() => {}, 1000);
    console.log(process.pid);
  }
`;
const OTHER_PROGRAMS = [
  'apps/peer/src/data-plane/worker.ts',
  'apps/tracker/src/audit/audit-worker.ts',
  'apps/tracker/src/command-log/sqlite-log-worker.ts',
  'apps/tracker/src/snapshots/snapshot-worker.ts',
  'infra/container/kafka-certificates.mjs',
];
const sources: Record<string, string> = {
  'package.json': '{ "type": "module" }',
  'tsconfig.json': '{}',
  'apps/tracker/src/main.ts': `${limits}${busy}if (isMainThread && process.argv[3] !== 'busy') ${say('tracker')}`,
  'apps/peer/src/main.ts': peer,
  'apps/peer/src/cli/main.ts': `${say('cli')}process.exitCode = 66;\n`,
  'libs/wire/src/limits.ts': 'export {};\n',
  ...Object.fromEntries(OTHER_PROGRAMS.map((file) => [file, 'export {};\n'])),
};

interface Ended {
  code: number | null;
  signal: string | null;
  stdout: string;
  stderr: string;
}

/** Its caches are below the checkout, unless another environment is given. */
function start(words: readonly string[], via: readonly string[] = [launcher], environment = ownCaches): ChildProcess {
  const { NODE_COMPILE_CACHE: _, ...env } = { ...process.env, ...environment };
  return spawn(process.execPath, [...via, ...words], { stdio: ['ignore', 'pipe', 'pipe'], env });
}

async function ended(child: ChildProcess): Promise<Ended> {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk) => (stdout += String(chunk)));
  child.stderr?.on('data', (chunk) => (stderr += String(chunk)));
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  return { code, signal, stdout, stderr };
}

/** A launcher whose Node counts as too old, so that it hands over to another process. */
function handingOver(): string[] {
  const script = `
    import { becomeChild } from ${JSON.stringify(join(root, 'infra/launcher/child.mjs'))};
    becomeChild(process.execPath, [${JSON.stringify(launcher)}, ...process.argv.slice(1)]);
  `;
  return ['--input-type=module', '-e', script, '--'];
}

async function firstLine(child: ChildProcess): Promise<string> {
  const [chunk] = (await once(child.stdout!, 'data')) as [Buffer];
  return chunk.toString().trim();
}

function write(file: string, text: string): void {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), text);
}

beforeAll(() => {
  for (const [file, text] of Object.entries(sources)) write(file, text);
  cpSync(join(repository, 'infra/launcher'), join(root, 'infra/launcher'), { recursive: true });
  mkdirSync(join(root, 'node_modules'));
  symlinkSync(join(repository, 'node_modules/rolldown'), join(root, 'node_modules/rolldown'));
});

afterAll(() => rmSync(root, { recursive: true }));

it.each([
  [['tracker', 'tracker_info.txt', '1'], 'dist/programs/tracker.js'],
  [['fingerprint'], 'dist/programs/tracker.js'],
  [['keys', 'init'], 'dist/programs/tracker.js'],
  [['operator', 'reset_password'], 'dist/programs/tracker.js'],
  [['audit-keys', 'list'], 'dist/programs/tracker.js'],
  [['log', 'copy'], 'dist/programs/tracker.js'],
  [['config', 'peer'], 'dist/programs/tracker.js'],
  [['peer', '127.0.0.1:0', 'tracker_info.txt'], 'dist/programs/peer.js'],
  [['create_group', 'tracker'], 'dist/programs/cli.js'],
  [['help', 'operator'], 'dist/programs/tracker.js'],
  [['help', 'peer'], 'dist/programs/peer.js'],
  [['help', 'create_group'], 'dist/programs/cli.js'],
  [['help'], 'dist/programs/cli.js'],
  [[], 'dist/programs/cli.js'],
])('the words %j go to %s', (words, file) => {
  expect(programOf(words)).toBe(file);
});

it('a checkout that was never built is built once, also when several start at the same moment', async () => {
  const all = await Promise.all([ended(start(['tracker', 'a'])), ended(start(['list_groups'])), ended(start([]))]);
  expect(all).toEqual([
    { code: 0, signal: null, stdout: '["tracker","tracker","a"]\n', stderr: '' },
    { code: 66, signal: null, stdout: '["cli","list_groups"]\n', stderr: '' },
    { code: 66, signal: null, stdout: '["cli"]\n', stderr: '' },
  ]);
});

it('the young generations of a peer stay as they begin and its workers can collect garbage, those of a tracker grow and cannot', async () => {
  const [ofPeer, ofTracker] = await Promise.all([ended(start(['peer', 'busy'])), ended(start(['tracker', 'busy']))]);
  const [aPeer, aTracker] = [ofPeer, ofTracker].map(({ stdout }) => JSON.parse(stdout) as [number, number, boolean]);
  expect(Math.max(aPeer![0], aPeer![1])).toBeLessThanOrEqual(8);
  expect(Math.min(aTracker![0], aTracker![1])).toBeGreaterThan(8);
  expect([aPeer![2], aTracker![2]]).toEqual([true, false]);
});

it("compiled code is kept in the user's own cache folder, that of threads too, and a start without one is none the worse", async () => {
  const compiled = join(caches, 'cohort/compiled');
  const { stdout } = await ended(start(['peer', 'busy']));
  const [, , , keptByThread] = JSON.parse(stdout) as [number, number, boolean, string];
  expect(dirname(keptByThread)).toBe(compiled);
  expect(readdirSync(keptByThread).length).toBeGreaterThan(0);
  expect(statSync(compiled).mode & 0o022).toBe(0);
  const none = { XDG_CACHE_HOME: '', LOCALAPPDATA: '', HOME: '' };
  const impossible = { XDG_CACHE_HOME: launcher };
  for (const environment of [none, impossible]) {
    const end = await ended(start(['tracker', 'a'], [launcher], environment));
    expect(end).toMatchObject({ code: 0, stdout: '["tracker","tracker","a"]\n', stderr: '' });
  }
  expect(existsSync('cohort'), 'in the working directory').toBe(false);
});

it('an edited source is built before the next start, and nothing is built when nothing was edited', async () => {
  const output = join(root, 'dist/programs/tracker.js');
  const before = statSync(output).mtimeMs;
  await ended(start(['tracker']));
  expect(statSync(output).mtimeMs).toBe(before);
  write('apps/tracker/src/main.ts', limits + say('edited'));
  expect((await ended(start(['tracker']))).stdout).toBe('["edited","tracker"]\n');
});

it('a build that fails is told, runs nothing, and does not count as done', async () => {
  write('libs/wire/src/limits.ts', 'export const wrong = ;\n');
  for (const attempt of [1, 2]) {
    const end = await ended(start(['tracker']));
    expect(end, `attempt ${attempt}`).toMatchObject({ code: 70, stdout: '' });
    expect(end.stderr).toContain('libs/wire/src/limits.ts:1:22');
  }
  write('libs/wire/src/limits.ts', 'export {};\n');
  expect((await ended(start(['tracker']))).code).toBe(0);
});

it('without a bundler an existing build runs even when sources are newer, and a missing one is told', async () => {
  unlinkSync(join(root, 'node_modules/rolldown'));
  const soon = new Date(Date.now() + 60_000);
  utimesSync(join(root, 'libs/wire/src/limits.ts'), soon, soon);
  expect((await ended(start(['tracker']))).code).toBe(0);
  unlinkSync(join(root, 'dist/.stamp'));
  expect(await ended(start(['tracker']))).toMatchObject({ code: 70, stderr: expect.stringContaining('run npm ci') });
  symlinkSync(join(repository, 'node_modules/rolldown'), join(root, 'node_modules/rolldown'));
  utimesSync(join(root, 'libs/wire/src/limits.ts'), new Date(0), new Date(0));
  expect((await ended(start(['tracker']))).code).toBe(0);
  expect(existsSync(join(root, 'dist/.stamp'))).toBe(true);
});

it('a program keeps its arguments and its exit code when another Node runs it', async () => {
  expect(await ended(start(['list_groups', '--json'], handingOver()))).toEqual({
    code: 66,
    signal: null,
    stdout: '["cli","list_groups","--json"]\n',
    stderr: '',
  });
});

it('a signal reaches the program, and its own exit code comes back', async () => {
  const child = start(['peer'], handingOver());
  await firstLine(child);
  child.kill('SIGTERM');
  expect(await ended(child)).toMatchObject({ code: 7, signal: null });
});

it('a program that dies of a signal lets the launcher die of it', async () => {
  const child = start(['peer'], handingOver());
  process.kill(Number(await firstLine(child)), 'SIGINT');
  expect(await ended(child)).toMatchObject({ code: null, signal: 'SIGINT' });
});

it('killing the launcher kills the program', async () => {
  const child = start(['peer'], handingOver());
  await firstLine(child);
  child.kill('SIGKILL');
  // Its output closes only when the program, which holds the other end of the pipe, is gone too.
  expect(await ended(child)).toMatchObject({ signal: 'SIGKILL' });
});
