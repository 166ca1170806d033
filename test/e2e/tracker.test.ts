import { randomUUID } from 'node:crypto';
import { connect as tcpConnect } from 'node:net';
import { once } from 'node:events';
import { connect as tlsConnect } from 'node:tls';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { GroupView, MemberView } from '#domain/views';
import { mutualTlsOptions } from '#identity/tls';
import { grantFromText, openGrant } from '#wire/grant';
import type { FileView, GrantView, HelloView, Push, SourcesView } from '#wire/tracker-api';
import { CONTENT_ID, OTHER_CONTENT_ID, SMALL_CONTENT } from '../unit/domain/log-of.ts';
import { MemoryLog } from '../unit/tracker/memory-log.ts';
import { Cleanup, framed, type TestPeer, type TestTracker, verdict } from './tracker-harness.ts';

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

const file = { group: 'films', file: 'a.mkv' };
const upload = { ...file, contentId: CONTENT_ID, ...SMALL_CONTENT };
const here = { addresses: ['127.0.0.1:1'], downloading: [], transport: 'tls' };

/** A group of alice's with bob as a member, each on a peer that is online. */
async function films(tracker: TestTracker): Promise<{ alice: TestPeer; bob: TestPeer }> {
  const [alice, bob] = [await cleanup.peer(tracker), await cleanup.peer(tracker)];
  await alice.signUp('alice');
  await bob.signUp('bob');
  await alice.accepted('create_group', { group: 'films' });
  await bob.accepted('join_group', { group: 'films' });
  await alice.accepted('accept_request', { group: 'films', user: 'bob' });
  return { alice, bob };
}

/** Collects what is pushed to a peer, from `subscribed` on. */
async function pushesOf(peer: TestPeer): Promise<Push[]> {
  const pushes: Push[] = [];
  peer.subscribe().subscribe({ next: (push) => pushes.push(push), error: () => undefined });
  await vi.waitFor(() => expect(pushes).toHaveLength(1));
  return pushes;
}

const text = async (tracker: TestTracker, path: string): Promise<{ status: number; body: string }> => {
  const response = await fetch(`http://${tracker.http.host}:${tracker.http.port}${path}`);
  return { status: response.status, body: await response.text() };
};

