// The link against trackers that the tests play over real connections; what has to happen is waited for, not slept for.
import { describe, expect, test, vi } from 'vitest';
import { PRESENCE_DOWNLOADS_MAX } from '#wire/limits';
import type { LinkEvent } from '../../../../apps/peer/src/tracker-link/tracker-link.ts';
import { type PlayedRequest, type PlayedTracker, stamp } from './played-tracker.ts';
import { accepts, allReady, becomes, groups, pinned, start, trackers } from './started-link.ts';

describe('a peer', () => {
  test('tells every tracker where it is, and asks each for its pushes', async () => {
    const { link } = await start(pinned());
    await Promise.all(trackers.map((tracker) => Promise.all([tracker.asked('presence'), tracker.asked('subscribe')])));
    expect(trackers[0]!.requests.find(({ pattern }) => pattern === 'presence')?.data).toEqual({
      addresses: ['127.0.0.1:9'],
      downloading: [],
      transport: 'tls',
    });
    const before = trackers.map((tracker) => tracker.count('presence'));
    link.announce([{ shareId: 3, group: 'films', file: 'a' }]);
    await Promise.all(trackers.map((tracker, index) => tracker.asked('presence', before[index]! + 1)));
  });

  test('tells of no more downloads than a tracker takes', async () => {
    const started = await start(pinned());
    await allReady(started);
    const [tracker] = trackers;
    const before = tracker!.count('presence');
    const downloading = Array.from({ length: 2_000 }, (_, shareId) => ({ shareId, group: 'films', file: 'a' }));
    started.link.announce(downloading);
    await tracker!.asked('presence', before + 1);
    const told = tracker!.requests.findLast(({ pattern }) => pattern === 'presence');
    expect(told!.data['downloading']).toEqual(downloading.slice(0, PRESENCE_DOWNLOADS_MAX));
  });

  test('tells what it cannot serve, and nothing of it to a tracker whose build would refuse that', async () => {
    const [newer, older] = trackers;
    newer!.takesUnserved = true;
    const started = await start(pinned());
    await allReady(started);
    await Promise.all(trackers.map((tracker) => tracker.asked('presence')));
    const before = trackers.map((tracker) => tracker.count('presence'));
    const told = (tracker: PlayedTracker | undefined): object =>
      tracker!.requests.findLast(({ pattern }) => pattern === 'presence')!.data;
    expect(told(newer)).not.toHaveProperty('unserved');
    started.link.announce([], [3, 5]);
    await Promise.all(trackers.map((tracker, index) => tracker.asked('presence', before[index]! + 1)));
    expect(told(newer)).toMatchObject({ downloading: [], unserved: [3, 5] });
    expect(told(older)).not.toHaveProperty('unserved');
  });

  test('tells a tracker anew what it said before somebody was logged in', async () => {
    const [tracker] = trackers;
    tracker!.takesUnserved = true;
    const started = await start(pinned());
    await allReady(started);
    started.link.announce([], [3, 5]);
    const told = (): object => tracker!.requests.findLast(({ pattern }) => pattern === 'presence')!.data;
    await vi.waitFor(() => expect(told()).toMatchObject({ unserved: [3, 5] }));
    await tracker!.asked('subscribe');
    const before = tracker!.count('presence');
    tracker!.push({ type: 'session_changed', offset: 11, user: 'alice' });
    await tracker!.asked('presence', before + 1);
    expect(told()).toMatchObject({ unserved: [3, 5] });
  });

  test('sends a command to one tracker only', async () => {
    const started = await start(pinned());
    await allReady(started);
    for (const tracker of trackers) tracker.play = accepts(11);
    expect(await started.link.command('create_group', { group: 'films' }, stamp())).toEqual({
      status: 'accepted',
      offset: 11,
      result: {},
    });
    expect(trackers.reduce((sum, tracker) => sum + tracker.count('create_group'), 0)).toBe(1);
  });

  test('tells with its first command how far the log goes, and with a later one how far it went on', async () => {
    for (const tracker of trackers) {
      tracker.appliedOffset = 2_000_000;
      tracker.play = accepts(2_000_001);
    }
    const started = await start(pinned());
    await allReady(started);
    const { link } = started;
    await link.command('login', { user: 'alice', password: 'p' }, stamp());
    for (const tracker of trackers) tracker.appliedOffset = 4_000_000;
    link.announce([]);
    const reached = (): unknown[] => link.trackers().map(({ appliedOffset }) => appliedOffset);
    await vi.waitFor(() => expect(reached()).toEqual([4_000_000, 4_000_000]));
    await link.command('logout', {}, stamp());
    const told = (pattern: string): unknown[] =>
      trackers
        .flatMap(({ requests }) => requests.filter((request) => request.pattern === pattern))
        .map(({ data }) => data['seenOffset']);
    expect([told('login'), told('logout')]).toEqual([[2_000_000], [4_000_000]]);
  });

  test('goes on to the other tracker under the same id when the first dies with the command', async () => {
    const started = await start(pinned());
    await allReady(started);
    const received: PlayedRequest[] = [];
    let first: PlayedTracker | null = null;
    for (const tracker of trackers) {
      tracker.play = (request) => {
        received.push(request);
        if (first !== null) return { status: 'accepted', offset: 12, result: {} };
        first = tracker;
        void tracker.kill();
        return undefined;
      };
    }
    const answer = await started.link.command('create_group', { group: 'films' }, stamp());
    expect(answer).toMatchObject({ status: 'accepted', offset: 12 });
    expect(received).toHaveLength(2);
    expect(received[0]).toEqual(received[1]);
    await first!.listen();
  });

  test.each(['not_logged_in', 'wrong_credentials', 'rate_limited'])(
    'is in doubt about a command that the first may have taken when the other says %s',
    async (code) => {
      const started = await start(pinned());
      await allReady(started);
      let first: PlayedTracker | null = null;
      for (const tracker of trackers) {
        tracker.play = () => {
          if (first !== null) return { status: 'failed', code };
          first = tracker;
          void tracker.kill();
          return undefined;
        };
      }
      const answer = await started.link.command('create_group', { group: 'films' }, stamp());
      expect(answer).toEqual({ status: 'failed', code: 'outcome_unknown' });
      // The same refusal is believed when nobody else has the command.
      expect(await started.link.command('create_group', { group: 'films' }, stamp())).toMatchObject({ code });
      await first!.listen();
    },
  );

  test.each(['not_logged_in', 'wrong_credentials', 'rate_limited', 'tracker_unavailable', 'busy'])(
    'goes by the first that could not reach the log, and may have, when the other says %s',
    async (code) => {
      const started = await start(pinned());
      await allReady(started);
      let asked = 0;
      for (const tracker of trackers) {
        tracker.play = () => ({ status: 'failed', code: asked++ === 0 ? 'log_unavailable' : code });
      }
      const answer = await started.link.command('create_group', { group: 'films' }, stamp());
      expect(answer).toMatchObject({ status: 'failed', code: 'log_unavailable' });
      expect(asked).toBe(2);
    },
  );

  test('does not wait for a tracker that is silent to everything', async () => {
    const started = await start(pinned());
    await allReady(started);
    let isFrozen: PlayedTracker | null = null;
    for (const tracker of trackers) {
      tracker.play = () => {
        isFrozen ??= tracker;
        if (isFrozen !== tracker) return groups;
        // From now on not even a hello is answered.
        tracker.freeze();
        return undefined;
      };
    }
    const begin = performance.now();
    expect(await started.link.listGroups({ limit: 1 })).toMatchObject({ status: 'accepted' });
    expect(performance.now() - begin).toBeLessThan(2_000);
  });

  test('says at once that no tracker is there', async () => {
    const started = await start(pinned());
    await allReady(started);
    await Promise.all(trackers.map((tracker) => tracker.kill()));
    const begin = performance.now();
    expect(await started.link.command('logout', {}, stamp())).toEqual({
      status: 'failed',
      code: 'tracker_unavailable',
    });
    expect(performance.now() - begin).toBeLessThan(2_000);
    await Promise.all(trackers.map((tracker) => tracker.listen()));
  });

  test('is in doubt about a command only when it may have arrived', async () => {
    await trackers[1]!.kill();
    const started = await start([trackers[0]!.entry()]);
    await started.seen(becomes(trackers[0]!, 'ready'));
    trackers[0]!.play = () => {
      void trackers[0]!.kill();
      return undefined;
    };
    const answer = await started.link.command('logout', {}, stamp());
    expect(answer).toEqual({ status: 'failed', code: 'outcome_unknown' });
    await Promise.all(trackers.map((tracker) => tracker.listen()));
  });

  test('asks another tracker when one is behind what it has seen, and says how far it has seen', async () => {
    const started = await start(pinned());
    await allReady(started);
    for (const tracker of trackers) tracker.appliedOffset = 40;
    let isFirst = true;
    for (const tracker of trackers) {
      tracker.play = () => {
        if (!isFirst) return groups;
        isFirst = false;
        return { status: 'failed', code: 'tracker_behind' };
      };
    }
    expect(await started.link.listGroups({ limit: 5 })).toMatchObject({ status: 'accepted', asOfOffset: 40 });
    await started.link.listGroups({ limit: 5 });
    const asked = trackers.flatMap(({ requests }) => requests.filter(({ pattern }) => pattern === 'list_groups'));
    expect(asked.map(({ data }) => data['seenOffset'])).toEqual(expect.arrayContaining([10, 40]));
  });

  test('passes a refusal on from the first tracker that gives one', async () => {
    const started = await start(pinned());
    await allReady(started);
    for (const tracker of trackers) {
      tracker.play = () => ({ status: 'rejected', reason: 'group_exists', offset: 4 });
    }
    const answer = await started.link.command('create_group', { group: 'films' }, stamp());
    expect(answer).toMatchObject({ status: 'rejected', reason: 'group_exists', offset: 4 });
    expect(trackers.reduce((sum, tracker) => sum + tracker.count('create_group'), 0)).toBe(1);
  });

  test('unites the sources that trackers know, and takes the grant that lasts longest', async () => {
    const started = await start(pinned());
    await allReady(started);
    const share = { groupId: 1, shareId: 2, contentId: 'c', totalBytes: 1, pieceBytes: 1, pieceCount: 1, hash: 'sha1' };
    const source = (peerId: string, address: string) => ({ peerId, user: 'u', addresses: [address], role: 'seeder' });
    trackers[0]!.play = () => ({
      status: 'accepted',
      view: { share, sources: [source('a', 'x:1'), source('b', 'y:1')], grant: 'short', grantExpiresAtMs: 1 },
    });
    trackers[1]!.play = () => ({
      status: 'accepted',
      view: { share, sources: [source('b', 'y:2')], grant: 'long', grantExpiresAtMs: 2 },
    });
    const answer = await started.link.findSources({ group: 'films', file: 'a' });
    expect(answer).toMatchObject({ status: 'accepted', view: { grant: 'long', grantExpiresAtMs: 2 } });
    if (answer.status !== 'accepted') return;
    expect(answer.view.sources.map(({ peerId, addresses }) => [peerId, addresses])).toEqual([
      ['a', ['x:1']],
      ['b', ['y:1', 'y:2']],
    ]);
  });

  test('registers with a tracker that comes back', async () => {
    const started = await start(pinned());
    await Promise.all([allReady(started), trackers[0]!.asked('subscribe')]);
    await trackers[0]!.kill();
    await started.seen(becomes(trackers[0]!, 'unreachable'));
    const before = trackers[0]!.count('presence');
    await trackers[0]!.listen();
    await trackers[0]!.asked('presence', before + 1);
    await trackers[0]!.asked('subscribe', 2);
    expect(trackers[1]!.count('subscribe'), 'the other connection stood').toBe(1);
  });

  test('makes no use of a tracker that is still reading the log', async () => {
    trackers[0]!.isReady = false;
    const started = await start([trackers[0]!.entry()]);
    await started.seen(becomes(trackers[0]!, 'catching_up'));
    expect(await started.link.listGroups({ limit: 1 })).toEqual({ status: 'failed', code: 'tracker_behind' });
    trackers[0]!.isReady = true;
    trackers[0]!.play = () => groups;
    await started.seen(becomes(trackers[0]!, 'ready'));
    expect(await started.link.listGroups({ limit: 1 })).toMatchObject({ status: 'accepted' });
  });
});

