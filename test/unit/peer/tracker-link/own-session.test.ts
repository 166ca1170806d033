// The session on a peer: renewed in time, and told of when it ends unasked.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import type { LinkEvent } from '../../../../apps/peer/src/tracker-link/tracker-link.ts';
import { stamp } from './played-tracker.ts';
import { accepts, becomes, directory, groups, pinned, start, trackers } from './started-link.ts';

describe('the session on this peer', () => {
  const isChanged = (event: LinkEvent): event is LinkEvent & { type: 'session_changed' } =>
    event.type === 'session_changed';
  const ended = (event: LinkEvent): boolean => isChanged(event) && event.user === null;

  test('is renewed when a tracker says that it is time, once, though it says so until it has read the renewal', async () => {
    const [tracker] = trackers;
    tracker!.term = { expiresAtMs: Date.now() + 1_000, isRenewalDue: true };
    tracker!.play = ({ pattern }) => (pattern === 'renew_session' ? accepts(20)() : groups);
    const started = await start([tracker!.entry()]);
    await tracker!.asked('renew_session');
    const presences = tracker!.count('presence');
    // The answer to it has come when a later request has its own.
    await started.link.listGroups({ limit: 1 });
    started.link.announce([]);
    await tracker!.asked('presence', presences + 1);
    await started.link.listGroups({ limit: 1 });
    expect(tracker!.requests.filter(({ pattern }) => pattern === 'renew_session')).toMatchObject([
      { data: { user: 'alice', body: {} } },
    ]);
    tracker!.appliedOffset = 20;
    started.link.announce([]);
    await tracker!.asked('renew_session', 2);
  });

  test.each([
    [
      'it was not renewed in time',
      1,
      'expired',
      /expired, because the peer did not renew it for 30 days: log in again/,
    ],
    [
      'somebody ended it',
      Date.now() + 60_000,
      'ended_elsewhere',
      /was ended elsewhere, or with a new password: log in/,
    ],
  ] as const)('that ends because %s is told of, until somebody logs in', async (_why, expiresAtMs, reason, detail) => {
    const [tracker] = trackers;
    tracker!.term = { expiresAtMs, isRenewalDue: false };
    const started = await start([tracker!.entry()]);
    await started.seen(becomes(tracker!, 'ready'));
    await vi.waitFor(() =>
      expect(JSON.parse(readFileSync(join(directory, 'link.json'), 'utf8'))).toMatchObject({
        sessionExpiresAtMs: expiresAtMs,
      }),
    );
    Object.assign(tracker!, { user: null, term: undefined, appliedOffset: 30 });
    tracker!.push({ type: 'session_changed', offset: 30, user: null });
    const told = { user: 'alice', reason, detail: expect.stringMatching(detail) as string };
    expect(await started.seen(ended)).toMatchObject({ ended: told });
    expect(started.link.endedSession()).toEqual(told);
    tracker!.play = () => ({ status: 'failed', code: 'not_logged_in' });
    expect(await started.link.listGroups({ limit: 1 })).toMatchObject({ code: 'not_logged_in', detail: told.detail });
    await started.link.close();
    const again = await start([tracker!.entry()]);
    expect(again.link.endedSession()).toEqual(told);
    await again.seen(becomes(tracker!, 'ready'));
    tracker!.play = accepts(40);
    await again.link.command('login', { user: 'alice', password: 'p' }, stamp(null));
    expect(again.link.endedSession()).toBeNull();
  });

  test('that ends with a logout here leaves nothing to tell, also when the push of it comes first', async () => {
    const [tracker] = trackers;
    const started = await start([tracker!.entry()]);
    await Promise.all([started.seen(becomes(tracker!, 'ready')), tracker!.asked('subscribe')]);
    let isLoggedOut = false;
    tracker!.play = () => {
      tracker!.push({ type: 'session_changed', offset: 30, user: null });
      isLoggedOut = true;
      return accepts(30)();
    };
    await started.link.command('logout', {}, stamp());
    expect(isLoggedOut).toBe(true);
    expect(await started.seen(ended)).toMatchObject({ ended: null });
    expect(started.link.endedSession()).toBeNull();
  });

  test('remembered by an older build is still there', async () => {
    const remembered = { logId: trackers[0]!.logId, seenOffset: 5, user: 'alice', userOffset: 5 };
    writeFileSync(join(directory, 'link.json'), JSON.stringify(remembered));
    await Promise.all(trackers.map((tracker) => tracker.kill()));
    const { link } = await start(pinned());
    expect([link.user(), link.endedSession()]).toEqual(['alice', null]);
    await Promise.all(trackers.map((tracker) => tracker.listen()));
  });
});