describe('commands', () => {
  it('change what the views show', async () => {
    const { alice, bob } = await films(await cleanup.tracker(new MemoryLog()));
    expect(await bob.list<GroupView>('list_groups')).toEqual([
      { group: 'films', owner: 'alice', membership: 'member' },
    ]);
    expect(await alice.list<MemberView>('list_members', { group: 'films' })).toMatchObject([
      { user: 'alice', role: 'owner' },
      { user: 'bob', role: 'member' },
    ]);
  });

  it('are refused with the reason that the log decided, and its offset', async () => {
    const log = new MemoryLog();
    const { bob } = await films(await cleanup.tracker(log));
    const reply = await bob.command('create_group', { group: 'films' });
    expect(reply).toMatchObject({ status: 'rejected', reason: 'group_exists', offset: log.records.length - 1 });
  });

  it('without a session are refused without a record', async () => {
    const log = new MemoryLog();
    const tracker = await cleanup.tracker(log);
    const peer = await cleanup.peer(tracker);
    const before = log.records.length;
    expect(verdict(await peer.command('create_group', { group: 'films' }))).toBe('not_logged_in');
    expect(log.records).toHaveLength(before);
  });

  it('of another user than the one who is logged in are refused', async () => {
    const tracker = await cleanup.tracker(new MemoryLog());
    const peer = await cleanup.peer(tracker);
    await peer.signUp('alice');
    expect(verdict(await peer.command('create_group', { group: 'g' }, { user: 'bob' }))).toBe('not_logged_in');
  });

  it('repeated with their id return their first outcome, through another tracker and after a logout too', async () => {
    const log = new MemoryLog();
    const [one, other] = [await cleanup.tracker(log), await cleanup.tracker(log)];
    const alice = await cleanup.peer(one);
    const again = await cleanup.peer(other, alice.identity);
    const commandId = randomUUID();
    await alice.signUp('alice');
    const about = { commandId, user: 'alice', seenOffset: alice.seenOffset };
    const first = await alice.command('create_group', { group: 'films' }, about);
    const records = log.records.length;
    expect(await again.command('create_group', { group: 'films' }, about)).toMatchObject({
      offset: (first as { offset: number }).offset,
    });
    expect(await alice.command('create_group', { group: 'films' }, about)).toEqual(first);
    await alice.accepted('logout', {});
    expect(await alice.command('create_group', { group: 'films' }, about)).toMatchObject({ status: 'accepted' });
    expect(log.records.length).toBeLessThanOrEqual(records + 2);
    const reused = await alice.command('create_group', { group: 'other' }, about);
    expect(verdict(reused)).toBe('not_logged_in');
  });

  it('with an id that was used for another command are refused', async () => {
    const { alice } = await films(await cleanup.tracker(new MemoryLog()));
    const commandId = randomUUID();
    await alice.command('create_group', { group: 'one' }, { commandId });
    expect(verdict(await alice.command('create_group', { group: 'two' }, { commandId }))).toBe(
      'idempotency_key_reused',
    );
  });

  it('are not answered while reading the log is paused', async () => {
    const log = new MemoryLog();
    const { alice } = await films(await cleanup.tracker(log));
    log.pauseReading();
    let isAnswered = false;
    const command = alice.command('create_group', { group: 'more' }).then((reply) => {
      isAnswered = true;
      return reply;
    });
    const before = log.records.length;
    await vi.waitFor(() => expect(log.records.length).toBeGreaterThanOrEqual(before));
    // Whatever does not need the log to be read is answered meanwhile.
    await alice.view('hello');
    expect(isAnswered).toBe(false);
    log.resumeReading();
    expect(verdict(await command)).toBe('accepted');
  });

  it('fail with log_unavailable while the log is away, and work with the same id when it is back', async () => {
    const log = new MemoryLog();
    const { alice, bob } = await films(await cleanup.tracker(log));
    const commandId = randomUUID();
    log.isAvailable = false;
    expect(verdict(await alice.command('create_group', { group: 'more' }, { commandId }))).toBe('log_unavailable');
    expect(await bob.list('list_groups')).toHaveLength(1);
    log.isAvailable = true;
    expect(verdict(await alice.command('create_group', { group: 'more' }, { commandId }))).toBe('accepted');
  });

  it('that a valid record from outside makes are seen on both trackers', async () => {
    const log = new MemoryLog();
    const [one, other] = [await cleanup.tracker(log), await cleanup.tracker(log)];
    const alice = await cleanup.peer(one);
    await alice.signUp('alice');
    const foreign = JSON.parse(Buffer.from(log.records.at(-1)!.value).toString()) as Record<string, unknown>;
    const outside = {
      ...foreign,
      id: randomUUID(),
      type: 'cohort.create_group.v1',
      actor: 'alice',
      data: { group: 'outside' },
    };
    await log.append([{ value: Buffer.from(JSON.stringify(outside)), sealed: null }]);
    for (const tracker of [one, other]) {
      await vi.waitFor(() => expect(tracker.replica.state.groups.get('outside')?.owner).toBe('alice'));
    }
  });

  it('that race for a name through two trackers have one winner each time', async () => {
    const log = new MemoryLog();
    const [one, other] = [await cleanup.tracker(log), await cleanup.tracker(log)];
    const [left, right] = [await cleanup.peer(one), await cleanup.peer(other)];
    await left.signUp('left');
    await right.signUp('right');
    const races = Array.from({ length: 200 }, async (_, index) => {
      const group = `group ${index}`;
      const replies = await Promise.all([
        left.command('create_group', { group }),
        right.command('create_group', { group }),
      ]);
      return replies.map(verdict).sort();
    });
    for (const verdicts of await Promise.all(races)) expect(verdicts).toEqual(['accepted', 'group_exists']);
    expect(one.replica.digestAt(log.records.length - 1)).toBe(other.replica.digestAt(log.records.length - 1));
  });
});

