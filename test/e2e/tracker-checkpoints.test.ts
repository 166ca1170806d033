import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Checkpoint } from '#domain/checkpoint';
import type { Command } from '#domain/command';
import { type Identity, loadOrCreateIdentity } from '#identity/identity';
import type { HelloView, SourcesView } from '#wire/tracker-api';
import { openCommandLog } from '../../apps/tracker/src/command-log/open-command-log.ts';
import { signedCheckpointNote } from '../../apps/tracker/src/replica/checkpoint-signature.ts';
import { Replica } from '../../apps/tracker/src/replica/replica.ts';
import { submitAsTracker } from '../../apps/tracker/src/replica/tracker-registration.ts';
import { MemoryLog } from '../unit/tracker/memory-log.ts';
import { Cleanup, file, films, operatorPage, upload, verdict } from './tracker-harness.ts';
import { cohort, TrackerFolder } from './tracker-processes.ts';

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

const wrong = 'f'.repeat(64);

/** Appends a tracker's command; its offset. */
async function submitted(replica: Replica, identity: Identity, command: Command): Promise<number> {
  const done = await submitAsTracker(replica, { identity, now: Date.now }, { command, sealed: null });
  if (done?.outcome.status !== 'accepted') throw new Error(`${command.name} was not accepted`);
  return done.offset;
}

/** Appends a checkpoint that says something else than its signer has; its offset. */
function falseCheckpoint(replica: Replica, identity: Identity, said: Partial<Checkpoint>): Promise<number> {
  const note = signedCheckpointNote(identity, { ...replica.checkpoint()!, ...said });
  return submitted(replica, identity, { name: 'checkpoint', data: { note } });
}

/** What a tracker that ran on the embedded log of a folder would append while it is away. */
async function asTracker<Done>(
  folder: TrackerFolder,
  n: number,
  act: (replica: Replica, identity: Identity) => Promise<Done>,
): Promise<Done> {
  const log = await openCommandLog({
    url: `sqlite:${join(folder.directory, 'cohort-log.sqlite')}`,
    trackerInfoPath: null,
  });
  const replica = new Replica({ log, now: Date.now, heedsCheckpoints: false });
  await replica.start();
  try {
    return await act(replica, await loadOrCreateIdentity(folder.dataDirectory(n)));
  } finally {
    await replica.stop();
    await log.close();
  }
}

describe('a checkpoint', () => {
  it('of other effects stops commands and grants, not views, until it is resolved', async () => {
    const log = new MemoryLog();
    const [one, other] = [await cleanup.tracker(log), await cleanup.tracker(log)];
    const { alice, bob } = await films(cleanup, one);
    await alice.accepted('upload_file', upload);
    await bob.accepted('download_file', file);
    const grantOf = async () => (await bob.view<SourcesView>('find_sources', file)).grant;
    expect(await grantOf()).not.toBeNull();
    // One that runs finds out that it was wrong, and takes that back.
    await other.stop();
    const offset = await falseCheckpoint(one.replica, other.identity, { digest: wrong });
    await one.replica.waitUntilApplied(offset);
    const ready = await operatorPage(one, '/health/ready');
    expect(ready).toMatchObject({ status: 503, body: expect.stringContaining('checkpoint_disputed') as unknown });
    const status = JSON.parse((await operatorPage(one, '/status')).body) as Record<string, unknown>;
    expect(status).toMatchObject({ ready: false, reason: 'checkpoint_disputed' });
    expect(status['detail']).toContain(`resolve_checkpoint ${offset}`);
    expect(await grantOf()).toBeNull();
    expect(await bob.list('list_groups')).toHaveLength(1);
    expect(await bob.view<HelloView>('hello')).toMatchObject({ ready: true });
    expect(verdict(await alice.command('create_group', { group: 'more' }))).toBe('tracker_unavailable');
    await submitted(one.replica, one.identity, { name: 'resolve_checkpoint', data: { offset, counts: 'log' } });
    expect((await operatorPage(one, '/health/ready')).status).toBe(200);
    expect(await grantOf()).not.toBeNull();
    expect(verdict(await alice.command('create_group', { group: 'more' }))).toBe('accepted');
  });

  it('is left by a tracker that is stopped', async () => {
    const folder = await TrackerFolder.create(cleanup, 2);
    const [one, two] = [await folder.start(1), await folder.start(2)];
    expect((await one.status()).checkpointSize).toBe(0);
    const { code, milliseconds } = await two.stop('SIGTERM');
    expect(code).toBe(0);
    expect(milliseconds).toBeLessThan(2_000);
    await vi.waitFor(async () => expect((await one.status()).checkpointSize).toBe(3));
  });

  it('of other records ends trackers, also those that start, until an operator rules against it', async () => {
    const folder = await TrackerFolder.create(cleanup, 2);
    const [one, two] = [await folder.start(1), await folder.start(2)];
    await two.stop('SIGTERM');
    const offset = await asTracker(folder, 2, (replica, identity) =>
      falseCheckpoint(replica, identity, { root: wrong }),
    );
    const halted = { code: 69, errors: expect.stringContaining(`the checkpoint at offset ${offset}`) as unknown };
    expect(await one.ended()).toMatchObject(halted);
    await expect(folder.start(1)).rejects.toThrow(`the checkpoint at offset ${offset}`);
    const data = ['--data-dir', folder.dataDirectory(1)];
    const ruled = await cohort(['operator', 'resolve_checkpoint', String(offset), ...data]);
    expect(ruled).toMatchObject({ code: 0, out: expect.stringContaining('what the log replays to counts') as unknown });
    const again = await folder.start(1);
    expect(await again.status()).toMatchObject({ ready: true });
  });
});
