import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { LAUNCHER } from '../../infra/quick-start/node-process.ts';
import { Cluster, sha1Of, type TestPeer } from './cluster.ts';
import { KEY, PseudoTerminal } from './pseudo-terminal.ts';

vi.setConfig({ testTimeout: 60_000 });

const MIB = 1024 * 1024;
const PROMPT = /^cohort(?: \S+)?> $/;
let cluster: Cluster;
let first: TestPeer;
let second: TestPeer;
let open: PseudoTerminal[] = [];

beforeAll(async () => {
  cluster = await Cluster.start({ trackerCount: 1 });
  // Slow enough for a person to see the progress.
  const flags = ['--download-limit', '256KiB'];
  [first, second] = await Promise.all([cluster.peer('first'), cluster.peer('second', { flags })]);
  await mkdir(cluster.path('dir'));
}, 120_000);
afterEach(async () => {
  await Promise.all(open.map((terminal) => terminal.close()));
  open = [];
});
afterAll(() => cluster.stop());

/** `cohort shell` at a terminal, with its first prompt. */
async function shellOf(peer: TestPeer, columns = 80): Promise<PseudoTerminal> {
  const words = [LAUNCHER, 'shell', '--data-dir', peer.dataDirectory];
  const terminal = new PseudoTerminal(process.execPath, words, { columns, workingDirectory: cluster.folder });
  open.push(terminal);
  await terminal.prompts(PROMPT);
  return terminal;
}

/** Types lines one after the other, and returns what was answered to each. */
async function typed(terminal: PseudoTerminal, lines: readonly string[]): Promise<readonly string[]> {
  const answers: string[] = [];
  for (const line of lines) answers.push(await terminal.line(line, PROMPT));
  return answers;
}

async function quit(terminal: PseudoTerminal): Promise<void> {
  terminal.type(`quit${KEY.enter}`);
  expect(await terminal.exitCode).toBe(0);
}