describe('what is malformed', () => {
  it.each([
    ['create_group', { group: 'a', colour: 'red' }, 'colour'],
    ['create_group', { group: '' }, 'group'],
    ['create_group', { group: 'x'.repeat(65) }, 'group'],
    ['create_group', { group: 7 }, 'group'],
    ['create_group', {}, 'group'],
    ['create_group', { group: '../etc' }, 'group'],
    ['create_group', { group: 'a\u0000b' }, 'group'],
    ['create_group', { group: 'a\u0007b' }, 'group'],
    ['create_user', { user: 'alice', password: 'short' }, 'password'],
    ['download_file', { group: 'films', file: '..' }, 'file'],
    ['stop_share', { group: 'films', file: 'a', everywhere: 'yes' }, 'everywhere'],
    ['upload_file', { ...upload, totalBytes: 1.5 }, 'totalBytes'],
    ['logout', { now: true }, 'now'],
  ] as const)('%s %j is refused before the log, naming the field', async (name, body, field) => {
    const log = new MemoryLog();
    const peer = await cleanup.peer(await cleanup.tracker(log));
    const before = log.records.length;
    const reply = await peer.command(name, body);
    expect(reply).toMatchObject({ status: 'failed', code: 'invalid_request' });
    const errors = 'errors' in reply ? (reply.errors ?? []) : [];
    expect(errors.map((error) => error.field)).toContain(field);
    expect(log.records).toHaveLength(before);
  });

  it('in the envelope or a view is refused as well', async () => {
    const peer = await cleanup.peer(await cleanup.tracker(new MemoryLog()));
    const envelope = { commandId: 'x', correlationId: 'c', seenOffset: -1, user: null, body: { group: 'a' } };
    expect(await peer.send('create_group', envelope)).toMatchObject({
      code: 'invalid_request',
      errors: [{ field: 'commandId' }],
    });
    expect(await peer.send('list_groups', { seenOffset: -1, limit: 0 })).toMatchObject({ code: 'invalid_request' });
    const presence = { ...here, downloading: [{ shareId: 1, group: 'g', file: 'a/b' }] };
    expect(await peer.send('presence', presence)).toMatchObject({ errors: [{ field: 'downloading.0.file' }] });
  });

  it('by being nested without end harms nobody', async () => {
    const tracker = await cleanup.tracker(new MemoryLog());
    const peer = await cleanup.peer(tracker);
    const socket = tlsConnect({ ...tracker.rpc, ...mutualTlsOptions(peer.identity) });
    const deep = `{"group":${'['.repeat(50_000)}${']'.repeat(50_000)}}`;
    const envelope = `{"commandId":"${randomUUID()}","correlationId":"c","seenOffset":-1,"user":null,"body":${deep}}`;
    socket.write(framed('create_group', envelope));
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toContain('invalid_request');
    socket.destroy();
    expect(await peer.view<HelloView>('hello')).toMatchObject({ ready: true });
    expect(tracker.logger.problems).toEqual([]);
  });

  it('names are taken in NFC', async () => {
    const { alice } = await films(await cleanup.tracker(new MemoryLog()));
    await alice.accepted('create_group', { group: 'cafe\u0301' });
    expect(verdict(await alice.command('create_group', { group: 'caf\u00e9' }))).toBe('group_exists');
  });
});

