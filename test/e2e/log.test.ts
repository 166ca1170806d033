import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeLogRecord } from '#wire/log-record';
import type { GroupItem } from '#wire/control-api';
import type { StatusView } from '#wire/control-status';
import type { CommandLog } from '../../apps/tracker/src/command-log/command-log.ts';
import { openCommandLog } from '../../apps/tracker/src/command-log/open-command-log.ts';
import { consumeOnConsole } from '../../infra/kafka/broker.mjs';
import { digestAt, digestsAtSameOffset, trackerStatus } from '../../infra/quick-start/tracker-status.ts';
import { Cluster, LOGS, PASSWORD, type TestPeer } from './cluster.ts';

describe.each(LOGS)('on $log', ({ log, skipReason }) => {
  describe.skipIf(skipReason !== null)('the log', () => {
    let cluster: Cluster;
    let alice: TestPeer;
    let bob: TestPeer;
    let opened: CommandLog | undefined;
    const openedLog = async (): Promise<CommandLog> =>
      (opened ??= await openCommandLog({ url: cluster.logUrl, trackerInfoPath: null }));

    beforeAll(async () => {
      cluster = await Cluster.start({ log });
      alice = await cluster.user('alice', { trackerInfo: await cluster.system.trackerInfoOf(1) });
      bob = await cluster.user('bob', { trackerInfo: await cluster.system.trackerInfoOf(2) });
    }, 120_000);
    afterAll(async () => {
      await opened?.close();
      await cluster.stop();
    });

    /** Every record as parsed JSON, read through the port. */
    async function records(): Promise<Record<string, unknown>[]> {
      const reading = await openedLog();
      const end = await reading.end();
      const found: Record<string, unknown>[] = [];
      const stop = new AbortController();
      for await (const batch of reading.read(0, stop.signal)) {
        for (const { value } of batch)
          found.push(JSON.parse(new TextDecoder().decode(value)) as Record<string, unknown>);
        if (found.length >= end) break;
      }
      stop.abort();
      return found;
    }

    const groupsOf = async (peer: TestPeer): Promise<string[]> =>
      (await peer.list<GroupItem>('/groups')).map(({ group }) => group);

    it('makes a valid record that is appended from outside appear on both trackers', async () => {
      const [{ peerId }, { trackerId }] = await Promise.all([
        alice.view<StatusView>('/status'),
        trackerStatus(cluster.system.trackers[0]!),
      ]);
      const id = randomUUID();
      const value = encodeLogRecord({
        id,
        trackerId,
        timeMs: Date.now(),
        actor: { kind: 'peer', peerId, user: 'alice' },
        correlationId: id,
        seenOffset: -1,
        schemaVersion: 1,
        command: { name: 'create_group', data: { group: 'from outside' } },
        signature: null,
      });
      await (await openedLog()).append([{ value, sealed: null }]);
      for (const peer of [alice, bob]) await expect.poll(() => groupsOf(peer)).toContain('from outside');
    });

    it('holds one record for each command, refused ones included, and none for what never reached it', async () => {
      const before = (await records()).length;
      await alice.accepted('create_group', { group: 'counted' });
      expect(await bob.outcome('create_group', { group: 'counted' })).toBe('409 group_exists');
      expect(await bob.outcome('accept_request', { group: 'counted', user: 'alice' })).toBe('403 not_a_member');
      expect(await bob.outcome('create_group', { group: '' })).toBe('400 invalid_request');
      expect(await bob.outcome('change_password', { password: 'wrong', newPassword: PASSWORD })).toBe(
        '401 wrong_credentials',
      );
      await bob.list('/groups');
      const added = (await records()).slice(before);
      expect(added.map(({ type, actor }) => [type, actor])).toEqual([
        ['cohort.create_group.v1', 'alice'],
        ['cohort.create_group.v1', 'bob'],
        ['cohort.accept_request.v1', 'bob'],
      ]);
    });

    it.runIf(log === 'kafka')("is a topic that Kafka's own consumer reads", async () => {
      const all = await records();
      const lines = await consumeOnConsole({ ...cluster.kafka!, maxMessages: all.length });
      expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(all);
    });

    it('never holds a password', async () => {
      expect(JSON.stringify(await records())).not.toContain(PASSWORD);
    });

    it('brings everything back after the folders of both trackers were wiped, keys and all', async () => {
      const [before] = await digestsAtSameOffset(cluster.system.trackers);
      const groups = await groupsOf(alice);
      await Promise.all(cluster.system.trackers.map((tracker) => tracker.process.stop()));
      await Promise.all(cluster.system.trackers.map(({ dataDirectory }) => rm(dataDirectory, { recursive: true })));
      await cluster.system.pinTrackers();
      await cluster.system.startTrackers();
      const after = await Promise.all(cluster.system.trackers.map(({ http }) => digestAt(http, before!.offset)));
      expect(after).toEqual([before, before]);
      for (const [peer, ordinal] of [[alice, 1] as const, [bob, 2] as const]) {
        await peer.process.stop();
        await cluster.system.trackerInfoOf(ordinal);
        await peer.restart();
        expect(await groupsOf(peer)).toEqual(groups);
      }
    });
  });
});
