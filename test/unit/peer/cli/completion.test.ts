import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { peerOfThisFile, runWords } from './recorded-peer.ts';

const peer = peerOfThisFile();
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cohort-completion-'));
  await mkdir(join(folder, 'films'));
  await writeFile(join(folder, 'a file'), '');
  await writeFile(join(folder, '.hidden'), '');
});
afterAll(() => rm(folder, { recursive: true }));

const transfer = (transferId: string, state: string): object => ({ transferId, file: 'film', group: 'friends', state });
const list = (...items: object[]): { status: number; body: object } => ({ status: 200, body: { items, next: null } });

beforeEach(() => {
  const group = (name: string, membership: string): object => ({ group: name, owner: 'ann', membership });
  peer.answers.set('GET /groups', list(group('friends', 'owner'), group('films', 'member'), group('others', 'none')));
  const file = (name: string): object => ({ file: name, totalBytes: 2048, sharedBy: 'ann' });
  peer.answers.set('GET /groups/friends/files', list(file('film'), file('it’s a "film"'), file('x:y')));
  peer.answers.set('GET /groups/friends/members', list({ user: 'ann' }, { user: 'bob' }));
  peer.answers.set('GET /groups/friends/requests', list({ user: 'cid' }));
  peer.answers.set(
    'GET /transfers',
    list(transfer('11111111-1111-4111', 'paused'), transfer('22222222-2222-4222', 'seeding')),
  );
});

/** What zsh and fish are told at the end of these words. */
async function told(...words: string[]): Promise<readonly string[]> {
  const environment = { COHORT_DATA_DIR: peer.dataDirectory };
  const { exitCode, out, note } = await runWords(['complete', '--', ...words], { environment });
  expect({ exitCode, note }).toEqual({ exitCode: 0, note: '' });
  return out.split('\n').filter((line) => line !== '');
}

/** What bash is told for a line. */
async function toldBash(line: string): Promise<readonly string[]> {
  const environment = { COHORT_DATA_DIR: peer.dataDirectory };
  const words = ['complete', '--bash', ` \t\n"'@><=;|&(:`, '--', `cohort ${line}`];
  return (await runWords(words, { environment, workingDirectory: folder })).out
    .split('\n')
    .filter((each) => each !== '');
}

describe('candidates', () => {
  test('the first word is a command, and hidden ones are none', async () => {
    expect(await told('list_f')).toEqual(['list_files\twhat is shared in a group']);
    expect(await told('comple')).toEqual([
      'completion\tprint a script with which a shell completes commands, flags and names',
    ]);
    expect(await told('--data-dir', '/x', 'log')).toEqual(expect.arrayContaining(['login\tlog in on this peer']));
  });

  test.each([
    [
      ['list_files', ''],
      ['films\tof ann', 'friends\tof ann'],
    ],
    [['join_group', ''], ['others\tof ann']],
    [['set_copies', ''], ['friends\tof ann']],
    [['download_file', 'friends', 'f'], ['film\t2.0 KiB, shared by ann']],
    [['download_file', 'friends', 'film', ''], ['\tpaths']],
    [['download_file', 'friends', '--version', '2', 'fi'], ['film\t2.0 KiB, shared by ann']],
    [
      ['remove_member', 'friends', ''],
      ['ann', 'bob'],
    ],
    [['accept_request', 'friends', ''], ['cid']],
    [['resume', ''], ['11111111-111\tfilm of friends, paused']],
    [['pause', '2'], ['22222222-222\tfilm of friends, seeding']],
    [
      ['recheck', 'f'],
      ['films\tof ann', 'friends\tof ann'],
    ],
    [['recheck', '1'], ['11111111-111\tfilm of friends, paused']],
    [
      ['upload_file', 'fr'],
      ['friends\tof ann', '\tpaths'],
    ],
    [['upload_file', './x', 'fr'], ['friends\tof ann']],
    [['upload_file', 'friends', 'fr'], ['\tpaths']],
    [
      ['upload_file', 'friends', 'x', '--hash', ''],
      ['sha1', 'sha256'],
    ],
    [['upload_file', '--hash=sha2'], ['--hash=sha256']],
    [['limits', '--group', 'fi'], ['films\tof ann']],
    [['completion', 'z'], ['zsh']],
    [['help', 'logo'], ['logout\tlog out on this peer; its transfers pause until the next login']],
    [['login', 'ann', ''], []],
    [['no_such_command', ''], []],
    [['list_files', 'friends', ''], []],
    [['list_files', '--', '-'], []],
  ])('%j', async (words, candidates) => {
    expect(await told(...words)).toEqual(candidates);
  });

  test('a name that begins with a dash is none before the flags have ended', async () => {
    const file = (name: string): object => ({ file: name, totalBytes: 2048, sharedBy: 'ann' });
    peer.answers.set('GET /groups/friends/files', list(file('--everywhere'), file('film')));
    expect(await told('stop_share', 'friends', '')).toEqual(['film\t2.0 KiB, shared by ann']);
    expect(await told('stop_share', '--', 'friends', '--')).toEqual(['--everywhere\t2.0 KiB, shared by ann']);
  });

  test('a dash begins a flag of the command, or of all commands', async () => {
    const flags = (await told('stop_share', '--')).map((line) => line.split('\t')[0]);
    expect(flags).toEqual([
      '--command-id',
      '--control-token-file',
      '--data-dir',
      '--everywhere',
      '--help',
      '--json',
      '--version',
      '--yes',
    ]);
  });

  test('of a long list only what begins as typed is asked for', async () => {
    await told('list_files', 'fri');
    expect(peer.requests[0]!.path).toBe(`/groups?after=${encodeURIComponent('frh\ud7ff')}&limit=1000`);
  });
});