describe('passwords', () => {
  it('that are wrong are refused without a record, for users that exist and for others', async () => {
    const log = new MemoryLog();
    const peer = await cleanup.peer(await cleanup.tracker(log));
    await peer.accepted('create_user', { user: 'alice', password: 'correct horse' });
    const before = log.records.length;
    expect(verdict(await peer.command('login', { user: 'alice', password: 'wrong' }))).toBe('wrong_credentials');
    expect(verdict(await peer.command('login', { user: 'nobody', password: 'wrong' }))).toBe('wrong_credentials');
    expect(log.records).toHaveLength(before);
  });

  it('reach neither the log nor what a tracker prints', async () => {
    const log = new MemoryLog();
    const tracker = await cleanup.tracker(log);
    const peer = await cleanup.peer(tracker);
    await peer.signUp('alice', 'staple battery');
    await peer.accepted('change_password', { password: 'staple battery', newPassword: 'battery staple' });
    await peer.command('create_user', { user: 'x'.repeat(65), password: 'staple battery' });
    const written = log.records.map(({ value, sealed }) => `${Buffer.from(value).toString()} ${sealed}`).join('\n');
    for (const text of [written, tracker.logger.lines.join('\n')]) expect(text).not.toMatch(/staple/);
    expect(log.records.filter(({ sealed }) => sealed !== null)).toHaveLength(2);
  });

  it('are tried ten times at most', async () => {
    const peer = await cleanup.peer(await cleanup.tracker(new MemoryLog()));
    await peer.accepted('create_user', { user: 'alice', password: 'correct horse' });
    for (let attempt = 0; attempt < 10; attempt++) {
      expect(verdict(await peer.command('login', { user: 'alice', password: 'wrong' }))).toBe('wrong_credentials');
    }
    expect(verdict(await peer.command('login', { user: 'alice', password: 'correct horse' }))).toBe('rate_limited');
  });

  it('once changed let in with the new one only, and end the sessions elsewhere', async () => {
    const tracker = await cleanup.tracker(new MemoryLog());
    const [desk, phone] = [await cleanup.peer(tracker), await cleanup.peer(tracker)];
    await desk.signUp('alice', 'the old one');
    await phone.accepted('login', { user: 'alice', password: 'the old one' });
    const wrong = await desk.command('change_password', { password: 'not this', newPassword: 'the new one' });
    expect(verdict(wrong)).toBe('wrong_credentials');
    await desk.accepted('change_password', { password: 'the old one', newPassword: 'the new one' });
    expect(verdict(await phone.command('create_group', { group: 'g' }))).toBe('not_logged_in');
    expect(verdict(await phone.command('login', { user: 'alice', password: 'the old one' }))).toBe('wrong_credentials');
    await phone.accepted('login', { user: 'alice', password: 'the new one' });
  });

  it('let the same session be used through every tracker', async () => {
    const log = new MemoryLog();
    const [one, other] = [await cleanup.tracker(log), await cleanup.tracker(log)];
    const alice = await cleanup.peer(one);
    await alice.signUp('alice');
    const elsewhere = await cleanup.peer(other, alice.identity);
    elsewhere.seenOffset = alice.seenOffset;
    await elsewhere.accepted('create_group', { group: 'films' });
    expect((await elsewhere.view<HelloView>('hello')).user).toBe('alice');
  });
});

