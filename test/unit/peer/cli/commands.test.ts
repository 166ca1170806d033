import 'reflect-metadata';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CONTROL_COMMAND_BODIES } from '#wire/control-requests';
import { problemOf } from '#wire/wire-error';
import { peerOfThisFile, runWords, startRecordedPeer, TOKEN } from './recorded-peer.ts';

const peer = peerOfThisFile();

const run = (words: readonly string[], options = {}): ReturnType<typeof runWords> =>
  runWords([...words, '--data-dir', peer.dataDirectory], options);

/** The words of each command, and the body that they become. */
const COMMANDS: readonly (readonly [string, string, object])[] = [
  ['create_user', 'alice secret-word', { user: 'alice', password: 'secret-word' }],
  ['login', 'alice secret-word', { user: 'alice', password: 'secret-word' }],
  ['logout', '', {}],
  ['end_session', 'ab12', { peerId: 'ab12' }],
  ['change_password', 'old-secret new-secret', { password: 'old-secret', newPassword: 'new-secret' }],
  ['create_group', 'friends', { group: 'friends' }],
  ['join_group', 'friends', { group: 'friends' }],
  ['leave_group', 'friends', { group: 'friends' }],
  ['accept_request', 'friends bob', { group: 'friends', user: 'bob' }],
  ['reject_request', 'friends bob', { group: 'friends', user: 'bob' }],
  ['remove_member', 'friends bob', { group: 'friends', user: 'bob' }],
  ['transfer_ownership', 'friends bob', { group: 'friends', user: 'bob' }],
  ['set_copies', 'friends 2', { group: 'friends', copies: 2 }],
  ['upload_file', 'friends /data/film.mkv --update', { group: 'friends', path: '/data/film.mkv', update: true }],
  [
    'download_file',
    'friends film.mkv /data/in --strategy sequential --overwrite --version 2',
    {
      ...{ group: 'friends', file: 'film.mkv', destination: '/data/in', version: 2 },
      ...{ strategy: 'sequential', overwrite: true },
    },
  ],
  [
    'seed_file',
    'friends film.mkv /data/film.mkv --version 1',
    { group: 'friends', file: 'film.mkv', path: '/data/film.mkv', version: 1 },
  ],
  [
    'stop_share',
    'friends film.mkv --everywhere --version 1',
    { group: 'friends', file: 'film.mkv', everywhere: true, version: 1 },
  ],
];

test('every command of the control endpoint has a command here', () => {
  expect(COMMANDS.map(([name]) => name).sort()).toEqual(Object.keys(CONTROL_COMMAND_BODIES).sort());
});

test.each(COMMANDS)('%s %s sends its body with the token and an id', async (name, words, body) => {
  peer.answers.set('GET /last-copies', { status: 200, body: { items: [], next: null, asOfOffset: 7 } });
  const { exitCode, note } = await run([name, ...words.split(' ').filter(Boolean)]);
  expect({ exitCode, note }).toEqual({ exitCode: 0, note: '' });
  const request = peer.requests.find(({ method }) => method === 'POST');
  expect(request).toMatchObject({ method: 'POST', path: `/commands/${name}`, body });
  expect(request!.body).toEqual(body);
  expect(request!.headers.authorization).toBe(`Bearer ${TOKEN}`);
  expect(request!.headers['idempotency-key']).toMatch(/^[0-9a-f-]{36}$/);
});

test('a version that is no number is bad input', async () => {
  const { exitCode, note } = await run(['stop_share', 'friends', 'film.mkv', '--version', 'old']);
  expect({ exitCode, note }).toMatchObject({ exitCode: 64, note: expect.stringContaining('Versions count from 1') });
});

test('--command-id repeats a command under its own id', async () => {
  const id = '7f9a1c1e-4b7e-4a39-9a44-2d8f0a4f8d10';
  await run(['create_group', 'friends', '--command-id', id]);
  expect(peer.requests[0]!.headers['idempotency-key']).toBe(id);
});

test('--json prints the answer as one line', async () => {
  const { out } = await run(['create_group', 'friends', '--json']);
  expect(out).toBe('{"commandId":"id","offset":7,"result":{}}\n');
});

test('the data directory is taken from COHORT_DATA_DIR', async () => {
  const { exitCode } = await runWords(['logout', '--yes'], { environment: { COHORT_DATA_DIR: peer.dataDirectory } });
  expect(exitCode).toBe(0);
  expect(peer.requests).toHaveLength(1);
});

test('an empty variable is not set', async () => {
  const environment = { COHORT_DATA_DIR: '', XDG_DATA_HOME: '/nowhere' };
  expect((await runWords(['logout'], { environment })).note).toContain('/nowhere/cohort/peer');
});