describe('what does not work', () => {
  const away = { reason: 'log_unavailable', detail: 'the log is away' } as const;
  const outageIs = (code: string | null) => (event: LinkEvent) =>
    event.type === 'outage_changed' && (event.outage?.code ?? null) === code;
  const answer = (tracker: PlayedTracker, play: object) => void (tracker.play = () => play);

  test('is nothing while one tracker of two is away, and commands when both are', async () => {
    const started = await start(pinned());
    await allReady(started);
    await trackers[0]!.kill();
    await started.seen(becomes(trackers[0]!, 'unreachable'));
    expect(started.link.outage()).toBeNull();
    await trackers[1]!.kill();
    const told = await started.seen(outageIs('tracker_unavailable'));
    expect(told).toMatchObject({ outage: { detail: expect.stringContaining('start one') as string } });
    expect(started.link.outage()).toMatchObject({ code: 'tracker_unavailable' });
    await trackers[1]!.listen();
    await started.seen(outageIs(null));
    await trackers[0]!.listen();
  });

  test('is told with the first answer of a tracker whose log is away, until an answer says otherwise', async () => {
    const started = await start([trackers[0]!.entry()]);
    await started.seen(becomes(trackers[0]!, 'ready'));
    expect(started.link.outage()).toBeNull();
    trackers[0]!.trouble = away;
    answer(trackers[0]!, { status: 'failed', code: 'log_unavailable' });
    expect(await started.link.command('logout', {}, stamp())).toMatchObject({ code: 'log_unavailable' });
    expect(started.link.outage()).toEqual({ code: 'log_unavailable', detail: away.detail });
    expect(started.link.trackers()).toMatchObject([{ state: 'ready', trouble: away }]);
    trackers[0]!.trouble = null;
    answer(trackers[0]!, groups);
    await started.link.listGroups({ limit: 1 });
    expect(started.events.flatMap((event) => (event.type === 'outage_changed' ? [event.outage?.code] : []))).toEqual([
      'log_unavailable',
      undefined,
    ]);
  });

  test('is asked last of a tracker that is in trouble', async () => {
    const started = await start(pinned());
    await allReady(started);
    const active = trackers[started.link.trackers().findIndex((tracker) => tracker.active)]!;
    const other = trackers.find((tracker) => tracker !== active)!;
    active.trouble = away;
    answer(active, { status: 'failed', code: 'log_unavailable' });
    other.play = accepts(20);
    started.link.announce([]);
    await started.seen((event) => event.type === 'tracker_changed' && event.tracker.trouble !== null);
    expect(started.link.outage(), 'the log is the same for both').toMatchObject({ code: 'log_unavailable' });
    expect(await started.link.command('logout', {}, stamp())).toMatchObject({ status: 'accepted' });
    expect(active.count('logout')).toBe(0);
    expect(started.link.outage(), 'but the other one appends to it').toBeNull();
  });

  test('is said in the words of a tracker that takes nothing', async () => {
    trackers[0]!.isReady = false;
    trackers[0]!.trouble = { reason: 'upgrade_required', detail: 'install a newer one' };
    const started = await start([trackers[0]!.entry()]);
    await started.seen(becomes(trackers[0]!, 'unready'));
    const refused = { code: 'tracker_unavailable', detail: 'install a newer one' };
    expect(await started.link.command('logout', {}, stamp())).toEqual({ status: 'failed', ...refused });
    expect(started.link.outage()).toEqual(refused);
  });
});