describe('views', () => {
  it('are refused to who is not logged in, no member, or waiting', async () => {
    const tracker = await cleanup.tracker(new MemoryLog());
    await films(tracker);
    const carol = await cleanup.peer(tracker);
    const files = { seenOffset: -1, group: 'films', limit: 10 };
    expect(verdict(await carol.send('list_files', files))).toBe('not_logged_in');
    await carol.signUp('carol');
    expect(verdict(await carol.send('list_files', files))).toBe('not_a_member');
    await carol.accepted('join_group', { group: 'films' });
    expect(verdict(await carol.send('list_files', files))).toBe('request_pending');
    expect(verdict(await carol.send('find_sources', { seenOffset: -1, ...file }))).toBe('request_pending');
    expect(verdict(await carol.send('list_files', { ...files, group: 'none' }))).toBe('group_not_found');
  });

  it('wait for what the peer has seen, and say when they do not get there', async () => {
    const { alice } = await films(await cleanup.tracker(new MemoryLog()));
    const reply = await alice.send('list_groups', { seenOffset: 1_000, limit: 10 });
    expect(verdict(reply as never)).toBe('tracker_behind');
  });

  it('tell a peer what its command came to, and nobody else', async () => {
    const { alice, bob } = await films(await cleanup.tracker(new MemoryLog()));
    const commandId = randomUUID();
    const { offset } = (await alice.command('create_group', { group: 'g' }, { commandId })) as { offset: number };
    expect(await alice.view('command_outcome', { commandId })).toMatchObject({ state: 'accepted', offset });
    expect(await bob.view('command_outcome', { commandId, user: 'alice' })).toEqual({ state: 'unknown' });
    await alice.accepted('logout', {});
    expect(await alice.view('command_outcome', { commandId, user: 'alice' })).toMatchObject({ state: 'accepted' });
  });

  it('page through more than one message holds', async () => {
    const log = new MemoryLog();
    const tracker = await cleanup.tracker(log);
    const { alice } = await films(tracker);
    const names = Array.from({ length: 500 }, (_, index) => `${String(index).padStart(4, '0')} ${'x'.repeat(240)}`);
    for (const part of [names.slice(0, 250), names.slice(250)]) {
      await Promise.all(part.map((name) => alice.accepted('upload_file', { ...upload, file: name })));
    }
    const seen: string[] = [];
    let after: string | undefined;
    do {
      const page = await alice.view<{ items: FileView[]; next: string | null }>('list_files', {
        group: 'films',
        limit: 1000,
        ...(after !== undefined && { after }),
      });
      seen.push(...page.items.map((item) => item.file));
      after = page.next ?? undefined;
    } while (after !== undefined);
    expect(seen).toEqual(names);
  });
});

describe('sources and grants', () => {
  it('name who has a file and is online, never the one who asks', async () => {
    const tracker = await cleanup.tracker(new MemoryLog());
    const { alice, bob } = await films(tracker);
    await alice.accepted('upload_file', upload);
    const none = await bob.view<SourcesView>('find_sources', file);
    expect(none).toMatchObject({ share: { contentId: CONTENT_ID }, sources: [], grant: null });
    await alice.present(here);
    const { sources } = await bob.view<SourcesView>('find_sources', file);
    expect(sources).toEqual([
      { peerId: alice.id, user: 'alice', addresses: here.addresses, role: 'seeder', transport: 'tls' },
    ]);
    expect((await alice.view<SourcesView>('find_sources', file)).sources).toEqual([]);
    expect(await bob.list<FileView>('list_files', { group: 'films' })).toMatchObject([
      { file: 'a.mkv', seedersOnline: 1 },
    ]);
  });

  it('name a downloader once the log allows its download and it says so', async () => {
    const tracker = await cleanup.tracker(new MemoryLog());
    const { alice, bob } = await films(tracker);
    await alice.accepted('upload_file', upload);
    const { share } = await bob.view<SourcesView>('find_sources', file);
    const downloading = { ...here, downloading: [{ shareId: share.shareId, ...file }] };
    await bob.present(downloading);
    expect((await alice.view<SourcesView>('find_sources', file)).sources).toEqual([]);
    await bob.accepted('download_file', file);
    expect((await alice.view<SourcesView>('find_sources', file)).sources).toMatchObject([
      { peerId: bob.id, role: 'downloader' },
    ]);
  });

  it('give a grant for an accepted download only, signed and bound to the peer', async () => {
    const tracker = await cleanup.tracker(new MemoryLog());
    const { alice, bob } = await films(tracker);
    await alice.accepted('upload_file', upload);
    const { share } = await bob.view<SourcesView>('find_sources', file);
    const renewal = { seenOffset: -1, group: 'films', shareId: share.shareId };
    expect(verdict(await bob.send('renew_grant', renewal))).toBe('file_not_found');
    await bob.accepted('download_file', file);
    const { grant } = await bob.view<GrantView>('renew_grant', renewal);
    const opened = openGrant(grantFromText(grant)!, { verify: (trackerId) => trackerId === tracker.identity.id });
    expect(opened).toMatchObject({
      ok: true,
      claims: { peerId: bob.id, user: 'bob', contentId: CONTENT_ID, shareId: share.shareId, groupId: share.groupId },
    });
    await bob.accepted('leave_group', { group: 'films' });
    expect(verdict(await bob.send('renew_grant', renewal))).toBe('not_a_member');
  });

  it('are given for ten minutes without the log, and no longer', async () => {
    let nowMs = Date.now();
    const log = new MemoryLog();
    log.now = () => nowMs;
    const tracker = await cleanup.tracker(log, { now: () => nowMs });
    const { alice, bob } = await films(tracker);
    await alice.accepted('upload_file', upload);
    await bob.accepted('download_file', file);
    const { share } = await bob.view<SourcesView>('find_sources', file);
    const renewal = { seenOffset: -1, group: 'films', shareId: share.shareId };
    log.isAvailable = false;
    nowMs += 599_000;
    expect(verdict(await bob.send('renew_grant', renewal))).toBe('accepted');
    nowMs += 2_000;
    expect(verdict(await bob.send('renew_grant', renewal))).toBe('log_unavailable');
    expect((await bob.view<SourcesView>('find_sources', file)).grant).toBeNull();
  });
});

