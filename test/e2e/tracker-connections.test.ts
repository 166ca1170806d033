import { connect as tcpConnect } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import { once } from 'node:events';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { NEWEST_RULES_VERSION } from '#domain/decide';
import { mutualTlsOptions } from '#identity/tls';
import type { FileView, HelloView } from '#wire/tracker-api';
import { CONTENT_ID } from '../unit/domain/log-of.ts';
import { MemoryLog } from '../unit/tracker/memory-log.ts';
import { Cleanup, file, films, framed, here, operatorPage, pushesOf, upload, verdict } from './tracker-harness.ts';

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

describe('pushes', () => {
  it('tell members of revocations, and the peer itself', async () => {
    const tracker = await cleanup.tracker(new MemoryLog());
    const { alice, bob } = await films(cleanup, tracker);
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
    const { alice, bob } = await films(cleanup, await cleanup.tracker(new MemoryLog()));
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
    const { alice, bob } = await films(cleanup, tracker);
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
      /cohort_subscribers (\d+)/.exec((await operatorPage(tracker, '/metrics')).body)![1]!;
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
      socket.resume();
      socket.write(bytes);
      await once(socket, 'close');
    }
    const plain = tcpConnect(tracker.rpc.port, tracker.rpc.host);
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
    const { alice, bob } = await films(cleanup, tracker);
    const names = Array.from({ length: 250 }, (_, index) => `${index} ${'x'.repeat(240)}`);
    await Promise.all(names.map((name) => alice.accepted('upload_file', { ...upload, file: name })));
    const stuck = tlsConnect({ ...tracker.rpc, ...mutualTlsOptions(bob.identity) });
    stuck.on('error', () => undefined);
    await once(stuck, 'secureConnect');
    stuck.pause();
    const request = framed('list_files', '{"seenOffset":-1,"group":"films","limit":1000}');
    stuck.write(request.repeat(150));
    await vi.waitFor(async () => {
      await alice.view<HelloView>('hello');
      expect((await operatorPage(tracker, '/metrics')).body).toContain('cohort_peer_connections 2');
    });
    expect(await bob.list<FileView>('list_files', { group: 'films' })).toHaveLength(250);
    stuck.destroy();
  });
});

describe('the port for operators', () => {
  it('tells health, status and digests', async () => {
    const log = new MemoryLog();
    const [one, other] = [await cleanup.tracker(log), await cleanup.tracker(log)];
    await films(cleanup, one);
    await other.replica.waitUntilApplied(log.records.length - 1);
    expect(await operatorPage(one, '/health/live')).toEqual({ status: 200, body: '{"status":"live"}' });
    expect((await operatorPage(one, '/health/ready')).status).toBe(200);
    const status = JSON.parse((await operatorPage(one, '/status')).body) as Record<string, unknown>;
    const end = log.records.length;
    expect(status).toMatchObject({
      trackerId: one.identity.id,
      ready: true,
      appliedOffset: end - 1,
      endOffset: end,
      rulesVersion: NEWEST_RULES_VERSION,
    });
    const elsewhere = JSON.parse((await operatorPage(other, '/status')).body) as Record<string, unknown>;
    expect([elsewhere['digest'], elsewhere['root'], elsewhere['logId']]).toEqual([
      status['digest'],
      status['root'],
      status['logId'],
    ]);
    expect((await operatorPage(one, '/digest?at=3')).body).toBe((await operatorPage(other, '/digest?at=3')).body);
    expect(JSON.parse((await operatorPage(other, `/digest?at=${end - 1}`)).body)).toEqual({
      offset: end - 1,
      root: status['root'],
      digest: status['digest'],
    });
    expect((await operatorPage(one, '/digest?at=9999')).status).toBe(404);
    expect((await operatorPage(one, '/digest?at=x')).status).toBe(400);
  });

  it('and that for peers keep no tracker from stopping, whoever has connected and says nothing', async () => {
    const log = new MemoryLog();
    const tracker = await cleanup.tracker(log, { http: { host: 'localhost', port: 0 } });
    expect(tracker.http.host).toMatch(/^(?:127\.0\.0\.1|::1)$/);
    const silent = [tracker.http, tracker.rpc].map(({ host, port }) => tcpConnect(port, host).resume());
    await Promise.all(silent.map((socket) => once(socket, 'connect')));
    // Taken in after the silent ones.
    await operatorPage(tracker, '/health/live');
    await (await cleanup.peer(tracker)).view<HelloView>('hello');
    const ended = Promise.all(silent.map((socket) => once(socket, 'close')));
    await tracker.stop();
    await ended;
  });

  it('counts commands by what they came to, and refusals by code', async () => {
    const tracker = await cleanup.tracker(new MemoryLog());
    const { alice } = await films(cleanup, tracker);
    await alice.command('create_group', { group: 'films' });
    await alice.command('create_group', { group: '' });
    const { body } = await operatorPage(tracker, '/metrics');
    const accepted = body.matchAll(/^cohort_commands_total\{command="(\w+)",status="accepted",reason=""\} ([1-9])$/gm);
    expect(Object.fromEntries([...accepted].map(([, command, count]) => [command, Number(count)]))).toEqual({
      ...{ create_user: 2, login: 2, create_group: 1, join_group: 1, accept_request: 1 },
    });
    expect(body).toContain('cohort_commands_total{command="create_group",status="rejected",reason="group_exists"} 1\n');
    expect(body).toContain('cohort_command_duration_seconds_count{command="create_group"} 2\n');
    expect(body).toContain('cohort_log_append_duration_seconds_count 10\n');
    expect(body).toContain('cohort_refused_without_record_total{code="invalid_request"} 1');
    expect(body).toContain('cohort_sessions 2');
    expect(body).toContain('cohort_ready 1');
  });

  it('says why a tracker is not ready, while its peers are told to go elsewhere', async () => {
    const log = new MemoryLog();
    await films(cleanup, await cleanup.tracker(log));
    log.pauseReading();
    const behind = await cleanup.tracker(log, { isReady: false });
    const peer = await cleanup.peer(behind);
    const ready = await operatorPage(behind, '/health/ready');
    expect(ready.status).toBe(503);
    expect(JSON.parse(ready.body)).toMatchObject({ status: 'unready', reason: 'catching_up' });
    expect(await peer.view<HelloView>('hello')).toMatchObject({ ready: false });
    expect(verdict(await peer.command('create_user', { user: 'dave', password: 'correct horse' }))).toBe(
      'tracker_behind',
    );
    log.resumeReading();
    await behind.ready;
    expect((await operatorPage(behind, '/health/ready')).status).toBe(200);
    expect(behind.replica.state.groups.get('films')!.members.size).toBe(2);
  });
});
