import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { FileItem, GroupItem } from '#wire/control-api';
import type { StatusView } from '#wire/control-status';
import { digestsAtSameOffset } from '../../infra/quick-start/tracker-status.ts';
import { Cluster, LOGS, PASSWORD, sha1Of, type TestPeer, until } from './cluster.ts';

vi.setConfig({ testTimeout: 90_000 });

const RACES = 200;
const ANSWER_MS = 2_000;

describe.each(LOGS)('on $log', ({ log, skipReason }) => {
  describe.skipIf(skipReason !== null)('two trackers', () => {
    let cluster: Cluster;
    let alice: TestPeer;
    let bob: TestPeer;

    beforeAll(async () => {
      cluster = await Cluster.start({ log });
      [alice, bob] = await Promise.all([cluster.user('alice'), cluster.user('bob')]);
      await cluster.group('films', alice, bob);
      await alice.upload('films', await cluster.file('a.bin', 100_000));
    }, 120_000);
    afterAll(() => cluster.stop());

    const trackersOf = (peer: TestPeer): Promise<StatusView> => peer.view('/status');
    /** Waits until alice and bob are registered with every tracker. */
    const untilLinked = (): Promise<true> =>
      until('both peers are linked to both trackers', async () => {
        const statuses = await Promise.all([alice, bob].map(trackersOf));
        return statuses.every(({ trackers }) => trackers.every(({ state }) => state === 'ready'));
      });

    it(
      'let exactly one of two users have a name that both want, each at another tracker',
      { timeout: 180_000 },
      async () => {
        const [left, right] = await Promise.all([
          cluster.peer('left', { trackerInfo: await cluster.system.trackerInfoOf(1) }),
          cluster.peer('right', { trackerInfo: await cluster.system.trackerInfoOf(2) }),
        ]);
        for (let race = 0; race < RACES; race++) {
          const body = { user: `user ${race}`, password: PASSWORD };
          const outcomes = await Promise.all([left, right].map((peer) => peer.outcome('create_user', body)));
          expect(outcomes.sort(), `race ${race}`).toEqual(['200 accepted', '409 user_exists']);
        }
        await Promise.all([left.process.stop(), right.process.stop()]);
      },
    );

    it('answer a repeated command with its first outcome, whichever gets it', async () => {
      const key = randomUUID();
      await untilLinked();
      const first = await alice.accepted('create_group', { group: 'repeated' }, key);
      const active = (await trackersOf(alice)).trackers.findIndex((tracker) => tracker.active);
      await cluster.system.trackers[active]!.process.kill();
      expect(await alice.accepted('create_group', { group: 'repeated' }, key)).toEqual(first);
      await cluster.system.restartTracker(active + 1);
    });

    it.each([1, 2])('lose number %i with SIGKILL: the next command takes less than two seconds', async (ordinal) => {
      await untilLinked();
      await cluster.system.trackers[ordinal - 1]!.process.kill();
      const begin = performance.now();
      await bob.accepted('create_group', { group: `while ${ordinal} was down` });
      expect(performance.now() - begin).toBeLessThan(ANSWER_MS);
      const [file] = await bob.list<FileItem>('/groups/films/files');
      expect(file, 'the other one knows at once who has a file').toMatchObject({ file: 'a.bin', seedersOnline: 1 });
      await cluster.system.restartTracker(ordinal);
      const [one, two] = await digestsAtSameOffset(cluster.system.trackers);
      expect(one).toEqual(two);
    });

    it('are joined by a third one with an empty disk, which reads itself up to the same digest', async () => {
      await cluster.system.addTracker();
      const digests = await digestsAtSameOffset(cluster.system.trackers);
      expect(digests).toHaveLength(3);
      expect(new Set(digests.map(({ digest }) => digest)).size).toBe(1);
      const carol = await cluster.user('carol', { trackerInfo: await cluster.system.trackerInfoOf(3) });
      const groups = await carol.list<GroupItem>('/groups');
      expect(groups.map(({ group }) => group)).toContain('films');
    });

    it('both gone: commands fail within two seconds, what is under way arrives, and all goes on when they are back', async () => {
      const path = await cluster.file('under-way.bin', 256 * 1024 * 1024);
      await alice.upload('films', path);
      const id = await bob.begin('films', 'under-way.bin', bob.dataDirectory);
      await bob.untilTransfer(id, 'under way', ({ verifiedBytes }) => verifiedBytes > 0);
      await Promise.all(cluster.system.trackers.map((tracker) => tracker.process.kill()));
      const begin = performance.now();
      expect(await bob.outcome('create_group', { group: 'later' })).toBe('503 tracker_unavailable');
      expect(performance.now() - begin).toBeLessThan(ANSWER_MS);
      await bob.untilTransfer(id, 'all there', ({ verifiedBytes, totalBytes }) => verifiedBytes === totalBytes);
      await cluster.system.startTrackers();
      await until('bob is heard again', async () => (await bob.control.get('/groups')).status === 200);
      await bob.accepted('create_group', { group: 'later' });
      const done = await bob.untilTransfer(id, 'complete', ({ state }) => state === 'complete');
      expect(await sha1Of(done.path)).toBe(await sha1Of(path));
    });
  });
});