describe('who is logged in', () => {
  test('follows commands, pushes and the log, never what is older', async () => {
    for (const tracker of trackers) tracker.user = null;
    const started = await start(pinned());
    await allReady(started);
    expect(started.link.user()).toBeNull();
    for (const tracker of trackers) tracker.play = accepts(20);
    await started.link.command('login', { user: 'alice', password: 'secret' }, stamp(null));
    expect(started.link.user()).toBe('alice');
    trackers[0]!.push({ type: 'session_changed', offset: 15, user: null });
    trackers[0]!.push({ type: 'session_changed', offset: 30, user: 'bob' });
    await started.seen((event) => event.type === 'session_changed' && event.user === 'bob');
    const told = started.events.flatMap((event) => (event.type === 'session_changed' ? [event.user] : []));
    expect(told).toEqual(['alice', 'bob']);
  });

  test('is known after a restart before a tracker answers', async () => {
    const started = await start(pinned());
    await started.seen((event) => event.type === 'session_changed');
    await started.link.close();
    await Promise.all(trackers.map((tracker) => tracker.kill()));
    const again = await start(pinned());
    expect(again.link.user()).toBe('alice');
    expect(again.link.trust()?.trackers).toHaveLength(1);
    await Promise.all(trackers.map((tracker) => tracker.listen()));
  });
});