describe('passwords', () => {
  test('one that is left out is read from a pipe, once', async () => {
    await run(['create_user', 'alice'], { input: ['secret-word'] });
    expect(peer.requests[0]!.body).toEqual({ user: 'alice', password: 'secret-word' });
  });

  test('a new one that is typed is asked for twice', async () => {
    const { exitCode } = await run(['create_user', 'alice'], { input: ['secret-word', 'secret-word'], isTyped: true });
    expect(exitCode).toBe(0);
  });

  test('two entries that differ send nothing', async () => {
    const { exitCode, note } = await run(['create_user', 'alice'], { input: ['secret-word', 'other'], isTyped: true });
    expect(exitCode).toBe(64);
    expect(note).toContain('differ');
    expect(peer.requests).toHaveLength(0);
  });

  test.each([
    [['create_user', 'alice', 'secret-word'], 1],
    [['change_password', 'old-secret', 'new-secret'], 2],
    [['login', 'alice', 'secret-word', '--json'], 0],
  ])('%j on the command line of a process is warned of', async (words, count) => {
    const { exitCode, note } = await run(words, { isProcess: true });
    expect([exitCode, note.split('list of processes').length - 1]).toEqual([0, count]);
    expect(note).not.toContain('secret-word');
    expect((await run(words)).note).toBe('');
  });

  test('change_password asks for the old one, then for the new one', async () => {
    await run(['change_password'], { input: ['old-secret', 'new-secret'] });
    expect(peer.requests[0]!.body).toEqual({ password: 'old-secret', newPassword: 'new-secret' });
  });

  test('an input that has ended is bad input', async () => {
    expect((await run(['login', 'alice'])).exitCode).toBe(64);
  });
});

test('a hint leads to the same peer', async () => {
  const { out } = await run(['create_user', 'alice', 'secret-word']);
  expect(out).toContain(`cohort --data-dir ${peer.dataDirectory} login alice\n`);
});

test('help lists the commands, and tells of one what it takes', async () => {
  expect((await runWords(['help'])).out).toContain('create_group <group>');
  expect((await runWords(['help', 'download_file'])).out).toContain('--overwrite');
  expect(peer.requests).toHaveLength(0);
});

test('help on a word that is no command says so, and where the list is', async () => {
  const { exitCode, out, note } = await runWords(['help', 'create_grup']);
  expect({ exitCode, out }).toEqual({ exitCode: 64, out: '' });
  expect(note).toBe("error: unknown command 'create_grup'\n(cohort --help lists the commands)\n");
});

describe('files', () => {
  test('a relative path becomes absolute where the command was typed', async () => {
    await mkdir(join(peer.dataDirectory, 'work'), { recursive: true });
    const workingDirectory = join(peer.dataDirectory, 'work');
    await run(['upload_file', 'friends', './film.mkv'], { workingDirectory });
    await run(['download_file', 'friends', 'film.mkv', '../in'], { workingDirectory });
    expect(peer.requests[0]!.body).toEqual({ group: 'friends', path: join(workingDirectory, 'film.mkv') });
    expect(peer.requests[1]!.body).toMatchObject({ destination: join(peer.dataDirectory, 'in') });
  });

  test('a path that was left empty stays empty, and is not the folder in which the command was typed', async () => {
    const workingDirectory = peer.dataDirectory;
    await run(['upload_file', 'friends', ''], { workingDirectory });
    await run(['download_file', 'friends', 'film.mkv', ''], { workingDirectory });
    await run(['seed_file', 'friends', 'film.mkv', ''], { workingDirectory });
    const bodies = peer.requests.map(({ body }) => body as { path?: string; destination?: string });
    expect(bodies.map(({ path, destination }) => path ?? destination)).toEqual(['', '', '']);
  });

  test('what is to be left out of a folder is said as often as needed', async () => {
    await run(['upload_file', '--exclude', '*.tmp', '--exclude', 'build/**', 'friends', '/data/work']);
    expect(peer.requests[0]!.body).toEqual({ group: 'friends', path: '/data/work', exclude: ['*.tmp', 'build/**'] });
  });

  test('upload_file takes path and group in either order', async () => {
    await writeFile(join(peer.dataDirectory, 'film.mkv'), '');
    for (const words of [
      ['friends', 'film.mkv'],
      ['film.mkv', 'friends'],
    ]) {
      await run(['upload_file', ...words], { workingDirectory: peer.dataDirectory });
    }
    const body = { group: 'friends', path: join(peer.dataDirectory, 'film.mkv') };
    expect(peer.requests.map((request) => request.body)).toEqual([body, body]);
  });
});

