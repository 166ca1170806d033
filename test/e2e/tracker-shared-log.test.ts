import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { HelloView, SourcesView } from '#wire/tracker-api';
import { type Broker, kafkaSkipReason, startBroker } from '../../infra/kafka/broker.mjs';
import { Cleanup, films, here, type TestPeer, upload, verdict } from './tracker-harness.ts';
import { TrackerFolder, type TrackerProcess } from './tracker-processes.ts';

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

const skipReason = kafkaSkipReason();
if (skipReason !== null) {
  if (process.env['COHORT_REQUIRE_KAFKA'] === '1')
    throw new Error(`COHORT_REQUIRE_KAFKA=1, but there is ${skipReason}`);
  process.stderr.write(`Skipped: trackers that share a log on Kafka; ${skipReason}.\n`);
}

describeSharedLog('the embedded log', () => null);

describe.skipIf(skipReason !== null)('on Kafka', () => {
  let broker: Broker;
  beforeAll(async () => {
    broker = await startBroker();
  }, 180_000);
  afterAll(() => broker?.stop());

  describeSharedLog('a log on Kafka', () => `kafka:${broker.brokers}/cohort-test-${randomUUID()}`);
});

/** What happens while the log is away, and when it is back; nothing is restarted. */
async function expectOutageContract(folder: TrackerFolder, log: { away(): unknown; back(): unknown }): Promise<void> {
  const [one, two] = [await folder.start(1), await folder.start(2)];
  const { alice, bob } = await films(cleanup, one);
  await alice.accepted('upload_file', upload);
  await bob.accepted('download_file', { group: upload.group, file: upload.file });
  const commandId = randomUUID();
  await log.away();
  const sentAt = performance.now();
  const refused = await alice.command('create_group', { group: 'more' }, { commandId });
  expect(performance.now() - sentAt).toBeLessThan(5_500);
  expect(verdict(refused)).toBe('log_unavailable');
  await alice.present(here);
  const { grant, sources } = await bob.view<SourcesView>('find_sources', { group: upload.group, file: upload.file });
  expect(grant).not.toBeNull();
  expect(sources, 'who comes online is seen').toMatchObject([{ peerId: alice.id }]);
  await log.back();
  const elsewhere = await at(two, alice);
  await vi.waitFor(
    async () => {
      const again = await elsewhere.command('create_group', { group: 'more' }, { commandId });
      expect(verdict(again)).toBe('accepted');
    },
    { timeout: 20_000, interval: 100 },
  );
  // The tracker that has lost the log finds it again by itself.
  await vi.waitFor(async () => expect(await alice.list('list_groups')).toHaveLength(2), { timeout: 20_000 });
}

describe('while the log is away, commands fail within five seconds and views go on; then the same id works', () => {
  it('with a locked SQLite file', async () => {
    const folder = await TrackerFolder.create(cleanup, 2);
    const database = new DatabaseSync(join(folder.directory, 'cohort-log.sqlite'));
    cleanup.add(() => database.close());
    await expectOutageContract(folder, {
      away: () => database.exec('BEGIN IMMEDIATE'),
      back: () => database.exec('ROLLBACK'),
    });
  });

  it.skipIf(skipReason !== null || process.env['KAFKA_BROKERS'] !== undefined)(
    'with a broker that is killed',
    { timeout: 120_000 },
    async () => {
      const dataDir = await cleanup.directory();
      let broker = await startBroker({ dataDir });
      cleanup.add(() => broker.kill());
      const folder = await TrackerFolder.create(cleanup, 2, `kafka:${broker.brokers}`);
      await expectOutageContract(folder, {
        away: () => broker.kill(),
        back: async () => {
          broker = await startBroker({ dataDir, port: Number(broker.brokers.split(':')[1]) });
        },
      });
    },
  );
});

/** The same peer at another tracker, knowing what it has seen. */
async function at(tracker: TrackerProcess, peer: TestPeer): Promise<TestPeer> {
  const elsewhere = await cleanup.peer(tracker, peer.identity);
  elsewhere.seenOffset = peer.seenOffset;
  elsewhere.user = peer.user;
  return elsewhere;
}

function describeSharedLog(name: string, newLogUrl: () => string | null): void {
  describe(`trackers that share ${name}`, () => {
    it('show what was commanded through the other one at once', async () => {
      const folder = await TrackerFolder.create(cleanup, 2, newLogUrl());
      const [one, two] = [await folder.start(1), await folder.start(2)];
      const { alice } = await films(cleanup, one);
      const elsewhere = await at(two, alice);
      expect(await elsewhere.list('list_groups')).toHaveLength(1);
      expect((await elsewhere.view<HelloView>('hello')).trackers).toHaveLength(2);
      expect(await one.digestAt(alice.seenOffset)).toBe(await two.digestAt(alice.seenOffset));
    });

    it('let one of two win the race for a name, 200 times out of 200', async () => {
      const folder = await TrackerFolder.create(cleanup, 2, newLogUrl());
      const [one, two] = [await folder.start(1), await folder.start(2)];
      const [left, right] = [await cleanup.peer(one), await cleanup.peer(two)];
      await left.signUp('left');
      await right.signUp('right');
      for (let race = 0; race < 200; race++) {
        const body = { group: `group ${race}` };
        const replies = await Promise.all([left.command('create_group', body), right.command('create_group', body)]);
        expect(replies.map(verdict).sort(), `race ${race}`).toEqual(['accepted', 'group_exists']);
      }
    });

    it('go on when one is killed, and have the same digest when it is back', async () => {
      const folder = await TrackerFolder.create(cleanup, 2, newLogUrl());
      const [one, two] = [await folder.start(1), await folder.start(2)];
      const { alice } = await films(cleanup, one);
      const elsewhere = await at(two, alice);
      await one.kill();
      const killedAt = performance.now();
      await elsewhere.accepted('upload_file', upload);
      expect(performance.now() - killedAt).toBeLessThan(2_000);
      const back = await folder.start(1);
      const end = elsewhere.seenOffset;
      expect(await back.digestAt(end)).toBe(await two.digestAt(end));
      expect((await back.status()).root).toBe((await two.status()).root);
    });

    it('are joined by a third one on an empty disk', async () => {
      const folder = await TrackerFolder.create(cleanup, 3, newLogUrl());
      const [one, two] = [await folder.start(1), await folder.start(2)];
      const { alice } = await films(cleanup, one);
      const three = await folder.start(3);
      expect(await three.digestAt(alice.seenOffset)).toBe(await two.digestAt(alice.seenOffset));
      const elsewhere = await at(three, alice);
      await elsewhere.accepted('create_group', { group: 'more' });
      expect((await elsewhere.view<HelloView>('hello')).trackers).toHaveLength(3);
    });

    it('have everything again when their folders are wiped and the log is kept', async () => {
      const folder = await TrackerFolder.create(cleanup, 2, newLogUrl());
      const [one, two] = [await folder.start(1), await folder.start(2)];
      const { alice } = await films(cleanup, one);
      const before = await one.digestAt(alice.seenOffset);
      await one.kill();
      await two.stop('SIGTERM');
      for (const n of [1, 2]) await rm(folder.dataDirectory(n), { recursive: true });
      const again = await folder.start(1);
      const elsewhere = await at(again, alice);
      expect(await elsewhere.list('list_members', { group: 'films' })).toHaveLength(2);
      expect(await again.digestAt(alice.seenOffset)).toBe(before);
    });
  });
}