describe('pushes', () => {
  it('tell members of revocations, and the peer itself', async () => {
    const tracker = await cleanup.tracker(new MemoryLog());
    const { alice, bob } = await films(tracker);
    const stranger = await cleanup.peer(tracker);
    await stranger.signUp('eve');
    const [toAlice, toBob, toEve] = [await pushesOf(alice), await pushesOf(bob), await pushesOf(stranger)];
    const { offset } = await alice.accepted('remove_member', { group: 'films', user: 'bob' });
    const groupId = tracker.replica.state.groups.get('films')!.id;
    const revoked = { type: 'revoked', offset, groupId, shareId: null, user: 'bob', peerId: null };
    const changed = { type: 'group_changed', offset, group: 'films' };
    for (const pushes of [toAlice, toBob]) await vi.waitFor(() => expect(pushes.slice(1)).toEqual([revoked, changed]));
    await stranger.view('hello');
    expect(toEve).toHaveLength(1);
  });

  it('tell members of a logout, and of a share that is gone', async () => {
    const { alice, bob } = await films(await cleanup.tracker(new MemoryLog()));
    const { result } = await alice.accepted('upload_file', upload);
    const toBob = await pushesOf(bob);
    await alice.accepted('stop_share', { ...file, everywhere: true });
    const logout = await alice.accepted('logout', {});
    await vi.waitFor(() => expect(toBob.length).toBeGreaterThanOrEqual(4));
    expect(toBob).toContainEqual(
      expect.objectContaining({ type: 'revoked', shareId: result.share!.shareId, user: null }),
    );
    expect(toBob).toContainEqual({
      type: 'revoked',
      offset: logout.offset,
      groupId: null,
      shareId: null,
      user: 'alice',
      peerId: alice.id,
    });
  });

  it('tell a downloader of new sources: recorded seeders, and those who come online', async () => {
    const tracker = await cleanup.tracker(new MemoryLog());
    const { alice, bob } = await films(tracker);
    const { result } = await alice.accepted('upload_file', upload);
    await bob.accepted('download_file', file);
    const shareId = result.share!.shareId;
    await bob.present({ ...here, downloading: [{ shareId, ...file }] });
    const toBob = await pushesOf(bob);
    await alice.present(here);
    await vi.waitFor(() => expect(toBob.slice(1)).toMatchObject([{ type: 'sources_changed', shareId }]));
    await alice.present(here);
    const phone = await cleanup.peer(tracker);
    await phone.accepted('login', { user: 'alice', password: 'correct horse' });
    await phone.accepted('seed_file', { ...file, contentId: CONTENT_ID });
    await vi.waitFor(() => expect(toBob.filter(({ type }) => type === 'sources_changed')).toHaveLength(2));
  });

  it('tell a peer of its own session', async () => {
    const tracker = await cleanup.tracker(new MemoryLog());
    const peer = await cleanup.peer(tracker);
    const pushes = await pushesOf(peer);
    await peer.signUp('alice');
    await vi.waitFor(() =>
      expect(pushes).toContainEqual(expect.objectContaining({ type: 'session_changed', user: 'alice' })),
    );
  });

  it('end with the connection, and with a second stream of the same peer', async () => {
    const tracker = await cleanup.tracker(new MemoryLog());
    const peer = await cleanup.peer(tracker);
    let hasEnded = false;
    peer.subscribe().subscribe({ complete: () => (hasEnded = true), error: () => undefined });
    await pushesOf(peer);
    await vi.waitFor(() => expect(hasEnded).toBe(true));
    const subscribers = async (): Promise<string> =>
      /cohort_subscribers (\d+)/.exec((await text(tracker, '/metrics')).body)![1]!;
    expect(await subscribers()).toBe('1');
    peer.close();
    await vi.waitFor(async () => expect(await subscribers()).toBe('0'));
  });
});

