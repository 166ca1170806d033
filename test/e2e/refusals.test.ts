import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FileItem } from '#wire/control-api';
import type { ProblemBody } from '../../infra/quick-start/control-api.ts';
import { Cluster, outcomeOf, PASSWORD, type TestPeer } from './cluster.ts';

let cluster: Cluster;
let alice: TestPeer;
let bob: TestPeer;
let eve: TestPeer;
let nobody: TestPeer;

/** alice owns films and notes, bob is a member, eve waits to join films, and nobody is logged in on the fourth peer. */
beforeAll(async () => {
  cluster = await Cluster.start();
  [alice, bob, eve, nobody] = await Promise.all([
    cluster.user('alice'),
    cluster.user('bob'),
    cluster.user('eve'),
    cluster.peer('nobody'),
  ]);
  await cluster.group('films', alice, bob);
  await cluster.group('notes', alice);
  await eve.accepted('join_group', { group: 'films' });
  await alice.upload('films', await cluster.file('a.bin', 1000));
}, 120_000);
afterAll(() => cluster.stop());

const film = { group: 'films', file: 'a.bin' };
const into = (): object => ({ ...film, destination: cluster.folder });

describe('who may not', () => {
  it.each([
    ['join_group', { group: 'films' }],
    ['create_group', { group: 'mine' }],
    ['leave_group', { group: 'films' }],
    ['accept_request', { group: 'films', user: 'eve' }],
    ['download_file', { ...film, destination: '/tmp' }],
    ['stop_share', film],
    ['logout', {}],
  ])('logged out: %s', async (name, body) => {
    expect(await nobody.outcome(name, body)).toBe('401 not_logged_in');
  });

  it.each(['/groups', '/groups/films/members', '/groups/films/files', '/sessions'])(
    'logged out: GET %s',
    async (path) => {
      expect(outcomeOf(await nobody.control.get(path))).toBe('401 not_logged_in');
    },
  );

  it.each([
    ['download_file', { ...film, destination: '/nowhere/at/all' }],
    ['seed_file', { ...film, path: '/etc/hostname' }],
    ['stop_share', film],
    ['leave_group', { group: 'films' }],
    ['accept_request', { group: 'films', user: 'eve' }],
  ])('waiting to join: %s', async (name, body) => {
    expect(await eve.outcome(name, body)).toBe('403 request_pending');
  });

  it.each(['members', 'files', 'requests'])('waiting to join: list_%s', async (what) => {
    expect(outcomeOf(await eve.control.get(`/groups/films/${what}`))).toBe('403 request_pending');
  });

  it.each([
    ['download_file', { group: 'notes', file: 'a', destination: '/nowhere/at/all' }],
    ['leave_group', { group: 'notes' }],
    ['accept_request', { group: 'notes', user: 'eve' }],
    ['stop_share', { group: 'notes', file: 'a' }],
  ])('no member: %s', async (name, body) => {
    expect(await eve.outcome(name, body)).toBe('403 not_a_member');
  });

  it('no member: upload_file, though the file is there', async () => {
    const path = await cluster.file('of-eve.bin', 10);
    expect(await eve.outcome('upload_file', { group: 'notes', path, wait: true })).toBe('403 not_a_member');
  });

  it.each(['members', 'files', 'requests'])('no member: list_%s', async (what) => {
    expect(outcomeOf(await eve.control.get(`/groups/notes/${what}`))).toBe('403 not_a_member');
  });

  it.each([
    ['accept_request', { group: 'films', user: 'eve' }],
    ['reject_request', { group: 'films', user: 'eve' }],
    ['remove_member', { group: 'films', user: 'alice' }],
    ['transfer_ownership', { group: 'films', user: 'bob' }],
  ])('no owner: %s', async (name, body) => {
    expect(await bob.outcome(name, body)).toBe('403 not_group_owner');
  });

  it('no owner: list_requests, and stop_share everywhere', async () => {
    expect(outcomeOf(await bob.control.get('/groups/films/requests'))).toBe('403 not_group_owner');
    expect(await bob.outcome('stop_share', { ...film, everywhere: true })).toBe('403 not_share_owner');
  });
});

