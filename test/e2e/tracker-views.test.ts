import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { grantFromText, openGrant } from '#wire/grant';
import type { CopyView, FileView, GrantView, SourcesView } from '#wire/tracker-api';
import { CONTENT_ID, OTHER_CONTENT_ID } from '../unit/domain/log-of.ts';
import { MemoryLog } from '../unit/tracker/memory-log.ts';
import { Cleanup, file, films, here, upload, verdict } from './tracker-harness.ts';

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

describe('views', () => {
  it('are refused to who is not logged in, no member, or waiting', async () => {
    const tracker = await cleanup.tracker(new MemoryLog());
    await films(cleanup, tracker);
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

  it('and commands are refused alike to who is no member, whether there is such a file or not', async () => {
    const tracker = await cleanup.tracker(new MemoryLog());
    const { alice } = await films(cleanup, tracker);
    const { result } = await alice.accepted('upload_file', upload);
    const eve = await cleanup.peer(tracker);
    await eve.signUp('eve');
    await eve.accepted('create_group', { group: 'own' });
    await eve.accepted('upload_file', { ...upload, group: 'own' });
    const { shareId } = result.share!;
    const refusalOf = async (pattern: string, payload: object): Promise<object> => {
      return { ...(await eve.send(pattern, { seenOffset: -1, ...payload })), appliedOffset: null };
    };
    const asked = [
      ['find_sources', file, { ...file, file: 'none' }],
      ['renew_grant', { group: 'films', shareId }, { group: 'films', shareId: shareId + 1 }],
      ['renew_grant', { group: 'own', shareId }, { group: 'own', shareId: shareId + 1_000 }],
      ['list_files', { group: 'films', limit: 1 }, { group: 'films', limit: 1, after: 'zzz' }],
    ] as const;
    for (const [pattern, there, notThere] of asked) {
      expect(await refusalOf(pattern, there), pattern).toEqual(await refusalOf(pattern, notThere));
      expect(await refusalOf(pattern, there), pattern).toMatchObject({ status: 'rejected' });
    }
    const contentId = OTHER_CONTENT_ID;
    for (const [name, body] of [
      ['download_file', {}],
      ['seed_file', { contentId: CONTENT_ID }],
      ['stop_share', { everywhere: false }],
      ['upload_file', { ...upload, contentId }],
    ] as const) {
      const [there, notThere] = [
        await eve.command(name, { ...body, ...file }),
        await eve.command(name, { ...body, ...file, file: 'none' }),
      ];
      expect([verdict(there), verdict(notThere)], name).toEqual(['not_a_member', 'not_a_member']);
    }
  });

  it('wait for what the peer has seen, and say when they do not get there', async () => {
    const { alice } = await films(cleanup, await cleanup.tracker(new MemoryLog()));
    const reply = await alice.send('list_groups', { seenOffset: 1_000, limit: 10 });
    expect(verdict(reply as never)).toBe('tracker_behind');
  });

  it('tell a peer what its command came to, and nobody else', async () => {
    const { alice, bob } = await films(cleanup, await cleanup.tracker(new MemoryLog()));
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
    const { alice } = await films(cleanup, tracker);
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
    const { alice, bob } = await films(cleanup, tracker);
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
    const { alice, bob } = await films(cleanup, tracker);
    await alice.accepted('upload_file', upload);
    const { share } = await bob.view<SourcesView>('find_sources', file);
    const downloading = { ...here, downloading: [{ shareId: share.shareId, ...file }] };
    await bob.present(downloading);
    const copies = (): Promise<unknown> => alice.list<FileView>('list_files', { group: 'films' });
    expect((await alice.view<SourcesView>('find_sources', file)).sources).toEqual([]);
    expect(await copies()).toMatchObject([{ seedersOnline: 0, partialCopies: 0 }]);
    await bob.accepted('download_file', file);
    expect((await alice.view<SourcesView>('find_sources', file)).sources).toMatchObject([
      { peerId: bob.id, role: 'downloader' },
    ]);
    expect(await copies()).toMatchObject([{ seedersOnline: 0, partialCopies: 1 }]);
    await bob.accepted('seed_file', { ...file, contentId: CONTENT_ID });
    expect(await copies()).toMatchObject([{ seedersOnline: 1, partialCopies: 0 }]);
  });

  it('leave out of the complete copies what its own peer cannot serve, until it can again, and name it last', async () => {
    const tracker = await cleanup.tracker(new MemoryLog());
    const { alice, bob } = await films(cleanup, tracker);
    await alice.accepted('upload_file', upload);
    await bob.accepted('seed_file', { ...file, contentId: CONTENT_ID });
    await Promise.all([alice.present(here), bob.present(here)]);
    const { share } = await bob.view<SourcesView>('find_sources', file);
    const copies = (): Promise<unknown> => bob.list<FileView>('list_files', { group: 'films' });
    expect(await copies()).toMatchObject([{ seedersOnline: 2, partialCopies: 0 }]);
    const broken = { ...here, unserved: [share.shareId, share.shareId] };
    await alice.present(broken);
    expect(await copies()).toMatchObject([{ seedersOnline: 1, partialCopies: 0 }]);
    expect((await bob.view<SourcesView>('find_sources', file)).sources).toMatchObject([
      { peerId: alice.id, role: 'downloader' },
    ]);
    const lastOf = { of: 'peer', only: 'last' };
    expect(await bob.list<CopyView>('list_copies', lastOf)).toMatchObject([{ file: file.file, completeCopies: 0 }]);
    await alice.accepted('download_file', file);
    await alice.present({ ...broken, downloading: [{ shareId: share.shareId, ...file }] });
    expect(await copies()).toMatchObject([{ seedersOnline: 1, partialCopies: 1 }]);
    await alice.present(here);
    expect(await copies()).toMatchObject([{ seedersOnline: 2, partialCopies: 0 }]);
    expect(await bob.list<CopyView>('list_copies', lastOf)).toEqual([]);
  });

  it('give a grant for an accepted download only, signed and bound to the peer', async () => {
    const tracker = await cleanup.tracker(new MemoryLog());
    const { alice, bob } = await films(cleanup, tracker);
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
    const { alice, bob } = await films(cleanup, tracker);
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

it('the same name with other content is refused, with the same content it makes a seeder', async () => {
  const { alice, bob } = await films(cleanup, await cleanup.tracker(new MemoryLog()));
  await alice.accepted('upload_file', upload);
  expect(verdict(await bob.command('upload_file', { ...upload, contentId: OTHER_CONTENT_ID }))).toBe('file_exists');
  await bob.accepted('upload_file', upload);
});