describe('connections', () => {
  it('without a certificate are cut off before the first byte', async () => {
    const tracker = await cleanup.tracker(new MemoryLog());
    const socket = tlsConnect({ ...tracker.rpc, rejectUnauthorized: false, minVersion: 'TLSv1.3' });
    socket.on('error', () => undefined);
    const received: Buffer[] = [];
    socket.on('data', (bytes: Buffer) => received.push(bytes));
    socket.write('27#{"pattern":"hello","id":"1"}');
    await once(socket, 'close');
    expect(Buffer.concat(received)).toHaveLength(0);
  });

  it('that send what is no message end, and no others', async () => {
    const tracker = await cleanup.tracker(new MemoryLog());
    const good = await cleanup.peer(tracker);
    const bad = await cleanup.peer(tracker);
    for (const bytes of ['garbage#', '5#nojso', `${300 * 1024}#${'x'.repeat(300 * 1024)}`]) {
      const socket = tlsConnect({ ...tracker.rpc, ...mutualTlsOptions(bad.identity) });
      socket.on('error', () => undefined);
      socket.resume();
      socket.write(bytes);
      await once(socket, 'close');
    }
    const plain = tcpConnect(tracker.rpc.port, tracker.rpc.host);
    plain.on('error', () => undefined);
    plain.resume();
    plain.write('GET / HTTP/1.1\r\n\r\n');
    await once(plain, 'close');
    expect(await good.view<HelloView>('hello')).toMatchObject({ ready: true });
  });

  it('of one peer are eight at most', async () => {
    const tracker = await cleanup.tracker(new MemoryLog());
    const first = await cleanup.peer(tracker);
    for (let more = 0; more < 7; more++) await cleanup.peer(tracker, first.identity);
    const ninth = tlsConnect({ ...tracker.rpc, ...mutualTlsOptions(first.identity) });
    ninth.on('error', () => undefined);
    ninth.resume();
    await once(ninth, 'close');
    expect(await first.view<HelloView>('hello')).toMatchObject({ ready: true });
  });

  it('of a peer that reads nothing are cut off, and hold up nobody', async () => {
    const tracker = await cleanup.tracker(new MemoryLog());
    const { alice, bob } = await films(tracker);
    const stuck = tlsConnect({ ...tracker.rpc, ...mutualTlsOptions(bob.identity) });
    stuck.on('error', () => undefined);
    await once(stuck, 'secureConnect');
    stuck.pause();
    stuck.write(framed('subscribe', '{}'));
    await vi.waitFor(async () => expect((await text(tracker, '/metrics')).body).toContain('cohort_subscribers 1'));
    let changes = 0;
    while (changes < 40_000) {
      const answers = Array.from({ length: 200 }, () =>
        alice.command('upload_file', { ...upload, file: `f${changes++}` }),
      );
      await Promise.all(answers);
      if ((await text(tracker, '/metrics')).body.includes('cohort_subscribers 0')) break;
    }
    expect((await text(tracker, '/metrics')).body).toContain('cohort_subscribers 0');
    stuck.destroy();
  });
});

