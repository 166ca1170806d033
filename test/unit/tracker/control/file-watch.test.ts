import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Share } from '#domain/state';
import { FILES_CHANGED_MAX, PRESENCE_EXPIRY_MS } from '#wire/limits';
import type { FileView, Push } from '#wire/tracker-api';
import { FileWatch } from '../../../../apps/tracker/src/control/file-watch.ts';
import { PresenceTable } from '../../../../apps/tracker/src/presence/presence.ts';
import type { AppliedRecord } from '../../../../apps/tracker/src/replica/replica.ts';
import { CONTENT_ID, LogInMemory, OTHER_CONTENT_ID, peerOf, SMALL_CONTENT } from '../../domain/log-of.ts';

let log: LogInMemory;
let presence: PresenceTable;
let files: FileWatch;
let told: [user: string, push: Push][];
let apply: (applied: AppliedRecord) => void;
let gone: (peerId: string) => void;
const listening = new Set<string>();

beforeEach(() => {
  vi.useFakeTimers();
  log = LogInMemory.started();
  log.signUp('alice', 'bob', 'eve');
  log.group('films', 'alice', 'bob');
  told = [];
  listening.clear();
  for (const user of ['alice', 'bob', 'eve']) listening.add(peerOf(user));
  presence = new PresenceTable({ now: Date.now, hasSession: () => true });
  const replica = {
    state: log.state,
    get appliedOffset() {
      return log.state.appliedOffset;
    },
    onApplied: (listener: typeof apply) => {
      apply = listener;
      return () => undefined;
    },
  };
  const userOf = new Map(['alice', 'bob', 'eve'].map((user) => [peerOf(user), user]));
  files = new FileWatch({
    replica,
    presence,
    pushes: {
      isListening: (peerId) => listening.has(peerId),
      tell: (peerId, push) => void told.push([userOf.get(peerId)!, push]),
      onGone: (listener) => (gone = listener),
    },
    fileView: (_group, share) => rowOf(share),
  });
});
afterEach(() => vi.useRealTimers());

function rowOf({ id, file, version, seeders }: Share): FileView {
  const online = [...seeders.keys()].filter((peerId) => presence.serves(peerId, id));
  return { file, version, seedersOnline: online.length } as FileView;
}

function happens(...applied: readonly ReturnType<LogInMemory['as']>[]): void {
  for (const each of applied) apply({ offset: each.outcomeOffset, record: null, applied: each });
}

/** What is told within the next second. */
function toldNow(): (readonly [string, object])[] {
  told = [];
  vi.advanceTimersByTime(1_000);
  return told.map(([user, push]) => {
    if (push.type !== 'files_changed') return [user, { type: push.type }];
    return [
      user,
      { items: push.items.map((row) => [row.file, row.version, row.seedersOnline]), removed: push.removed },
    ];
  });
}

function isOnline(user: string, downloading: { shareId: number; group: string; file: string }[] = []): void {
  presence.update(peerOf(user), { addresses: ['192.0.2.1:1'], downloading, transport: 'tls' });
}

const rows = (...items: readonly (readonly [string, number, number])[]) => ({ items, removed: [] });