describe('what is not so', () => {
  it('a wrong password, a user that does not exist, a second login, a name that is taken', async () => {
    expect(await nobody.outcome('login', { user: 'alice', password: 'wrong' })).toBe('401 wrong_credentials');
    expect(await nobody.outcome('login', { user: 'no such', password: 'wrong' })).toBe('401 wrong_credentials');
    expect(await alice.outcome('login', { user: 'bob', password: PASSWORD })).toBe('409 already_logged_in');
    expect(await nobody.outcome('create_user', { user: 'alice', password: PASSWORD })).toBe('409 user_exists');
    expect(await bob.outcome('create_group', { group: 'films' })).toBe('409 group_exists');
    const change = { password: 'not the one', newPassword: PASSWORD };
    expect(await alice.outcome('change_password', change)).toBe('401 wrong_credentials');
  });

  it('a second acceptance, a second request, a request of a member, leaving twice', async () => {
    expect(await alice.outcome('accept_request', { group: 'films', user: 'bob' })).toBe('404 request_not_found');
    expect(await alice.outcome('accept_request', { group: 'films', user: 'no such' })).toBe('404 user_not_found');
    expect(await eve.outcome('join_group', { group: 'films' })).toBe('409 already_requested');
    expect(await bob.outcome('join_group', { group: 'films' })).toBe('409 already_member');
    await cluster.group('left', alice, bob);
    await bob.accepted('leave_group', { group: 'left' });
    expect(await bob.outcome('leave_group', { group: 'left' })).toBe('403 not_a_member');
    expect(await alice.outcome('leave_group', { group: 'films' })).toBe('409 owner_must_hand_over');
    await alice.accepted('leave_group', { group: 'left' });
    expect(await alice.outcome('leave_group', { group: 'left' })).toBe('404 group_not_found');
  });

  it('a group or a file that is not there', async () => {
    expect(await bob.outcome('join_group', { group: 'no such' })).toBe('404 group_not_found');
    expect(outcomeOf(await bob.control.get('/groups/no%20such/files'))).toBe('404 group_not_found');
    expect(await bob.outcome('download_file', { ...into(), file: 'no such' })).toBe('404 file_not_found');
    expect(await bob.outcome('stop_share', film)).toBe('404 file_not_found');
    expect(outcomeOf(await bob.control.get(`/transfers/${randomUUID()}`))).toBe('404 transfer_not_found');
    expect(await bob.outcome('no_such_command')).toBe('404 command_not_found');
    expect(outcomeOf(await bob.control.delete(`/sessions/${'0'.repeat(64)}`))).toBe('404 session_not_found');
  });

  it('a name that another file of the group has; the same content makes a seeder', async () => {
    const other = await cluster.file('other.bin', 2000);
    const upload = { group: 'films', path: other, name: 'a.bin', wait: true };
    expect(await bob.outcome('upload_file', upload)).toBe('409 file_exists');
    await bob.upload('films', cluster.path('a.bin'));
    const [file] = await bob.list<FileItem>('/groups/films/files');
    expect(file).toMatchObject({ file: 'a.bin', sharedBy: 'alice', seedersOnline: 2 });
    await bob.accepted('stop_share', film);
  });

  it('a destination whose parent is missing or that is there already', async () => {
    const missing = await bob.control.command<ProblemBody>('download_file', { ...film, destination: '/no/such/place' });
    expect(outcomeOf(missing)).toBe('400 invalid_request');
    expect(missing.body.errors.map(({ field }) => field)).toEqual(['destination']);
    expect(await bob.outcome('download_file', into())).toBe('409 destination_exists');
  });

  it('an id that was used for another command', async () => {
    const key = randomUUID();
    const first = await alice.accepted('create_group', { group: 'once' }, key);
    expect(await alice.accepted('create_group', { group: 'once' }, key)).toEqual(first);
    expect(await alice.outcome('create_group', { group: 'twice' }, key)).toBe('422 idempotency_key_reused');
    expect(await alice.view(`/commands/${key}`)).toMatchObject({ state: 'accepted', offset: first.offset });
  });
});