describe('news of a group, or of sessions,', () => {
  test('that both trackers tell is told once', async () => {
    const started = await start(pinned());
    await allReady(started);
    await Promise.all(trackers.map((tracker) => tracker.asked('subscribe')));
    for (const tracker of trackers) {
      tracker.push({ type: 'group_changed', offset: 21, group: 'films' });
      tracker.push({ type: 'sessions_changed', offset: 21 });
      tracker.push({ type: 'sources_changed', offset: 22, shareId: 1 });
    }
    const both = (): number => started.events.filter(({ type }) => type === 'sources_changed').length;
    while (both() < 2) await started.seen(() => both() === 2);
    expect(started.events.filter(({ type }) => type === 'group_changed')).toHaveLength(1);
    expect(started.events.filter(({ type }) => type === 'sessions_changed')).toHaveLength(1);
  });

  test('is to be seen in what is read after it, of whichever tracker', async () => {
    const started = await start(pinned());
    await allReady(started);
    await Promise.all(trackers.map((tracker) => tracker.asked('subscribe')));
    trackers[1]!.push({ type: 'group_changed', offset: 21, group: 'films' });
    await started.seen(({ type }) => type === 'group_changed');
    for (const tracker of trackers) tracker.play = () => groups;
    await started.link.listGroups({ limit: 5 });
    const asked = trackers.flatMap(({ requests }) => requests.filter(({ pattern }) => pattern === 'list_groups'));
    expect(asked.map(({ data }) => data['seenOffset'])).toEqual([21]);
  });
});