describe('watchers hear', () => {
  beforeEach(() => void files.watch(peerOf('bob'), ['films']));

  it('of a copy that its own peer cannot serve, and of its repair', () => {
    const share = log.share('alice', 'films', 'a');
    happens(share);
    isOnline('alice');
    expect(toldNow()).toEqual([['bob', rows(['a', 1, 1])]]);
    const said = { addresses: ['192.0.2.1:1'], downloading: [], transport: 'tls' } as const;
    presence.update(peerOf('alice'), { ...said, unserved: [share.outcomeOffset, share.outcomeOffset] });
    expect(toldNow()).toEqual([['bob', rows(['a', 1, 0])]]);
    isOnline('alice');
    expect(toldNow()).toEqual([['bob', rows(['a', 1, 1])]]);
  });

  it('of a new share, of its seeders, and nothing twice', () => {
    happens(log.share('alice', 'films', 'a'));
    expect(toldNow()).toEqual([['bob', rows(['a', 1, 0])]]);
    happens(log.as('bob', 'download_file', { group: 'films', file: 'a' }));
    happens(log.as('bob', 'seed_file', { group: 'films', file: 'a', contentId: CONTENT_ID }));
    isOnline('bob');
    expect(toldNow()).toEqual([['bob', rows(['a', 1, 1])]]);
    expect(toldNow()).toEqual([]);
  });

  it('when a seeder comes, and when it has been silent for too long', () => {
    happens(log.share('alice', 'films', 'a'), log.share('bob', 'films', 'b'));
    toldNow();
    isOnline('alice');
    expect(toldNow()).toEqual([['bob', rows(['a', 1, 1])]]);
    vi.advanceTimersByTime(PRESENCE_EXPIRY_MS - 3_000);
    expect(toldNow()).toEqual([]);
    expect(toldNow()).toEqual([['bob', rows(['a', 1, 0])]]);
  });

  it('when the session of a seeder ends', () => {
    happens(log.share('alice', 'films', 'a'));
    toldNow();
    happens(log.as('alice', 'logout', {}));
    expect(toldNow()).toEqual([['bob', rows(['a', 1, 0])]]);
  });

  it('of who says that they have part of it, and of who no longer does', () => {
    const { outcomeOffset: shareId } = log.share('alice', 'films', 'a');
    log.as('bob', 'download_file', { group: 'films', file: 'a' });
    const part = { shareId, group: 'films', file: 'a' };
    isOnline('bob', [part]);
    expect(toldNow()).toEqual([['bob', rows(['a', 1, 0])]]);
    isOnline('bob');
    expect(toldNow()).toEqual([['bob', rows(['a', 1, 0])]]);
    isOnline('bob');
    expect(toldNow()).toEqual([]);
  });

  it('of versions, and of what is beneath one that is gone', () => {
    const about = { group: 'films', file: 'a', ...SMALL_CONTENT };
    happens(log.share('alice', 'films', 'a'));
    happens(log.as('alice', 'upload_file', { ...about, contentId: OTHER_CONTENT_ID, replaces: 1 }));
    expect(toldNow()).toEqual([['bob', rows(['a', 2, 0], ['a', 1, 0])]]);
    happens(log.as('alice', 'stop_share', { group: 'films', file: 'a', version: 2, everywhere: false }));
    expect(toldNow()).toEqual([['bob', { items: [['a', 1, 0]], removed: [{ file: 'a', version: 2 }] }]]);
    happens(log.as('alice', 'stop_share', { group: 'films', file: 'a', everywhere: false }));
    expect(toldNow()).toEqual([['bob', { items: [], removed: [{ file: 'a', version: 1 }] }]]);
  });

  it('that they have to read anew what has changed in too many rows, or as a whole', () => {
    const names = Array.from({ length: FILES_CHANGED_MAX + 1 }, (_, number) => `f${number}`);
    happens(...names.map((name) => log.share('alice', 'films', name)));
    expect(toldNow()).toEqual([['bob', { type: 'files_reset' }]]);
    isOnline('alice');
    expect(toldNow()).toEqual([['bob', { type: 'files_reset' }]]);
    happens(log.as('alice', 'set_copies', { group: 'films', copies: 2 }));
    expect(toldNow()).toEqual([['bob', { type: 'files_reset' }]]);
    happens(log.as('alice', 'stop_share', { group: 'films', file: 'f0', everywhere: false }));
    expect(toldNow()).toEqual([['bob', { items: [], removed: [{ file: 'f0', version: 1 }] }]]);
  });

  it('everything, whatever a stranger says that it has part of', () => {
    const { outcomeOffset: shareId } = log.share('alice', 'films', 'a');
    const invented = Array.from({ length: FILES_CHANGED_MAX + 1 }, (_, number) => `x${number}`);
    isOnline(
      'eve',
      invented.map((file) => ({ shareId, group: 'films', file })),
    );
    expect(toldNow()).toEqual([]);
    isOnline('eve');
    happens(log.share('alice', 'films', 'b'));
    expect(toldNow()).toEqual([['bob', rows(['b', 1, 0])]]);
  });

  it('nothing of groups that they are not members of any more, until they are again', () => {
    files.watch(peerOf('eve'), ['films']);
    happens(log.as('alice', 'remove_member', { group: 'films', user: 'bob' }));
    happens(log.share('alice', 'films', 'a'));
    expect(toldNow()).toEqual([]);
    log.as('bob', 'join_group', { group: 'films' });
    log.as('alice', 'accept_request', { group: 'films', user: 'bob' });
    happens(log.share('alice', 'films', 'b'));
    expect(toldNow()).toEqual([['bob', rows(['b', 1, 0])]]);
  });

  it('nothing of groups that they stopped to watch, or after their stream has ended', () => {
    files.watch(peerOf('alice'), ['films']);
    files.watch(peerOf('alice'), []);
    gone(peerOf('bob'));
    happens(log.share('alice', 'films', 'a'));
    expect(toldNow()).toEqual([]);
    expect([files.size, vi.getTimerCount()]).toEqual([0, 0]);
  });
});

it('who does not listen watches nothing', () => {
  expect(files.watch(peerOf('alice'), ['films', 'films'])).toEqual(['films']);
  files.watch(peerOf('alice'), []);
  listening.delete(peerOf('bob'));
  expect(files.watch(peerOf('bob'), ['films'])).toEqual([]);
  expect([files.size, vi.getTimerCount()]).toEqual([0, 0]);
});
