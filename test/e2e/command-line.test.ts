import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { StatusView } from '#wire/control-status';
import { readmeText } from '../architecture/readme-pages.ts';
import { Cluster, PASSWORD, sha1Of, type TestPeer } from './cluster.ts';
import { cohort, cohortAtTerminal, endOf, hasTerminals, startCohort, type Typed } from './typed-commands.ts';

vi.setConfig({ testTimeout: 60_000 });

const MIB = 1024 * 1024;
let cluster: Cluster;
let alice: TestPeer;
let bob: TestPeer;

beforeAll(async () => {
  cluster = await Cluster.start();
  [alice, bob] = await Promise.all([cluster.peer('alice'), cluster.peer('bob')]);
}, 120_000);
afterAll(() => cluster.stop());

type Options = Parameters<typeof cohort>[1];
const at = (peer: TestPeer, words: readonly string[], options?: Options): Promise<Typed> =>
  cohort([...words, '--data-dir', peer.dataDirectory], options);

/** Runs a command that has to succeed and returns what it printed. */
async function said(peer: TestPeer, words: readonly string[], options?: Options): Promise<string> {
  const { exitCode, out, complaint } = await at(peer, words, options);
  expect({ words, exitCode, complaint }).toEqual({ words, exitCode: 0, complaint: '' });
  return out;
}

