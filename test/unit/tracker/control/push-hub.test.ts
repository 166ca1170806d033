import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RPC_MESSAGE_BYTES_MAX } from '#wire/limits';
import type { Push } from '#wire/tracker-api';
import { TrackerMetrics } from '../../../../apps/tracker/src/control/metrics.ts';
import { PushHub } from '../../../../apps/tracker/src/control/push-hub.ts';
import { PresenceTable } from '../../../../apps/tracker/src/presence/presence.ts';
import type { AppliedRecord } from '../../../../apps/tracker/src/replica/replica.ts';
import { CONTENT_ID, LogInMemory, peerOf } from '../../domain/log-of.ts';

let log: LogInMemory;
let hub: PushHub;
let metrics: TrackerMetrics;
let presence: PresenceTable;
let apply: (applied: AppliedRecord) => void;

beforeEach(() => {
  vi.useFakeTimers();
  log = LogInMemory.started();
  log.signUp('alice', 'bob', 'eve');
  log.group('films', 'alice', 'bob');
  const replica = {
    state: log.state,
    get appliedOffset() {
      return log.state.appliedOffset;
    },
    onApplied: (listener: (applied: AppliedRecord) => void) => {
      apply = listener;
      return () => undefined;
    },
  };
  presence = new PresenceTable({ now: Date.now, hasSession: () => true });
  metrics = new TrackerMetrics();
  hub = new PushHub({ replica, presence, metrics });
});
afterEach(() => vi.useRealTimers());

/** A connection that takes what is written and never passes it on: a peer that reads nothing. */
function stuckSocket(): Socket {
  return new Duplex({ read: () => undefined, write: () => undefined }) as unknown as Socket;
}

function listen(user: string, socket = stuckSocket()): Push[] {
  const pushes: Push[] = [];
  hub.stream(peerOf(user), socket).subscribe((push) => {
    pushes.push(push);
    socket.write(JSON.stringify(push));
  });
  return pushes;
}

function happens(...applied: readonly ReturnType<LogInMemory['as']>[]): void {
  for (const each of applied) apply({ offset: each.outcomeOffset, record: null, applied: each });
}

const film = { group: 'films', file: 'a' };
const changed = (offset: number) => ({ type: 'group_changed', offset, group: 'films' });

describe('pushes', () => {
  it('begin with where they begin', () => {
    const offset = log.state.appliedOffset;
    expect(listen('bob')).toEqual([{ type: 'subscribed', offset }]);
  });

  it('gather what changes in a group into one, for its members only', () => {
    const [toAlice, toEve] = [listen('alice'), listen('eve')];
    happens(log.share('alice', 'films', 'a'), log.share('alice', 'films', 'b'));
    expect(toAlice).toHaveLength(1);
    vi.runAllTimers();
    expect(toAlice.slice(1)).toEqual([changed(log.state.appliedOffset)]);
    happens(log.share('alice', 'films', 'c'));
    vi.runAllTimers();
    expect(toAlice.slice(2)).toEqual([changed(log.state.appliedOffset)]);
    expect(toEve).toHaveLength(1);
    happens(log.as('eve', 'create_group', { group: 'books' }));
    vi.runAllTimers();
    expect([toAlice.length, toEve.length]).toEqual([3, 2]);
  });

  it('tell a revocation at once, and stay in the order of their offsets', () => {
    const toBob = listen('bob');
    happens(log.share('alice', 'films', 'a'));
    happens(log.as('alice', 'remove_member', { group: 'films', user: 'bob' }));
    expect(toBob.map(({ type }) => type)).toEqual(['subscribed', 'revoked']);
    vi.runAllTimers();
    const offsets = toBob.map(({ offset }) => offset);
    expect(offsets).toEqual(offsets.toSorted((left, right) => left - right));
    expect(toBob.at(-1)).toEqual(changed(log.state.appliedOffset));
  });

  it('cut off a peer that does not read them, and go on for the others', async () => {
    const socket = stuckSocket();
    const toBob = listen('bob', socket);
    const toAlice = listen(
      'alice',
      new Duplex({ read: () => undefined, write: (_bytes, _encoding, done) => done() }) as unknown as Socket,
    );
    socket.write(Buffer.alloc(RPC_MESSAGE_BYTES_MAX + 1));
    happens(
      log.share('alice', 'films', 'a'),
      log.as('alice', 'stop_share', { group: 'films', file: 'a', everywhere: true }),
    );
    expect(socket.destroyed).toBe(true);
    expect(await metrics.figures.text()).toContain('cohort_connections_refused_total{code="unread"} 1\n');
    expect(toBob).toHaveLength(1);
    expect(toAlice.map(({ type }) => type)).toEqual(['subscribed', 'revoked']);
  });

  it.each([
    ['is online', () => hub.presenceChanged(peerOf('alice'))],
    ['is new', (seeder: string) => happens(log.as(seeder, 'seed_file', { ...film, contentId: CONTENT_ID }))],
  ])('of a source that %s go to who was allowed to download, whoever else says that it does', (_what, cause) => {
    log.signUp('carol', 'dave');
    for (const user of ['carol', 'dave']) {
      log.as(user, 'join_group', { group: 'films' });
      log.as('alice', 'accept_request', { group: 'films', user });
    }
    log.share('alice', 'films', 'a');
    log.as('bob', 'download_file', film);
    const { id: shareId } = log.state.groups.get('films')!.shares.get('a')!;
    for (const user of ['bob', 'eve']) {
      presence.update(peerOf(user), { addresses: [], downloading: [{ shareId, ...film }], transport: 'tls' });
    }
    const toldOf = (seeder: string): string[] => {
      const heard = ['bob', 'eve'].map((user) => ({ user, pushes: listen(user) }));
      cause(seeder);
      vi.runAllTimers();
      const isTold = ({ pushes }: { pushes: Push[] }) => pushes.some(({ type }) => type === 'sources_changed');
      return heard.filter(isTold).map(({ user }) => user);
    };
    expect(toldOf('carol')).toEqual(['bob']);
    log.as('alice', 'remove_member', { group: 'films', user: 'bob' });
    expect(toldOf('dave')).toEqual([]);
  });

  it('of a session that begins or ends go to all peers of its user, and to those of nobody else', () => {
    const { credentialOffset } = log.state.users.get('bob')!;
    log.as('phone', 'login', { user: 'bob', credentialOffset });
    const [toBob, toAlice] = [listen('bob'), listen('alice')];
    const told = (): string[] => toBob.splice(0).map(({ type }) => type);
    told();
    happens(log.as('phone', 'logout', {}));
    expect(told()).toEqual(['revoked', 'sessions_changed']);
    happens(log.as('phone', 'login', { user: 'bob', credentialOffset }));
    expect(told()).toEqual(['sessions_changed']);
    expect(toAlice.map(({ type }) => type)).toEqual(['subscribed', 'revoked']);
  });

  it('end with the connection', async () => {
    const socket = stuckSocket();
    const toBob = listen('bob', socket);
    socket.destroy();
    await vi.waitFor(() => expect(hub.size).toBe(0));
    happens(log.share('alice', 'films', 'a'));
    vi.runAllTimers();
    expect(toBob).toHaveLength(1);
  });
});
