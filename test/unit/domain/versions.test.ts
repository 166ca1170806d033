// What comes of the versions of a file, and of the copies that a group wants: rules version 3.
import { describe, expect, it } from 'vitest';
import type { Event } from '#domain/event';
import { versionOf, versionsOf } from '#domain/share-versions';
import type { Share } from '#domain/state';
import { listFiles, listVersions } from '#domain/views';
import { LogInMemory, OTHER_CONTENT_ID, peerOf, SMALL_CONTENT, verdict } from './log-of.ts';

const g = { group: 'g' };
const f = { ...g, file: 'f' };
const THIRD_CONTENT_ID = 'f'.repeat(64);

/** Alice owns the group and shared nothing; bob shared `f`, and carol is a member too. */
function given(rulesVersion?: number): LogInMemory {
  const log = LogInMemory.started(rulesVersion);
  log.signUp('alice', 'bob', 'carol', 'dave');
  log.group('g', 'alice', 'bob', 'carol');
  log.share('bob', 'g', 'f');
  return log;
}

function update(log: LogInMemory, user: string, replaces: number, contentId = OTHER_CONTENT_ID) {
  return log.as(user, 'upload_file', { ...f, contentId, ...SMALL_CONTENT, replaces });
}

function versions(log: LogInMemory): number[] {
  return versionsOf(log.state.groups.get('g')!, 'f').map(({ version }) => version);
}

function share(log: LogInMemory, version: number): Share {
  return versionOf(log.state.groups.get('g')!, 'f', version)!;
}

const types = (events: readonly Event[]): string[] =>
  events.map((event) => ('version' in event ? `${event.type} ${event.version}` : event.type));

describe('publishing the next version', () => {
  it('puts it in the place of the newest, and the one before stays while it has a seeder', () => {
    const log = given();
    const { outcome, events, outcomeOffset } = update(log, 'bob', 1);
    expect(outcome).toMatchObject({ status: 'accepted', result: { share: { shareId: outcomeOffset, version: 2 } } });
    expect(types(events)).toEqual(['version_shared 2']);
    expect(versions(log)).toEqual([2, 1]);
    expect(listFiles(log.state, 'g', 'carol')).toMatchObject([{ version: 2, contentId: OTHER_CONTENT_ID }]);
    expect(listVersions(log.state, 'g', 'carol')).toMatchObject([{ version: 2 }, { version: 1, sharedBy: 'bob' }]);
    expect([...share(log, 1).seeders.values()]).toEqual(['bob']);
  });

  it('is for who shared the first and for the owner of the group, also after others', () => {
    const log = given();
    expect(verdict(update(log, 'carol', 1))).toBe('not_share_owner');
    expect(verdict(update(log, 'alice', 1))).toBe('accepted');
    expect(verdict(update(log, 'bob', 2, THIRD_CONTENT_ID))).toBe('accepted');
    log.as('alice', 'transfer_ownership', { ...g, user: 'carol' });
    expect(verdict(update(log, 'alice', 3))).toBe('not_share_owner');
    expect(verdict(update(log, 'carol', 3))).toBe('accepted');
    expect(versions(log)).toEqual([4, 3, 2, 1]);
  });

  it('of two at once the first in the log wins, and the second is told', () => {
    const log = given();
    expect(verdict(update(log, 'alice', 1))).toBe('accepted');
    expect(verdict(update(log, 'bob', 1, THIRD_CONTENT_ID))).toBe('version_changed');
    expect(versions(log)).toEqual([2, 1]);
  });

  it('with the content of the newest makes the caller a seeder of it, whoever that is and whatever it names', () => {
    const log = given();
    update(log, 'bob', 1);
    const { events } = update(log, 'carol', 7);
    expect(types(events)).toEqual(['seeder_added 2']);
    expect([...share(log, 2).seeders.values()].sort()).toEqual(['bob', 'carol']);
    expect(versions(log)).toEqual([2, 1]);
  });

  it('with the content of an older one goes back, as a version of its own', () => {
    const log = given();
    const { contentId } = share(log, 1);
    update(log, 'bob', 1);
    expect(verdict(update(log, 'bob', 2, contentId))).toBe('accepted');
    expect(versions(log)).toEqual([3, 2, 1]);
    expect(share(log, 3).contentId).toBe(contentId);
    expect(share(log, 3).id).not.toBe(share(log, 1).id);
  });

  it('needs something to replace; without a word of it another content is refused as before', () => {
    const log = given();
    const other = { ...g, file: 'other', contentId: OTHER_CONTENT_ID, ...SMALL_CONTENT };
    expect(verdict(log.as('bob', 'upload_file', { ...other, replaces: 1 }))).toBe('file_not_found');
    expect(verdict(log.as('bob', 'upload_file', other))).toBe('accepted');
    expect(verdict(log.share('bob', 'g', 'f', OTHER_CONTENT_ID))).toBe('file_exists');
    expect(verdict(update(log, 'dave', 1))).toBe('not_a_member');
  });

  it('is malformed before version 3 of the rules, as for builds that do not know it', () => {
    const log = given(2);
    expect(verdict(update(log, 'bob', 1))).toBe('malformed_record');
    expect(verdict(log.as('bob', 'download_file', { ...f, version: 1 }))).toBe('malformed_record');
    expect(verdict(log.as('alice', 'set_copies', { ...g, copies: 1 }))).toBe('malformed_record');
    log.asTracker('activate_rules', { rulesVersion: 3 });
    expect(verdict(update(log, 'bob', 1))).toBe('accepted');
    expect(verdict(log.as('alice', 'set_copies', { ...g, copies: 1 }))).toBe('accepted');
  });
});