describe('the command line', () => {
  it('tells the story from two users to a file on both sides', async () => {
    for (const peer of [alice, bob]) {
      await said(peer, ['create_user', peer.name], { input: `${PASSWORD}\n` });
      expect(await said(peer, ['login', peer.name], { input: `${PASSWORD}\n` })).toBe(`Logged in as ${peer.name}.\n`);
    }
    await said(alice, ['create_group', 'friends']);
    await said(bob, ['join_group', 'friends']);
    expect(await said(alice, ['list_requests', 'friends'])).toContain('bob');
    await said(alice, ['accept_request', 'friends', 'bob']);
    expect(await said(bob, ['list_groups'])).toMatch(/friends +alice +member/);
    expect(await said(bob, ['list_members', 'friends'])).toMatch(/alice +owner[\s\S]*bob +member/);

    await writeFile(cluster.path('film.mkv'), Buffer.alloc(3 * MIB, 'film'));
    await said(alice, ['upload_file', 'friends', 'film.mkv'], { workingDirectory: cluster.folder });
    await writeFile(cluster.path('song.ogg'), Buffer.alloc(MIB, 'song'));
    await said(alice, ['upload_file', 'song.ogg', 'friends'], { workingDirectory: cluster.folder });
    expect(await said(bob, ['list_files', 'friends'])).toMatch(
      /film\.mkv +1 +3\.0 MiB +alice.* 1 +0\n.*song\.ogg +1 +1\.0 MiB/,
    );

    await mkdir(cluster.path('of-bob'));
    const workingDirectory = cluster.path('of-bob');
    const out = await said(bob, ['download_file', 'friends', 'film.mkv', '.'], { workingDirectory });
    expect(out).toContain(join(workingDirectory, 'film.mkv'));
    expect(await sha1Of(join(workingDirectory, 'film.mkv'))).toBe(await sha1Of(cluster.path('film.mkv')));
    expect(await said(bob, ['show_downloads'])).toBe('[C] [friends] film.mkv\n');
    expect(await said(alice, ['show_downloads'])).toBe('');
  });

  it('adopts, stops, pauses, resumes and removes', async () => {
    const copy = cluster.path('song-of-bob.ogg');
    await writeFile(copy, await readFile(cluster.path('song.ogg')));
    await said(bob, ['seed_file', 'friends', 'song.ogg', copy]);
    await said(bob, ['stop_share', 'friends', 'song.ogg']);
    await said(alice, ['upload_file', 'friends', await cluster.file('large.bin', MIB), '--name', 'large']);
    // Nobody serves it now, so the download is still under way when it is paused.
    await said(alice, ['logout', '--yes']);
    await said(bob, ['download_file', 'friends', 'large', cluster.folder, '--detach']);
    const transfers = JSON.parse(await said(bob, ['transfers', '--json'])) as {
      items: { transferId: string; file: string }[];
    };
    const { transferId } = transfers.items.find(({ file }) => file === 'large')!;
    await said(bob, ['pause', transferId.slice(0, 8)]);
    expect(await said(bob, ['show_downloads'])).toContain('[D] [friends] large\n');
    expect(await said(bob, ['transfers', transferId])).toContain('paused');
    await said(bob, ['resume', transferId]);
    await said(bob, ['cancel', transferId]);
    await said(bob, ['remove', transferId, '--data', 'delete']);
    expect(await said(bob, ['show_downloads'])).not.toContain('large');
    await said(alice, ['login', 'alice'], { input: `${PASSWORD}\n` });
  });

  it('shows the peer, its sessions and its keys', async () => {
    expect(await said(alice, ['status'])).toMatch(/user +alice\n[\s\S]*ready, in use/);
    const status = JSON.parse(await said(alice, ['status', '--json'])) as StatusView;
    expect(await said(alice, ['sessions'])).toContain(status.peerId);
    const key = JSON.parse(await said(alice, ['create_api_key', 'reader', '--json'])) as { keyId: string; key: string };
    const { url } = alice.control;
    const headers = { authorization: `Bearer ${key.key}` };
    expect((await fetch(`${url}/api/v1/groups`, { headers })).status).toBe(200);
    expect(await said(alice, ['api_keys'])).toContain('reader');
    await said(alice, ['delete_api_key', key.keyId]);
    expect((await fetch(`${url}/api/v1/groups`, { headers })).status).toBe(401);
  });

  it('manages members and ownership, passwords and sessions', async () => {
    const carol = await cluster.peer('carol');
    await said(carol, ['create_user', 'carol'], { input: `${PASSWORD}\n` });
    await said(carol, ['login', 'carol'], { input: `${PASSWORD}\n` });
    await said(alice, ['create_group', 'club']);
    await said(carol, ['join_group', 'club']);
    await said(alice, ['reject_request', 'club', 'carol']);
    await said(carol, ['join_group', 'club']);
    await said(alice, ['accept_request', 'club', 'carol']);
    await said(alice, ['remove_member', 'club', 'carol']);
    await said(carol, ['join_group', 'club']);
    await said(alice, ['accept_request', 'club', 'carol']);
    await said(alice, ['transfer_ownership', 'club', 'carol']);
    await said(alice, ['leave_group', 'club']);
    await said(carol, ['change_password'], { input: `${PASSWORD}\na better password\n` });
    const other = await cluster.peer('other');
    const login = await at(other, ['login', 'carol', 'a better password']);
    expect(login).toMatchObject({ exitCode: 0, complaint: expect.stringContaining('list of processes') as string });
    const { peerId } = await other.view<StatusView>('/status');
    await said(carol, ['end_session', peerId]);
    expect((await at(other, ['list_groups'])).exitCode).toBe(77);
    await said(carol, ['logout']);
  });

  it('is a prompt as well', async () => {
    const input = 'create_group "from the prompt"\njoin_group nowhere\nlist_groups\nexit\n';
    const { exitCode, out, complaint } = await at(alice, ['shell'], { input });
    expect(exitCode).toBe(0);
    expect(out).toContain('from the prompt');
    expect(complaint).toContain('(group_not_found)');
  });

  it.each([
    [['create_group'], 64],
    [['create_group', '../up'], 64],
    [['create_group', 'friends'], 65],
    [['leave_group', 'no such group'], 66],
    [['list_requests', 'friends'], 77],
  ])('ends %j of a member with %i', async (words, exitCode) => {
    const typed = await at(bob, words);
    expect(typed.exitCode).toBe(exitCode);
    expect(typed.out).toBe('');
    expect(typed.complaint).not.toBe('');
  });

  it('ends with 69 and the command to start one when no peer runs', async () => {
    const { exitCode, complaint } = await cohort(['list_groups', '--data-dir', cluster.path('nowhere')]);
    expect(exitCode).toBe(69);
    expect(complaint).toContain('cohort peer');
  });

  it('ends with 130 at Ctrl-C, while the peer goes on', async () => {
    await said(alice, ['upload_file', 'friends', await cluster.file('watched.bin', 512 * MIB)]);
    await alice.process.stop();
    const words = ['download_file', 'friends', 'watched.bin', cluster.folder, '--overwrite'];
    const child = startCohort([...words, '--data-dir', bob.dataDirectory]);
    child.stderr!.once('data', () => child.kill('SIGINT'));
    const { exitCode, complaint } = await endOf(child, '');
    expect({ exitCode, complaint }).toMatchObject({ exitCode: 130 });
    expect(complaint).toContain('The transfer goes on in the peer');
    await alice.restart();
    expect(await said(bob, ['show_downloads'])).toContain('[D] [friends] watched.bin');
  });
});

