// Sessions end by the trackers' clocks, on a log where nothing happens too.
import { afterEach, expect, it } from 'vitest';
import { SESSION_LIFETIME_MS, SESSION_RENEWAL_MS } from '#domain/session-term';
import type { SessionList, ViewReply } from '#wire/tracker-api';
import { MemoryLog } from '../unit/tracker/memory-log.ts';
import { Cleanup, here, pushesOf, type TestPeer, verdict } from './tracker-harness.ts';

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

it('a peer whose session has expired is told nothing before a record ends it, and logs in again', async () => {
  const { alice, log, clock } = await aliceByClock();
  const { items } = await alice.view<SessionList>('list_sessions');
  const [session] = items;
  expect(session!.expiresAtMs).toBe(session!.startedAtMs + SESSION_LIFETIME_MS);
  const recordCount = log.records.length;
  clock.nowMs = session!.expiresAtMs!;
  const view = (): Promise<ViewReply<object>> => alice.send('list_groups', { seenOffset: -1, limit: 10 });
  expect(verdict(await view())).toBe('not_logged_in');
  expect(log.records).toHaveLength(recordCount);
  const pushes = await pushesOf(alice);
  expect(verdict(await alice.command('create_group', { group: 'g' }))).toBe('not_logged_in');
  expect(log.records).toHaveLength(recordCount + 1);
  expect(pushes).toContainEqual({ type: 'session_changed', offset: recordCount, user: null });
  await alice.accepted('login', { user: 'alice', password: 'correct horse' });
  expect(verdict(await view())).toBe('accepted');
});

it('a peer that renews its session when it is told to keeps it', async () => {
  const { alice, clock } = await aliceByClock();
  for (let week = 1; week <= 10; week++) {
    clock.nowMs += SESSION_RENEWAL_MS;
    expect(await alice.present(here)).toMatchObject({ user: 'alice', term: { isRenewalDue: true } });
    await alice.accepted('renew_session', {});
    expect(await alice.present(here)).toMatchObject({
      term: { isRenewalDue: false, expiresAtMs: clock.nowMs + SESSION_LIFETIME_MS },
    });
  }
  await alice.accepted('create_group', { group: 'g' });
});

/** Alice, logged in at a tracker; the clock of the tracker and of its log stands until a test sets it. */
async function aliceByClock(): Promise<{ alice: TestPeer; log: MemoryLog; clock: { nowMs: number } }> {
  const clock = { nowMs: Date.now() };
  const now = (): number => clock.nowMs;
  const log = new MemoryLog();
  log.now = now;
  const alice = await cleanup.peer(await cleanup.tracker(log, { now }));
  await alice.signUp('alice');
  return { alice, log, clock };
}
