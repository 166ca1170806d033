// Sessions end by the log's time when nobody renews them, and whoever is logged in keeps them by renewing.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Applied } from '#domain/apply';
import type { CommandData, CommandName } from '#domain/command';
import { EXPIRED_AT_ONCE_MAX } from '#domain/session-expiry';
import { SessionOrder } from '#domain/session-order';
import { SESSION_LIFETIME_MS } from '#domain/session-term';
import type { Session } from '#domain/state';
import { listSessions } from '#domain/views';
import { COMMITMENT, LogInMemory, peerOf, verdict } from './log-of.ts';

/** Sends a command at a time, with the session that the peer believes to have. */
function at<Name extends CommandName>(
  log: LogInMemory,
  timeMs: number,
  [user, name, data]: [user: string, name: Name, data: CommandData[Name]],
): Applied {
  const peerId = peerOf(user);
  const session = log.state.sessions.get(peerId)?.user ?? null;
  return log.append(name, data, { actor: { kind: 'peer', peerId, user: session }, timeMs });
}

const expired = ({ events }: Applied): string[] =>
  events.flatMap((event) => (event.type === 'session_expired' ? [event.user] : []));

const renewedAt = (log: LogInMemory, user: string): number => log.state.sessions.get(peerOf(user))!.renewedAtMs;

describe('a session', () => {
  it('lasts for 30 days, and whoever uses it later has none', () => {
    const log = LogInMemory.started();
    log.signUp('alice');
    const endMs = renewedAt(log, 'alice') + SESSION_LIFETIME_MS;
    expect(SESSION_LIFETIME_MS).toBe(30 * 86_400_000);
    expect(listSessions(log.state, 'alice')).toMatchObject([{ expiresAtMs: endMs }]);
    expect(verdict(at(log, endMs - 1, ['alice', 'create_group', { group: 'g' }]))).toBe('accepted');
    const late = at(log, endMs, ['alice', 'create_group', { group: 'h' }]);
    expect([verdict(late), expired(late)]).toEqual(['not_logged_in', ['alice']]);
    expect(log.state.sessions.size).toBe(0);
  });

  it('ends with any record that comes later, of whoever it is, refused or repeated', () => {
    const log = LogInMemory.started();
    log.signUp('alice', 'bob');
    const endMs = renewedAt(log, 'alice') + SESSION_LIFETIME_MS;
    const id = log.nextId();
    const bob = { kind: 'peer', peerId: peerOf('bob'), user: 'bob' } as const;
    log.append('renew_session', {}, { actor: bob, id, timeMs: endMs - 1 });
    const again = log.append('renew_session', {}, { actor: bob, id, timeMs: endMs });
    expect([verdict(again), again.events]).toEqual([
      'accepted',
      [{ type: 'session_expired', user: 'alice', peerId: peerOf('alice') }],
    ]);
    expect(renewedAt(log, 'bob')).toBe(endMs - 1);
    const refused = at(log, endMs - 1 + SESSION_LIFETIME_MS, ['eve', 'logout', {}]);
    expect([verdict(refused), expired(refused)]).toEqual(['not_logged_in', ['bob']]);
  });

  it('lasts on when its peer renews it, for another 30 days', () => {
    const log = LogInMemory.started();
    log.signUp('alice');
    const renewedMs = renewedAt(log, 'alice') + SESSION_LIFETIME_MS - 1;
    expect(verdict(at(log, renewedMs, ['alice', 'renew_session', {}]))).toBe('accepted');
    expect(verdict(at(log, renewedMs + SESSION_LIFETIME_MS - 1, ['alice', 'renew_session', {}]))).toBe('accepted');
    expect(log.state.sessions.get(peerOf('alice'))).toMatchObject({ id: 3, startedAtMs: 1_003 });
  });

  it('that ended is begun anew by a login at once', () => {
    const log = LogInMemory.started();
    log.signUp('alice');
    const { credentialOffset } = log.state.users.get('alice')!;
    const endMs = renewedAt(log, 'alice') + SESSION_LIFETIME_MS;
    const applied = at(log, endMs, ['alice', 'login', { user: 'alice', credentialOffset }]);
    expect([verdict(applied), applied.events.map(({ type }) => type)]).toEqual([
      'accepted',
      ['session_expired', 'session_started'],
    ]);
  });

  it('is not brought back by a record whose clock is behind', () => {
    const log = LogInMemory.started();
    log.signUp('alice', 'bob');
    at(log, renewedAt(log, 'bob') + SESSION_LIFETIME_MS, ['bob', 'logout', {}]);
    expect(verdict(at(log, 0, ['alice', 'create_group', { group: 'g' }]))).toBe('not_logged_in');
  });
});

