import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { LAUNCHER } from '../../infra/quick-start/node-process.ts';
import { peerOfThisFile } from '../unit/peer/cli/recorded-peer.ts';
import { KEY, PseudoTerminal } from './pseudo-terminal.ts';
import { cohort } from './typed-commands.ts';

vi.setConfig({ testTimeout: 60_000 });

const peer = peerOfThisFile();
const isRequired = process.env['COHORT_REQUIRE_SHELLS'] === '1';
let folder: string;
let open: PseudoTerminal | undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cohort-shells-'));
  await mkdir(join(folder, 'friends'));
  await writeFile(join(folder, 'my file.txt'), '');
  await writeFile(join(folder, 'my other.txt'), '');
});
afterEach(async () => {
  await open?.close();
  open = undefined;
});
afterAll(() => rm(folder, { recursive: true }));

beforeEach(() => {
  const list = (...items: object[]): { status: number; body: object } => ({ status: 200, body: { items, next: null } });
  const group = (name: string): object => ({ group: name, owner: 'ann', membership: 'owner' });
  const file = (name: string): object => ({ file: name, totalBytes: 2048, sharedBy: 'ann' });
  peer.answers.set('GET /groups', list(group('friends'), group('Grüße aus Köln')));
  peer.answers.set('GET /groups/friends/files', list(file('a film.mkv'), file('x:y=z')));
});

/** A shell without anybody's own settings, that completes cohort. */
const SHELLS = {
  bash: { words: ['--noprofile', '--norc', '-i'], setUp: `PS1='$ '; bind 'set bell-style none'` },
  zsh: { words: ['-f', '-i'], setUp: `PS1='$ '; unsetopt PROMPT_SP; autoload -Uz compinit; compinit -D` },
  fish: {
    words: ['--no-config', '-i'],
    setUp: `function fish_prompt; printf '$ '; end; function fish_title; end; set -g fish_autosuggestion_enabled 0`,
  },
} as const;

type ShellName = keyof typeof SHELLS;

function hasShell(name: ShellName): boolean {
  const isThere = spawnSync(name, ['--version']).status === 0;
  if (!isThere && !isRequired) process.stderr.write(`left out, completion in ${name}: it is not on this machine\n`);
  return isThere || isRequired;
}

async function shell(name: ShellName): Promise<PseudoTerminal> {
  const script = join(folder, `completion.${name}`);
  const { out } = await cohort(['completion', name]);
  await writeFile(script, out);
  const { words, setUp } = SHELLS[name];
  const environment = { COHORT_DATA_DIR: peer.dataDirectory, HOME: folder, LC_ALL: 'C.UTF-8', INPUTRC: '/dev/null' };
  open = new PseudoTerminal(name, words, { columns: 120, workingDirectory: folder, environment });
  open.type(`${setUp}; . ${script}; clear${KEY.enter}`);
  await open.prompts(/^\$ $/);
  return open;
}

/** Types the beginning of a line, presses Tab, and waits for what becomes of it; then throws the line away. */
async function expectCompleted(terminal: PseudoTerminal, typed: string, line: string): Promise<void> {
  terminal.type(typed);
  await terminal.until(`what was typed: ${typed}`, ({ lineToCursor }) => lineToCursor === `$ ${typed}`);
  terminal.type(KEY.tab);
  await terminal.until(`the line ${line}`, ({ lineToCursor }) => lineToCursor === `$ ${line}`);
  terminal.type(KEY.ctrlU);
  await terminal.prompts(/^\$ $/);
}

/** Names that a shell would run or replace parts of, each with a beginning of its own. */
const HOSTILE_NAMES = [
  's$(touch made)',
  't`touch made`',
  `u'";touch made;'"`,
  'v!!',
  'w;touch made&|<>*?[a-z]{b,c}#^',
  '~root',
];

