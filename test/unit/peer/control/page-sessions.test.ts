import { describe, expect, test } from 'vitest';
import { PageSessions } from '../../../../apps/peer/src/control/page-sessions.ts';

const PEER = 'cd'.repeat(32);
const DAY_MS = 24 * 3_600_000;

function sessionsOf({ peerId = PEER, controlToken = 'a-token-of-a-test', nowMs = 1_000_000 } = {}) {
  const clock = { nowMs };
  return { clock, sessions: new PageSessions({ peerId, controlToken, now: () => clock.nowMs }) };
}

/** What a browser sends of a `Set-Cookie`. */
const sentOf = (setCookie: string): string => setCookie.split(';')[0]!;

describe('a ticket', () => {
  test('is good once', () => {
    const { sessions } = sessionsOf();
    const { ticket } = sessions.issue();
    expect(ticket).toMatch(/^[\w-]{43}$/);
    expect([sessions.redeem('other'), sessions.redeem(ticket), sessions.redeem(ticket)]).toEqual([false, true, false]);
  });

  test('is good for a minute', () => {
    const { clock, sessions } = sessionsOf();
    const [first, second] = [sessions.issue(), sessions.issue()];
    expect(first.expiresMs).toBe(clock.nowMs + 60_000);
    clock.nowMs += 59_999;
    expect(sessions.redeem(first.ticket)).toBe(true);
    clock.nowMs += 1;
    expect(sessions.redeem(second.ticket)).toBe(false);
  });

  test('makes the oldest one worth nothing, where many are not used', () => {
    const { sessions } = sessionsOf();
    const tickets = Array.from({ length: 17 }, () => sessions.issue().ticket);
    expect(tickets.map((ticket) => sessions.redeem(ticket))).toEqual([false, ...Array<boolean>(16).fill(true)]);
  });
});

describe('the cookie', () => {
  test('is one that no script reads and no other site sends, named after the peer', () => {
    const cookie = sessionsOf().sessions.cookie();
    expect(cookie).toMatch(/^cohort-cdcdcdcdcdcd=\d+\.[\w-]{43}; Path=\/; Max-Age=2592000; HttpOnly; SameSite=Strict$/);
  });

  test('lets in for 30 days, also after a restart of the peer', () => {
    const { clock, sessions } = sessionsOf();
    const sent = sentOf(sessions.cookie());
    const restarted = sessionsOf({ nowMs: clock.nowMs + 30 * DAY_MS - 1_000 });
    expect(restarted.sessions.opens(sent)).toBe(true);
    restarted.clock.nowMs += 1_000;
    expect(restarted.sessions.opens(sent)).toBe(false);
  });

  test('is renewed when the page is loaded again, at most once a day', () => {
    const { clock, sessions } = sessionsOf();
    const sent = sentOf(sessions.cookie());
    clock.nowMs += DAY_MS;
    expect(sessions.renewedCookie(sent)).toBeNull();
    clock.nowMs += 1_000;
    const renewed = sessions.renewedCookie(sent);
    clock.nowMs += 30 * DAY_MS - 1_000;
    expect([sessions.opens(sent), sessions.opens(sentOf(renewed!))]).toEqual([false, true]);
    expect([sessions.renewedCookie(sent), sessions.renewedCookie(undefined)]).toEqual([null, null]);
  });

  test('is found among others, also of its own name', () => {
    const { sessions } = sessionsOf();
    const sent = sentOf(sessions.cookie());
    expect(sessions.opens(`a=b; cohort-cdcdcdcdcdcd=old; ${sent};c=d`)).toBe(true);
  });

  test.each<[string, (sent: string) => string | undefined]>([
    ['no cookie', () => undefined],
    ['an empty one', () => 'cohort-cdcdcdcdcdcd='],
    ['one of another name', (sent) => sent.replace('cdcd', 'abab')],
    ['one that lasts longer than it was made to', (sent) => sent.replace(/=(\d)/, '=9$1')],
    ['one with another signature', (sent) => sent.replace(/.{4}$/, 'AAAA')],
    ['one whose signature is cut off', (sent) => sent.slice(0, -1)],
  ])('is not %s', (_what, changed) => {
    const { sessions } = sessionsOf();
    expect(sessions.opens(changed(sentOf(sessions.cookie())))).toBe(false);
  });

  test('of another peer, or from before another control token, lets nobody in', () => {
    const sent = sentOf(sessionsOf().sessions.cookie());
    expect(sessionsOf({ controlToken: 'another-token-of-a-test' }).sessions.opens(sent)).toBe(false);
    expect(sessionsOf({ peerId: `${'cd'.repeat(6)}${'ab'.repeat(26)}` }).sessions.opens(sent)).toBe(false);
  });

  test('is taken back by one that is over', () => {
    const { sessions } = sessionsOf();
    expect(sessions.clearedCookie()).toMatch(/^cohort-cdcdcdcdcdcd=; Path=\/; Max-Age=0;/);
    expect(sessions.opens(sentOf(sessions.clearedCookie()))).toBe(false);
  });
});