describe('rules version 1', () => {
  it('knows no end of sessions and no renewal, and a session lasts for 30 days from when version 2 is in force', () => {
    const log = LogInMemory.started(1);
    log.signUp('alice');
    const lateMs = 10 * SESSION_LIFETIME_MS;
    expect(verdict(at(log, lateMs, ['alice', 'create_group', { group: 'g' }]))).toBe('accepted');
    expect(listSessions(log.state, 'alice')).toMatchObject([{ expiresAtMs: null }]);
    // For a build of that version it is no record, so its time does not count either.
    expect(verdict(at(log, lateMs + 1, ['alice', 'renew_session', {}]))).toBe('malformed_record');
    expect(log.state.logTimeMs).toBe(lateMs);
    const signer = { actor: { kind: 'tracker', trackerId: 'a'.repeat(64) }, signer: 'a'.repeat(64) } as const;
    log.append('activate_rules', { rulesVersion: 2 }, { ...signer, timeMs: lateMs + 2 });
    expect(listSessions(log.state, 'alice')).toMatchObject([{ expiresAtMs: lateMs + 2 + SESSION_LIFETIME_MS }]);
    const late = at(log, lateMs + 2 + SESSION_LIFETIME_MS, ['alice', 'logout', {}]);
    expect(verdict(late)).toBe('not_logged_in');
  });
});

describe('many sessions', () => {
  it('end a bounded number at a record, and whoever sends it has none, whatever its turn', () => {
    const log = LogInMemory.started();
    const { outcomeOffset } = log.as('alice', 'create_user', { user: 'alice', commitment: COMMITMENT });
    const peers = Array.from(
      { length: EXPIRED_AT_ONCE_MAX + 2 },
      (_, index) => `peer ${String(index).padStart(3, '0')}`,
    );
    for (const peer of peers) log.as(peer, 'login', { user: 'alice', credentialOffset: outcomeOffset });
    const endMs = log.state.logTimeMs + SESSION_LIFETIME_MS;
    const applied = at(log, endMs, [peers.at(-1)!, 'create_group', { group: 'g' }]);
    expect(verdict(applied)).toBe('not_logged_in');
    const ended = applied.events.map((event) => ('peerId' in event ? event.peerId : ''));
    expect(ended).toEqual([peerOf(peers.at(-1)!), ...peers.slice(0, EXPIRED_AT_ONCE_MAX - 1).map(peerOf)]);
    expect(expired(at(log, endMs, ['eve', 'logout', {}]))).toHaveLength(2);
    expect(log.state.sessions.size).toBe(0);
  });

  it('end in one order, however they came to be', () => {
    const session = fc.record({ peer: fc.nat(9), renewedAtMs: fc.nat(5) });
    fc.assert(
      fc.property(fc.array(session, { maxLength: 60 }), fc.nat(60), (steps, looksAt) => {
        const order = new SessionOrder();
        const sessions = new Map<string, Session>();
        for (const [index, { peer, renewedAtMs }] of steps.entries()) {
          const next = { id: index, user: 'u', peerId: `p${peer}`, startedAtMs: 0, renewedAtMs };
          sessions.set(next.peerId, next);
          order.add(next);
          if (index === looksAt) order.first(sessions);
        }
        const inOrder: Session[] = [];
        const naive = [...sessions.values()].sort((left, right) =>
          left.renewedAtMs === right.renewedAtMs
            ? Number(left.peerId > right.peerId) - 0.5
            : left.renewedAtMs - right.renewedAtMs,
        );
        for (let next = order.first(sessions); next !== undefined; next = order.first(sessions)) {
          inOrder.push(next);
          sessions.delete(next.peerId);
        }
        expect(inOrder).toEqual(naive);
      }),
    );
  });
});