describe('which version is meant', () => {
  it('is the newest for a download, or the one that is named', () => {
    const log = given();
    update(log, 'bob', 1);
    const shareIds = [{}, { version: 1 }, { version: 2 }].map((named) => {
      const { outcome } = log.as('carol', 'download_file', { ...f, ...named });
      return outcome.status === 'accepted' ? outcome.result.share?.shareId : null;
    });
    expect(shareIds).toEqual([share(log, 2).id, share(log, 1).id, share(log, 2).id]);
    for (const version of [1, 2]) expect([...share(log, version).downloaders!.values()]).toEqual(['carol']);
    expect(verdict(log.as('carol', 'download_file', { ...f, version: 3 }))).toBe('version_not_found');
    expect(verdict(log.as('carol', 'download_file', { ...g, file: 'none', version: 1 }))).toBe('file_not_found');
  });

  it('is found by its content for who seeds, the newest of that content first', () => {
    const log = given();
    const { contentId } = share(log, 1);
    update(log, 'bob', 1);
    expect(types(log.as('carol', 'seed_file', { ...f, contentId }).events)).toEqual(['seeder_added']);
    expect([...share(log, 1).seeders.values()].sort()).toEqual(['bob', 'carol']);
    update(log, 'bob', 2, contentId);
    expect(types(log.as('carol', 'seed_file', { ...f, contentId }).events)).toEqual(['seeder_added 3']);
    const named = { ...f, contentId, version: 2 };
    expect(verdict(log.as('carol', 'seed_file', named))).toBe('file_not_found');
    expect(verdict(log.as('carol', 'seed_file', { ...named, version: 9 }))).toBe('version_not_found');
  });
});