describe('what cannot be answered completes nothing, without a word', () => {
  test.each([
    ['a peer that refuses', { status: 401, body: { code: 'not_logged_in', detail: 'no' } }],
    ['a peer that goes away', 'cut' as const],
    ['something else that answers', { status: 200, body: [] }],
  ])('%s', async (_, answer) => {
    for (const path of ['/groups', '/transfers', '/groups/friends/files']) peer.answers.set(`GET ${path}`, answer);
    expect(await told('list_files', '')).toEqual([]);
    expect(await told('recheck', '')).toEqual([]);
    expect(await told('stop_share', 'friends', '')).toEqual([]);
  });

  test('no peer', async () => {
    const { exitCode, out, note } = await runWords(['complete', '--', '--data-dir', '/nowhere', 'list_files', '']);
    expect({ exitCode, out, note }).toEqual({ exitCode: 0, out: '', note: '' });
  });
});

describe('for bash', () => {
  test.each([
    ['list_files fr', ['friends']],
    ['stop_share friends i', ['it\\’s\\ a\\ \\"film\\"']],
    [`stop_share friends "it`, ['it’s a \\"film\\""']],
    ['stop_share friends x:', ['y']],
    ['stop_share friends "x:', ['x:y']],
    ['upload_file --hash=sha2', ['sha256']],
    ['upload_file friends ', ['a\\ file', 'films/']],
    ['upload_file friends ./f', ['./films/']],
    ['upload_file friends .h', ['.hidden']],
    [`upload_file friends 'a`, ['a file']],
  ])('%s', async (line, candidates) => {
    expect(await toldBash(line)).toEqual(candidates);
  });

  test.each([
    ['s', ['s\\$\\(x\\)']],
    ['"s', ['s\\$(x)']],
    ['"s\\$', ['s\\$(x)']],
    [`'s`, ['s$(x)']],
    ['t', ['t\\`x\\`']],
    ['"t', ['t\\`x\\`']],
    [`'t`, ['t`x`']],
    ['"u', [`u'\\";x`]],
    [`'u`, [`u'\\''";x`]],
    ['v', ['v\\!\\!']],
    ['"v', []],
    [`'v`, ['v!!']],
    ['"w', ['w\\""']],
    [`'x`, [`x'\\'''`]],
    ['', ['s\\$\\(x\\)', 't\\`x\\`', `u\\'\\"\\;x`, 'v\\!\\!', 'w\\"', `x\\'`, '\\~root']],
  ])('nothing in a name is run or replaced behind %j', async (typed, candidates) => {
    const file = (name: string): object => ({ file: name, totalBytes: 2048, sharedBy: 'ann' });
    const names = ['s$(x)', 't`x`', `u'";x`, 'v!!', 'w"', `x'`, '~root'];
    peer.answers.set('GET /groups/friends/files', list(...names.map(file)));
    expect(await toldBash(`stop_share friends ${typed}`)).toEqual(candidates);
  });

  test.skipIf(process.platform === 'win32')('a path with a line break completes nothing', async () => {
    const path = join(folder, 'b\n$(x)');
    await writeFile(path, '');
    expect(await toldBash('upload_file friends b')).toEqual([]);
    await rm(path);
  });
});