describe('the classic session, typed line by line', () => {
  it('goes from a user to a file and back out', async () => {
    await writeFile(cluster.path('f'), 'what is shared');
    const terminal = await shellOf(first);
    expect(terminal.screen.lineToCursor).toBe('cohort> ');
    const lines = ['create_user u1 passw0rd-1', 'login u1 passw0rd-1', 'create_group g1', 'upload_file g1 ./f'];
    expect(await typed(terminal, lines)).toEqual([
      'User u1 was created. Log in with: login u1',
      'Logged in as u1.',
      'Group g1 was created, and you own it.',
      'f is shared in g1.',
    ]);
    expect(terminal.screen.lineToCursor).toBe('cohort u1> ');
    expect(await terminal.line('list_files g1', PROMPT)).toMatch(/^FILE +VERSION[\s\S]*\nf +1 +14 B +u1 /);
    const downloaded = await terminal.line('download_file g1 f ./dir', PROMPT);
    expect(downloaded.split('\n')[0]).toBe(cluster.path('dir', 'f'));
    expect(await sha1Of(cluster.path('dir', 'f'))).toBe(await sha1Of(cluster.path('f')));
    expect(await typed(terminal, ['show_downloads', 'stop_share g1 f', 'logout'])).toEqual([
      '[C] [g1] f',
      'This peer no longer serves f of g1.',
      'Logged out.',
    ]);
    expect(terminal.screen.lineToCursor).toBe('cohort> ');
    await quit(terminal);
  });

  it('shows progress over itself, lets go of it at Ctrl-C, and lists what is under way as [D], then as [C]', async () => {
    await cluster.file('film.mkv', 8 * MIB);
    const sharer = await shellOf(first);
    // Both orders of its words, comments, and blank lines.
    await typed(
      sharer,
      ['login u1 passw0rd-1', 'upload_file ./film.mkv g1', '', '# nothing', 'quit # leave'].slice(0, -1),
    );
    const terminal = await shellOf(second);
    await typed(terminal, ['create_user u2 passw0rd-2', 'login u2 passw0rd-2', 'join_group g1']);
    expect(await sharer.line('accept_request g1 u2', PROMPT)).toBe('u2 is a member of g1 now.');

    const { row } = terminal.screen;
    terminal.type(`download_file g1 film.mkv ./dir --overwrite${KEY.enter}`);
    await terminal.sees(/^film\.mkv {2}\[#+-+\] {2}\d+% of 8\.0 MiB/, row);
    terminal.resize(40);
    await terminal.sees(/^film\.mkv {2}\d+% {2}\S+ KiB\/s/, row);
    terminal.type(KEY.ctrlC);
    await terminal.prompts(PROMPT, row);
    const said = terminal.screen.lines.slice(row + 1).join('\n');
    expect(said).toContain('The transfer goes on in the peer.');
    expect(said).not.toContain('film.mkv  ');
    terminal.resize(80);
    expect(await terminal.line('show_downloads', PROMPT)).toBe('[D] [g1] film.mkv');
    await terminal.line('limits --download none', PROMPT);
    const { items } = await second.view<{ items: { transferId: string }[] }>('/transfers');
    await second.untilTransfer(items[0]!.transferId, 'complete', ({ completedAt }) => completedAt !== null);
    expect(await terminal.line('show_downloads', PROMPT)).toBe('[C] [g1] film.mkv');

    await sharer.line('stop_share g1 film.mkv --yes', PROMPT);
    expect(await terminal.line('stop_share g1 film.mkv', /^Go ahead\? \[y\/N\] $/)).toContain('\n  film.mkv, of g1');
    expect(await terminal.line('n', PROMPT)).toMatch(/^Nothing was changed\./);
    await terminal.line('stop_share g1 film.mkv', /^Go ahead\? \[y\/N\] $/);
    expect(await terminal.line('y', PROMPT)).toBe('This peer no longer serves film.mkv of g1.');
    await Promise.all([quit(terminal), quit(sharer)]);
  });
});

describe('the prompt', () => {
  it('completes commands, groups, files, paths and flags, in the quotes that were begun', async () => {
    await first.accepted('create_group', { group: 'Grüße aus 東京' });
    await writeFile(cluster.path('ein Bild.txt'), 'UTF-8');
    const terminal = await shellOf(first);
    const line = (): string => terminal.screen.lineToCursor;
    const completes = (to: string): Promise<void> =>
      terminal.until(`the line ${to}`, () => line() === `cohort u1> ${to}`);
    terminal.type(`uplo${KEY.tab}`);
    await completes('upload_file ');
    terminal.type(`Gr${KEY.tab}`);
    await completes('upload_file Grüße\\ aus\\ 東京 ');
    terminal.type(`"ein${KEY.tab}`);
    await completes('upload_file Grüße\\ aus\\ 東京 "ein Bild.txt" ');
    terminal.type(`--na${KEY.tab}`);
    await completes('upload_file Grüße\\ aus\\ 東京 "ein Bild.txt" --name ');
    expect(await terminal.line('ä.txt', PROMPT)).toBe('ä.txt is shared in Grüße aus 東京.');
    terminal.type(`download_file 'Grüße aus 東京' ${KEY.tab}`);
    await completes(`download_file 'Grüße aus 東京' ä.txt `);
    expect(await terminal.line('dir/', PROMPT)).toContain(cluster.path('dir', 'ä.txt'));
    terminal.type(`pause ${KEY.tab}${KEY.tab}`);
    await terminal.sees(/\(ä\.txt of Grüße aus 東京, seeding\)/);
    terminal.type(KEY.ctrlC);
    await quit(terminal);
  });

  it('remembers what was typed over sessions, and no password', async () => {
    const before = await shellOf(first);
    await typed(before, [
      'create_user u3 passw0rd-3',
      'logout',
      `login u1 'passw0rd-1'`,
      'list_groups',
      ' list_members g1',
    ]);
    before.type(KEY.ctrlD);
    expect(await before.exitCode).toBe(0);
    const file = join(first.dataDirectory, 'shell-history');
    const kept = await readFile(file, 'utf8');
    expect(kept).toMatch(/\nlogout\nlist_groups\n$/);
    expect(kept).not.toContain('passw0rd');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const after = await shellOf(first);
    after.type(KEY.up);
    await after.until('the last line', ({ lineToCursor }) => lineToCursor === 'cohort u1> list_groups');
    after.type(KEY.up);
    await after.until('the line before', ({ lineToCursor }) => lineToCursor === 'cohort u1> logout');
    after.type(KEY.ctrlC);
    await quit(after);
  });

  it('runs pasted lines one after the other, and asks for a password among them', async () => {
    const terminal = await shellOf(first);
    terminal.type(
      ['logout', 'login u1', 'passw0rd-1', 'create_group pasted', 'leave_group pasted', ''].join(KEY.enter),
    );
    await terminal.sees(/^You have left pasted\.$/);
    await terminal.prompts(
      PROMPT,
      terminal.screen.lines.findIndex((line) => line.startsWith('You have left')),
    );
    expect(terminal.written).not.toContain('passw0rd-1');
    expect(terminal.screen.lines).toEqual(
      expect.arrayContaining(['Logged out.', 'Logged in as u1.', 'Group pasted was created, and you own it.']),
    );
    await quit(terminal);
  });

  it('goes on after Ctrl-C, an unknown command and an open quote', async () => {
    const terminal = await shellOf(first);
    const { row } = terminal.screen;
    terminal.type('list_gr');
    await terminal.until('what was typed', ({ lineToCursor }) => lineToCursor.endsWith('list_gr'));
    terminal.type(KEY.ctrlC);
    await terminal.prompts(PROMPT, row);
    expect(await terminal.line('list_grups', PROMPT)).toContain(`unknown command 'list_grups'`);
    expect(await terminal.line(`list_files 'g1`, PROMPT)).toBe("The quote ' is not closed.");
    expect(await terminal.line('help list_files', PROMPT)).toContain('what is shared in a group');
    await quit(terminal);
  });
});
