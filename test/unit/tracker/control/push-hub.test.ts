import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RPC_MESSAGE_BYTES_MAX } from '#wire/limits';
import type { Push } from '#wire/tracker-api';
import { TrackerMetrics } from '../../../../apps/tracker/src/control/metrics.ts';
import { PushHub } from '../../../../apps/tracker/src/control/push-hub.ts';
import { PresenceTable } from '../../../../apps/tracker/src/presence/presence.ts';
import type { AppliedRecord } from '../../../../apps/tracker/src/replica/replica.ts';
import { LogInMemory, peerOf } from '../../domain/log-of.ts';

let log: LogInMemory;
let hub: PushHub;
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
  hub = new PushHub({ replica, presence: new PresenceTable({ now: Date.now }), metrics: new TrackerMetrics() });
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

  it('cut off a peer that does not read them, and go on for the others', () => {
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
    expect(toBob).toHaveLength(1);
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
