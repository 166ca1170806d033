import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { ROOT } from '../../infra/quick-start/node-process.ts';
import { PASSWORD, until } from './cluster.ts';
import { cohort } from './typed-commands.ts';

vi.setConfig({ testTimeout: 90_000 });

let state: string;
beforeAll(async () => {
  state = join(await mkdtemp(join(tmpdir(), 'cohort-start-')), 'state');
});
afterAll(() => rm(join(state, '..'), { recursive: true, force: true }));

interface Running {
  readonly child: ChildProcess;
  readonly output: string;
}

const SCRIPT = join(ROOT, 'infra/quick-start/quick-start.mjs');

/** Runs what `npm start` runs, until it says what to type. */
async function start(): Promise<Running> {
  const child = spawn(process.execPath, [SCRIPT, '--state', state], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
  await until('the system is up', () => output.includes('Ctrl-C here') || (child.exitCode !== null && 'ended'), 60_000);
  return { child, output };
}

/** Ends it and says how it ended. */
async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  child.kill(signal);
  return ended;
}

/** Addresses at which something of the system answers. */
function addressesIn(output: string): string[] {
  return [...output.matchAll(/http:\/\/127\.0\.0\.1:\d+/g)].map(([url]) => url);
}

async function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    () => true,
    () => false,
  );
}

const untilSilent = (output: string): Promise<boolean> =>
  until('nothing answers any more', async () => {
    const answering = await Promise.all(addressesIn(output).map(answers));
    return !answering.includes(true);
  });

it('what npm start says to type works as it stands there', async () => {
  const { child, output } = await start();
  const commands = output.split('\n').filter((line) => line.startsWith('  npx cohort '));
  expect(commands).toHaveLength(10);
  let last = '';
  for (const command of commands) {
    const words = command.trim().split(' ').slice(2);
    const { exitCode, out, complaint } = await cohort(words, { input: `${PASSWORD}\n` });
    expect({ command, exitCode, complaint }).toEqual({ command, exitCode: 0, complaint: '' });
    last = out;
  }
  expect(last).toBe('[C] [friends] README.md\n');
  const copy = await readFile(join(state, 'README-of-bob.md'), 'utf8');
  expect(copy).toBe(await readFile(join(ROOT, 'README.md'), 'utf8'));
  expect(await end(child, 'SIGINT')).toBe(0);
  await untilSilent(output);
});

it('a second start finds everything as it was, is safe from a fresh one, and leaves nothing behind when it is killed', async () => {
  const { child, output } = await start();
  expect(output).toContain('What was there before');
  const { exitCode, out } = await cohort(['list_members', 'friends', '--data-dir', join(state, 'bob')]);
  expect(exitCode).toBe(0);
  expect(out).toMatch(/alice +owner[\s\S]*bob +member/);
  const words = [SCRIPT, '--fresh', '--state', state];
  const { status, stderr } = spawnSync(process.execPath, words, { cwd: ROOT, encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 69, stderr: expect.stringContaining(`${state} is in use`) });
  expect(await Promise.all(addressesIn(output).map(answers))).not.toContain(false);
  await end(child, 'SIGKILL');
  await untilSilent(output);
});