describe.skipIf(!hasTerminals)('at a terminal', () => {
  it('asks for a password twice and never shows it', async () => {
    const secret = 'nobody sees this';
    const answers = [['Password', secret] as const, ['Again', secret] as const];
    const words = ['create_user', 'dave', '--data-dir', alice.dataDirectory];
    const { exitCode, out } = await cohortAtTerminal(words, answers);
    expect(exitCode, out).toBe(0);
    expect(out).not.toContain(secret);
    expect(out).toContain('User dave was created');
  });

  it('asks an operator twice too, and sets nothing when the two differ', async () => {
    const secret = 'nobody sees this';
    const answers = [['New password', secret] as const, ['Again', `${secret} twice`] as const];
    const { exitCode, out } = await cohortAtTerminal(['operator', 'reset_password', 'alice'], answers);
    expect(exitCode, out).toBe(64);
    expect(out).not.toContain(secret);
    expect(out).toContain('the two passwords differ');
  });

  it('draws progress over itself', async () => {
    await alice.upload('friends', await cluster.file('drawn.bin', 256 * MIB));
    const words = ['download_file', 'friends', 'drawn.bin', cluster.path('of-bob'), '--data-dir', bob.dataDirectory];
    const { exitCode, out } = await cohortAtTerminal(words);
    expect(exitCode, out).toBe(0);
    expect(out).toContain('\r\u001b[2K');
    expect(out).toMatch(/drawn\.bin {2}\[#*-*\]/);
  });

  it('is a prompt that completes nothing it does not know', async () => {
    const answers = [['cohort alice> ', 'list_members friends'] as const, ['cohort alice> ', 'exit'] as const];
    const { exitCode, out } = await cohortAtTerminal(['shell', '--data-dir', alice.dataDirectory], answers);
    expect(exitCode, out).toBe(0);
    expect(out).toMatch(/alice +owner/);
  });
});

describe('the programs that keep running', () => {
  it.each(['tracker', 'peer'])('help tells what cohort %s takes', async (program) => {
    const { exitCode, out } = await cohort(['help', program]);
    expect(exitCode).toBe(0);
    expect(out).toContain('--data-dir <folder>');
  });

  it('a flag of cohort peer takes one word and leaves the others their meaning', async () => {
    const { complaint } = await cohort(['peer', '--allow-host', 'a.example,b.example', '127.0.0.1:0', 'missing.txt']);
    expect(complaint).toMatch(/there is no file \S*missing\.txt/);
  });
});

describe('cohort config', () => {
  const file = async (name: string, text: string): Promise<string> => {
    const path = cluster.path(name);
    await writeFile(path, text);
    return path;
  };

  it('says of each setting what it is, where that comes from and what it means', async () => {
    const config = await file('peer.json', '{\n  "workers": 3,\n  "control-token-file": "token"\n}');
    const { exitCode, out } = await cohort(['config', 'peer', '--config', config, '--plain', '--json']);
    expect(exitCode).toBe(0);
    const rows = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(rows.map(({ setting }) => `--${String(setting)}`)).toEqual(flagsIn((await cohort(['peer', '--help'])).out));
    const row = (name: string): object => rows.find(({ setting }) => setting === name)!;
    expect(row('workers')).toMatchObject({ value: '3', source: 'file', where: `${config}:2: workers` });
    expect(row('control-token-file')).toMatchObject({ value: cluster.path('token'), source: 'file' });
    expect(row('plain')).toMatchObject({ value: 'true', source: 'flag', where: '--plain' });
    expect(row('control')).toEqual({
      ...{ setting: 'control', variable: 'COHORT_CONTROL', value: null, source: 'default', where: null },
      default: '127.0.0.1:7070',
      meaning: expect.stringContaining('HTTP control endpoint') as string,
    });
  });

  it('is a table for people', async () => {
    const { out } = await cohort(['config', 'tracker', '--http', '127.0.0.1:9201']);
    expect(out).toMatch(/^setting +value +from +meaning\n/);
    expect(out).toMatch(/^http +127\.0\.0\.1:9201 +--http +health/m);
    expect(out).toMatch(/^log +\(cohort-log\.sqlite beside tracker_info\.txt\) +default +the log of commands/m);
  });

  it('a file with a key that is none is refused by it, by the program that is started as well', async () => {
    const config = await file('tracker.json', '{\n  "datadir": "x"\n}');
    for (const words of [['config', 'tracker'], ['tracker', 'missing.txt', '1'], ['fingerprint']]) {
      const { exitCode, complaint } = await cohort([...words, '--config', config]);
      expect({ words, exitCode }).toEqual({ words, exitCode: 64 });
      expect(complaint).toContain(`${config}:2: there is no setting "datadir"; did you mean "data-dir"?`);
    }
  });
});

/** The flags that a help text lists, but that for help itself. */
function flagsIn(help: string): string[] {
  return [...help.matchAll(/^ +(--[a-z-]+)/gm)].map(([, flag]) => flag!);
}

describe('the README', () => {
  it.each(['tracker', 'peer'])('names every flag of cohort %s with its variable', async (program) => {
    const { out } = await cohort([program, '--help']);
    const flags = new Set(flagsIn(out));
    const readme = readmeText();
    const table = readme.slice(readme.indexOf(`flag of \`cohort ${program}\``)).split('\n\n')[0]!;
    const rows = [...table.matchAll(/^\| `(--[a-z-]+)[^|]*\| `(COHORT_[A-Z_]+)`/gm)];
    expect(new Set(rows.map(([, flag]) => flag))).toEqual(flags);
    const help = out.replaceAll(/\s+/g, ' ');
    for (const [, flag, variable] of rows) expect(help, flag).toContain(variable);
  });
});