describe('what is malformed names the field', () => {
  const long = 'x'.repeat(65);
  it.each([
    ['create_group', { group: 'a', colour: 'red' }, 'colour'],
    ['create_group', {}, 'group'],
    ['create_group', { group: 7 }, 'group'],
    ['create_group', { group: ['a'] }, 'group'],
    ['create_group', { group: null }, 'group'],
    ['create_group', { group: '' }, 'group'],
    ['create_group', { group: long }, 'group'],
    ['create_group', { group: 'ü'.repeat(33) }, 'group'],
    ['create_group', { group: '../up' }, 'group'],
    ['create_group', { group: '..' }, 'group'],
    ['create_group', { group: 'a\u0000b' }, 'group'],
    ['create_group', { group: 'a\nb' }, 'group'],
    ['create_group', { group: 'a\u202eb' }, 'group'],
    ['create_user', { user: '../up', password: PASSWORD }, 'user'],
    ['create_user', { user: 'a', password: 'short' }, 'password'],
    ['create_user', { user: 'a', password: 12345678 }, 'password'],
    ['accept_request', { group: 'films', user: '' }, 'user'],
    ['download_file', { ...film, file: '../../etc/passwd', destination: '/tmp' }, 'file'],
    ['download_file', { ...film, destination: 'relative' }, 'destination'],
    ['download_file', { ...film, destination: '/tmp', strategy: 'fastest' }, 'strategy'],
    ['download_file', { ...film, destination: '/tmp', wait: 'yes' }, 'wait'],
    ['upload_file', { group: 'films', path: './relative' }, 'path'],
    ['upload_file', { group: 'films', path: '/no/such/file' }, 'path'],
    ['upload_file', { group: 'films', path: '/etc/hostname', name: 'a/b' }, 'name'],
    ['upload_file', { group: 'films', path: '/etc/hostname', hash: 'md5' }, 'hash'],
    ['upload_file', { group: 'films', path: '/etc/host\u0000name' }, 'path'],
    ['stop_share', { ...film, everywhere: 1 }, 'everywhere'],
  ])('%s %j', async (name, body, field) => {
    const answer = await alice.control.command<ProblemBody>(name, body);
    expect(outcomeOf(answer)).toBe('400 invalid_request');
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(answer.body.errors.map((error) => error.field)).toContain(field);
  });

  it('a key that is no UUID, a query that is none', async () => {
    expect(await alice.outcome('create_group', { group: 'a' }, 'not-a-uuid')).toBe('400 invalid_request');
    expect(outcomeOf(await alice.control.get('/groups?limit=0'))).toBe('400 invalid_request');
    expect(outcomeOf(await alice.control.get('/groups?colour=red'))).toBe('400 invalid_request');
  });
});

describe('the endpoint', () => {
  const send = (sent: object) => alice.control.request<ProblemBody>('POST', '/commands/create_group', sent);

  it('asks for its token', async () => {
    expect(outcomeOf(await send({ body: { group: 'a' }, headers: { authorization: '' } }))).toBe(
      '401 control_token_required',
    );
    expect(outcomeOf(await send({ body: { group: 'a' }, headers: { authorization: 'Bearer wrong' } }))).toBe(
      '401 control_token_required',
    );
  });

  it('refuses pages of other origins', async () => {
    const headers = { origin: 'https://evil.example' };
    expect(outcomeOf(await send({ body: { group: 'a' }, headers }))).toBe('403 foreign_origin');
  });

  it('answers only to the names that are its own', async () => {
    const { port } = new URL(alice.control.url);
    const ask = request({ port, host: '127.0.0.1', path: '/api/v1/status', headers: { host: `evil.example:${port}` } });
    const [response] = (await once(ask.end(), 'response')) as [IncomingMessage];
    expect(response.statusCode).toBe(403);
    expect(await json(response)).toMatchObject({ code: 'foreign_host' });
  });

  it('takes JSON that is JSON, and not too much of it', async () => {
    const text = { rawBody: 'group=a', headers: { 'content-type': 'application/x-www-form-urlencoded' } };
    expect(outcomeOf(await send(text))).toBe('415 json_required');
    expect(outcomeOf(await send({ rawBody: '{"group":' }))).toBe('400 invalid_request');
    expect(outcomeOf(await send({ rawBody: '[]' }))).toBe('400 invalid_request');
    expect(outcomeOf(await send({ body: { group: 'x'.repeat(1 << 20) } }))).toBe('413 too_large');
  });
});