describe('what ends a version', () => {
  it('is its last seeder, and the one before takes its place; its number does not come again', () => {
    const log = given();
    update(log, 'alice', 1);
    expect(types(log.as('alice', 'stop_share', { ...f, everywhere: false }).events)).toEqual([
      'seeder_removed 2',
      'share_removed 2',
    ]);
    expect(versions(log)).toEqual([1]);
    expect(verdict(update(log, 'bob', 2, THIRD_CONTENT_ID))).toBe('version_changed');
    expect(verdict(update(log, 'bob', 1, THIRD_CONTENT_ID))).toBe('accepted');
    expect(versions(log)).toEqual([3, 1]);
  });

  it('is a stop of all that a peer seeds of the file, or of the one that is named', () => {
    const log = given();
    update(log, 'bob', 1);
    update(log, 'bob', 2, THIRD_CONTENT_ID);
    log.as('bob', 'stop_share', { ...f, everywhere: false, version: 2 });
    expect(versions(log)).toEqual([3, 1]);
    expect(types(log.as('bob', 'stop_share', { ...f, everywhere: false }).events)).toEqual([
      ...['seeder_removed', 'share_removed', 'seeder_removed 3', 'share_removed 3'],
    ]);
    expect(log.state.groups.get('g')!.shares.has('f')).toBe(false);
    expect(types(log.share('carol', 'g', 'f').events)).toEqual(['file_shared']);
  });

  it('is a stop everywhere of all of them or of one, by who shared the file, who published it, or the owner', () => {
    const log = given();
    update(log, 'alice', 1);
    log.as('carol', 'seed_file', { ...f, contentId: OTHER_CONTENT_ID });
    log.as('alice', 'transfer_ownership', { ...g, user: 'carol' });
    const everywhere = { ...f, everywhere: true };
    // Alice published the second version and owns nothing any more.
    expect(verdict(log.as('alice', 'stop_share', everywhere))).toBe('not_share_owner');
    expect(verdict(log.as('alice', 'stop_share', { ...everywhere, version: 1 }))).toBe('not_share_owner');
    expect(verdict(log.as('alice', 'stop_share', { ...everywhere, version: 3 }))).toBe('version_not_found');
    expect(types(log.as('alice', 'stop_share', { ...everywhere, version: 2 }).events)).toEqual(['share_removed 2']);
    update(log, 'carol', 1, THIRD_CONTENT_ID);
    expect(types(log.as('bob', 'stop_share', everywhere).events)).toEqual(['share_removed', 'share_removed 3']);
    expect(verdict(log.as('bob', 'download_file', f))).toBe('file_not_found');
  });

  it('is the removal of the member who alone seeds it; the other versions stay', () => {
    const log = given();
    update(log, 'alice', 1);
    log.as('carol', 'download_file', { ...f, version: 1 });
    log.as('carol', 'seed_file', { ...f, contentId: OTHER_CONTENT_ID });
    const { events } = log.as('alice', 'remove_member', { ...g, user: 'bob' });
    expect(types(events)).toEqual(['seeder_removed', 'share_removed', 'member_left']);
    expect(versions(log)).toEqual([2]);
    log.as('bob', 'join_group', g);
    log.as('alice', 'accept_request', { ...g, user: 'bob' });
    // Who shared it first may go on with it.
    expect(verdict(update(log, 'bob', 2, THIRD_CONTENT_ID))).toBe('accepted');
  });

  it('a member who leaves may fetch no version any more', () => {
    const log = given();
    update(log, 'bob', 1);
    for (const version of [1, 2]) log.as('carol', 'download_file', { ...f, version });
    log.as('carol', 'leave_group', g);
    for (const version of [1, 2]) expect(share(log, version).downloaders).toBeNull();
  });

  it('the last one out takes all of them along', () => {
    const log = given();
    update(log, 'bob', 1);
    for (const user of ['carol', 'alice']) {
      if (user === 'alice') log.as('alice', 'transfer_ownership', { ...g, user: 'bob' });
      log.as(user, 'leave_group', g);
    }
    expect(types(log.as('bob', 'leave_group', g).events)).toEqual([
      ...['seeder_removed', 'share_removed', 'seeder_removed 2', 'share_removed 2', 'member_left', 'group_dissolved'],
    ]);
  });
});

it('a later version that became a seed is a download no more, and a seeder of one version is none of another', () => {
  const log = given();
  update(log, 'bob', 1);
  log.as('carol', 'download_file', f);
  expect(log.state.groups.get('g')!.shares.get('f')!.downloaders?.get(peerOf('carol'))).toBe('carol');
  log.as('carol', 'seed_file', { ...f, contentId: OTHER_CONTENT_ID });
  expect(share(log, 2).downloaders).toBeNull();
  expect(verdict(log.as('carol', 'stop_share', { ...f, everywhere: false, version: 1 }))).toBe('file_not_found');
});

describe('how many copies a group wants', () => {
  it('is said by its owner, and stays until it is said anew', () => {
    const log = given();
    const group = log.state.groups.get('g')!;
    expect(group.copies).toBe(0);
    expect(verdict(log.as('dave', 'set_copies', { ...g, copies: 2 }))).toBe('not_a_member');
    expect(verdict(log.as('bob', 'set_copies', { ...g, copies: 2 }))).toBe('not_group_owner');
    expect(types(log.as('alice', 'set_copies', { ...g, copies: 2 }).events)).toEqual(['copies_set']);
    expect(group.copies).toBe(2);
    log.as('alice', 'transfer_ownership', { ...g, user: 'bob' });
    expect(verdict(log.as('bob', 'set_copies', { ...g, copies: 0 }))).toBe('accepted');
    expect(group.copies).toBe(0);
    expect(verdict(log.as('bob', 'set_copies', { group: 'none', copies: 0 }))).toBe('group_not_found');
  });
});