describe('the port for operators', () => {
  it('tells health, status and digests', async () => {
    const log = new MemoryLog();
    const [one, other] = [await cleanup.tracker(log), await cleanup.tracker(log)];
    await films(one);
    await other.replica.waitUntilApplied(log.records.length - 1);
    expect(await text(one, '/health/live')).toEqual({ status: 200, body: '{"status":"live"}' });
    expect((await text(one, '/health/ready')).status).toBe(200);
    const status = JSON.parse((await text(one, '/status')).body) as Record<string, unknown>;
    const end = log.records.length;
    expect(status).toMatchObject({
      trackerId: one.identity.id,
      ready: true,
      appliedOffset: end - 1,
      endOffset: end,
      rulesVersion: 1,
    });
    const elsewhere = JSON.parse((await text(other, '/status')).body) as Record<string, unknown>;
    expect([elsewhere['digest'], elsewhere['root'], elsewhere['logId']]).toEqual([
      status['digest'],
      status['root'],
      status['logId'],
    ]);
    expect((await text(one, '/digest?at=3')).body).toBe((await text(other, '/digest?at=3')).body);
    expect((await text(one, '/digest?at=9999')).status).toBe(404);
    expect((await text(one, '/digest?at=x')).status).toBe(400);
  });

  it('counts commands by outcome and refusals by code', async () => {
    const tracker = await cleanup.tracker(new MemoryLog());
    const { alice } = await films(tracker);
    await alice.command('create_group', { group: 'films' });
    await alice.command('create_group', { group: '' });
    const { body } = await text(tracker, '/metrics');
    expect(body).toContain('cohort_commands_total{outcome="accepted"} 7');
    expect(body).toContain('cohort_commands_total{outcome="group_exists"} 1');
    expect(body).toContain('cohort_refused_without_record_total{code="invalid_request"} 1');
    expect(body).toContain('cohort_sessions 2');
    expect(body).toContain('cohort_ready 1');
  });

  it('says why a tracker is not ready, while its peers are told to go elsewhere', async () => {
    const log = new MemoryLog();
    await films(await cleanup.tracker(log));
    log.pauseReading();
    const behind = await cleanup.tracker(log, { isReady: false });
    const peer = await cleanup.peer(behind);
    const ready = await text(behind, '/health/ready');
    expect(ready.status).toBe(503);
    expect(JSON.parse(ready.body)).toMatchObject({ status: 'unready', reason: 'catching_up' });
    expect(await peer.view<HelloView>('hello')).toMatchObject({ ready: false });
    expect(verdict(await peer.command('create_user', { user: 'dave', password: 'correct horse' }))).toBe(
      'tracker_behind',
    );
    log.resumeReading();
    await behind.ready;
    expect((await text(behind, '/health/ready')).status).toBe(200);
    expect(behind.replica.state.groups.get('films')!.members.size).toBe(2);
  });
});

it('the same name with other content is refused, with the same content it makes a seeder', async () => {
  const { alice, bob } = await films(await cleanup.tracker(new MemoryLog()));
  await alice.accepted('upload_file', upload);
  expect(verdict(await bob.command('upload_file', { ...upload, contentId: OTHER_CONTENT_ID }))).toBe('file_exists');
  await bob.accepted('upload_file', upload);
});