describe('refusals', () => {
  test.each([
    ['invalid_request', 64],
    ['not_logged_in', 77],
    ['not_a_member', 77],
    ['group_not_found', 66],
    ['file_exists', 65],
    ['idempotency_key_reused', 65],
    ['rate_limited', 69],
    ['tracker_unavailable', 69],
    ['outcome_unknown', 75],
    ['internal_error', 70],
  ] as const)('%s ends with %i and says what to do', async (code, exitCode) => {
    const problem = problemOf(code);
    peer.answers.set('POST /commands/create_group', { status: problem.status, body: problem });
    const ran = await run(['create_group', 'friends']);
    expect(ran).toEqual({
      exitCode,
      out: '',
      note: `${problem.detail.replaceAll('Idempotency-Key', '--command-id')} (${code})\n`,
    });
  });

  test('each field that is wrong is named', async () => {
    const problem = problemOf('invalid_request', { errors: [{ field: 'group', message: 'must not be empty' }] });
    peer.answers.set('POST /commands/create_group', { status: 400, body: problem });
    expect((await run(['create_group', ''])).note).toBe('group: must not be empty (invalid_request)\n');
  });

  test('a name in it is shown as text: a terminal obeys none of it, and it begins no line; JSON has it as it is', async () => {
    const message = 'must not be /tmp/\u001b[31mred\u001b]0;title\u0007\nend\u202e';
    const problem = problemOf('invalid_request', { errors: [{ field: 'path', message }] });
    peer.answers.set('POST /commands/create_group', { status: 400, body: problem });
    expect((await run(['create_group', 'friends'])).note).toBe(
      'path: must not be /tmp/\\u{1b}[31mred\\u{1b}]0;title\\u{7}\\u{a}end\\u{202e} (invalid_request)\n',
    );
    expect(JSON.parse((await run(['create_group', 'friends', '--json'])).note)).toEqual(problem);
  });

  test('a command that the log could not take is repeated under its id', async () => {
    const problem = problemOf('log_unavailable', { commandId: 'the-id' });
    peer.answers.set('POST /commands/create_group', { status: problem.status, body: problem });
    expect((await run(['create_group', 'friends'])).note).toContain('with --command-id the-id');
  });

  test('--json gives the problem document on standard error', async () => {
    const problem = problemOf('group_exists');
    peer.answers.set('POST /commands/create_group', { status: 409, body: problem });
    const { out, note } = await run(['create_group', 'friends', '--json']);
    expect(out).toBe('');
    expect(JSON.parse(note)).toEqual(problem);
  });

  test('a connection that breaks after a command was sent leaves the outcome unknown, and names the id to ask with', async () => {
    peer.answers.set('POST /commands/create_group', 'cut');
    const { exitCode, note } = await run(['create_group', 'friends']);
    expect(exitCode).toBe(75);
    expect(note).toContain(`--command-id ${String(peer.requests[0]!.headers['idempotency-key'])}`);
  });

  test('a connection that breaks under a view is an outage', async () => {
    peer.answers.set('GET /groups', 'cut');
    expect((await run(['list_groups'])).exitCode).toBe(69);
  });

  test('without a running peer the command to start one is named', async () => {
    const { exitCode, note } = await runWords(['list_groups', '--data-dir', '/nowhere/at/all']);
    expect(exitCode).toBe(69);
    expect(note).toContain('cohort peer <ip>:<port> <tracker_info.txt> --data-dir /nowhere/at/all');
  });

  test('a control.json that a dead peer left is no running peer', async () => {
    const gone = await startRecordedPeer();
    const { dataDirectory } = gone;
    await gone.close();
    await mkdir(dataDirectory);
    await writeFile(join(dataDirectory, 'control.json'), '{"url":"http://127.0.0.1:1","pid":1}');
    await writeFile(join(dataDirectory, 'control-token'), TOKEN);
    const { exitCode, note } = await runWords(['list_groups', '--data-dir', dataDirectory]);
    await rm(dataDirectory, { recursive: true });
    expect(exitCode).toBe(69);
    expect(note).toContain('No peer is running');
  });

  test.each([
    [['no_such_command']],
    [['create_group']],
    [['create_group', 'a', 'b']],
    [['download_file', 'g', 'f', 'd', '--strategy', 'x']],
  ])('%j is bad input and reaches nobody', async (words) => {
    expect((await run(words)).exitCode).toBe(64);
    expect(peer.requests).toHaveLength(0);
  });
});