/** Completes a name behind what was typed, runs the line, and waits until the command was given that name. */
async function expectGiven(terminal: PseudoTerminal, typed: string, name: string): Promise<void> {
  terminal.type(`cohort stop_share friends ${typed}`);
  await terminal.until(`what was typed: ${typed}`, ({ lineToCursor }) => lineToCursor.endsWith(` ${typed}`));
  terminal.type(KEY.tab);
  await terminal.until(`more than ${typed}`, ({ lineToCursor }) => !lineToCursor.endsWith(` ${typed}`));
  terminal.type(KEY.enter);
  await expect.poll(() => readFile(join(folder, 'given'), 'utf8').catch(() => '')).toBe(name);
  await rm(join(folder, 'given'));
  await terminal.prompts(/^\$ $/);
}

describe.each(['bash', 'zsh', 'fish'] as const)('completion in %s', (name) => {
  it.skipIf(!hasShell(name))('leaves every character of a name what it is', async () => {
    const file = (each: string): object => ({ file: each, totalBytes: 2048, sharedBy: 'ann' });
    peer.answers.set('GET /groups/friends/files', {
      status: 200,
      body: { items: HOSTILE_NAMES.map(file), next: null },
    });
    const terminal = await shell(name);
    const cohortThatWrites =
      name === 'fish'
        ? 'function cohort; printf %s $argv[3] > part; mv part given; clear; end'
        : 'cohort() { printf %s "$3" > part; mv part given; clear; }';
    terminal.type(`${cohortThatWrites}; clear${KEY.enter}`);
    await terminal.prompts(/^\$ $/);
    for (const hostile of HOSTILE_NAMES) {
      for (const quote of ['', '"', "'"]) {
        if (name === 'bash' && quote === '"' && hostile.includes('!')) continue;
        const beginning = hostile[0]!.replace('~', quote === '' ? '\\~' : '~');
        await expectGiven(terminal, quote + beginning, hostile);
      }
    }
    expect(await readdir(folder)).not.toContain('made');
  });

  it.skipIf(!hasShell(name))('completes commands, flags, groups, files and paths', async () => {
    const terminal = await shell(name);
    await expectCompleted(terminal, 'cohort list_f', 'cohort list_files ');
    await expectCompleted(terminal, 'cohort list_files fr', 'cohort list_files friends ');
    await expectCompleted(terminal, 'cohort list_files Gr', 'cohort list_files Grüße\\ aus\\ Köln ');
    await expectCompleted(terminal, 'cohort stop_share friends a', 'cohort stop_share friends a\\ film.mkv ');
    await expectCompleted(terminal, 'cohort stop_share friends x --every', 'cohort stop_share friends x --everywhere ');
    await expectCompleted(terminal, 'cohort upload_file --hash sha2', 'cohort upload_file --hash sha256 ');
    await expectCompleted(terminal, 'cohort upload_file friends my\\ f', 'cohort upload_file friends my\\ file.txt ');
    await expectCompleted(terminal, 'cohort upload_file friends ./fri', 'cohort upload_file friends ./friends/');
  });

  it.skipIf(!hasShell(name))('is quiet when no peer answers', async () => {
    peer.answers.set('GET /groups', 'cut');
    const terminal = await shell(name);
    const before = terminal.screen.lines.length;
    terminal.type(`cohort list_files fr${KEY.tab}x`);
    await terminal.until(
      'nothing but what was typed',
      ({ lineToCursor }) => lineToCursor === '$ cohort list_files frx',
    );
    expect(terminal.screen.lines).toHaveLength(before);
  });
});

it('names in bash are completed where the quote was opened, and behind characters that end words there', async () => {
  const terminal = await shell('bash');
  await expectCompleted(terminal, 'cohort stop_share friends "a f', 'cohort stop_share friends "a film.mkv" ');
  await expectCompleted(terminal, `cohort list_files 'Gr`, `cohort list_files 'Grüße aus Köln' `);
  await expectCompleted(terminal, 'cohort stop_share friends x:', 'cohort stop_share friends x:y=z ');
  await expectCompleted(terminal, 'cohort upload_file --hash=sha2', 'cohort upload_file --hash=sha256 ');
});

it('says which shells it has a script for', async () => {
  const { exitCode, complaint } = await cohort(['completion', 'tcsh']);
  expect(exitCode).toBe(64);
  expect(complaint).toMatch(/bash, zsh, fish/);
});

it('runs this program, wherever it is called from', async () => {
  expect((await cohort(['completion', 'bash'])).out).toContain(LAUNCHER);
});
