import { connect as tlsConnect } from 'node:tls';
import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { GroupView, MemberView } from '#domain/views';
import { mutualTlsOptions } from '#identity/tls';
import type { HelloView } from '#wire/tracker-api';
import { MemoryLog } from '../unit/tracker/memory-log.ts';
import { Cleanup, films, framed, here, upload, verdict } from './tracker-harness.ts';

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

describe('commands', () => {
  it('change what the views show', async () => {
    const { alice, bob } = await films(cleanup, await cleanup.tracker(new MemoryLog()));
    expect(await bob.list<GroupView>('list_groups')).toEqual([
      { group: 'films', owner: 'alice', membership: 'member', copies: 0 },
    ]);
    expect(await alice.list<MemberView>('list_members', { group: 'films' })).toMatchObject([
      { user: 'alice', role: 'owner' },
      { user: 'bob', role: 'member' },
    ]);
  });

  it('are refused with the reason that the log decided, and its offset', async () => {
    const log = new MemoryLog();
    const { bob } = await films(cleanup, await cleanup.tracker(log));
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
    const { alice } = await films(cleanup, await cleanup.tracker(new MemoryLog()));
    const commandId = randomUUID();
    await alice.command('create_group', { group: 'one' }, { commandId });
    expect(verdict(await alice.command('create_group', { group: 'two' }, { commandId }))).toBe(
      'idempotency_key_reused',
    );
  });

  it('are not answered while reading the log is paused', async () => {
    const log = new MemoryLog();
    const { alice } = await films(cleanup, await cleanup.tracker(log));
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
    const { alice, bob } = await films(cleanup, await cleanup.tracker(log));
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
    expect(tracker.processLog.problems).toEqual([]);
  });

  it('names are taken in NFC', async () => {
    const { alice } = await films(cleanup, await cleanup.tracker(new MemoryLog()));
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
    for (const kept of [written, tracker.processLog.lines.join('\n')]) expect(kept).not.toMatch(/staple/);
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
