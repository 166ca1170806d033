import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { randomBytes, sourceOf } from '../swarm/engine-harness.ts';
import { startFakeSeeder } from '../swarm/fake-seeder.ts';
import {
  begun,
  download,
  downloadWhole,
  GROUP,
  HeldCalls,
  kept,
  newFile,
  onDisk,
  send,
  shareNew,
  stampOf,
  startGroup,
  type TransferPeer,
  until,
  untilState,
} from './transfers-harness.ts';

const NOTHING = { file: false, part: false, journal: false };

/** A download whose only source never sends a piece: its part and journal are there, and stay unfinished. */
async function unfinished(peer: TransferPeer, sharer: TransferPeer, options: Parameters<typeof download>[1] = {}) {
  const { path } = await shareNew(sharer);
  const digested = await sharer.engine.digest({ path, hash: 'sha1' });
  const asked = Promise.withResolvers<void>();
  peer.trackers.sources.clear();
  peer.trackers.isOnline(await startFakeSeeder('mallory', { digested, answer: () => asked.resolve() }));
  const { transferId } = await begun(download(peer, options));
  await asked.promise;
  return { transferId, destination: peer.transfers.find(transferId)!.path };
}

describe('a cancelled download', () => {
  it('keeps what came, and goes on from there when told to', async () => {
    const [alice, bob] = await startGroup('alice', 'bob');
    const { transferId, destination } = await unfinished(bob, alice);
    expect(await bob.transfers.cancel(transferId)).toMatchObject({ state: 'cancelled', reason: null });
    expect(onDisk(destination)).toEqual({ file: false, part: true, journal: true });
    bob.trackers.isOnline(sourceOf(alice));
    await bob.transfers.resume(transferId);
    await untilState(bob, transferId, 'complete');
    expect(onDisk(destination)).toEqual({ file: true, part: false, journal: false });
  });

  it('ends waiting for it', async () => {
    const [alice, bob] = await startGroup('alice', 'bob');
    const { transferId } = await unfinished(bob, alice);
    const end = bob.transfers.end(transferId, 60_000);
    await bob.transfers.cancel(transferId);
    expect(await end).toMatchObject({ state: 'failed' });
  });

  it('is not begun by an answer of the trackers that comes too late', async () => {
    const [alice, bob] = await startGroup('alice', 'bob');
    await shareNew(alice);
    const checking = new HeldCalls(bob.engine, 'checkDestination');
    const beginning = download(bob);
    await checking.called;
    const { promise, resolve } = Promise.withResolvers<void>();
    bob.link.held = promise;
    checking.release();
    const { transferId } = await begun(beginning);
    await bob.transfers.cancel(transferId);
    const again = bob.transfers.resume(transferId);
    await bob.transfers.pause(transferId);
    resolve();
    await again;
    await bob.transfers.remove(transferId, 'delete');
    expect(onDisk(join(bob.folder, 'film'))).toEqual(NOTHING);
  });
});

describe('DELETE', () => {
  it('of an unfinished download leaves what came, or nothing', async () => {
    const [alice, bob] = await startGroup('alice', 'bob');
    const first = await unfinished(bob, alice);
    expect(await bob.transfers.remove(first.transferId, 'keep')).toBeNull();
    expect(onDisk(first.destination)).toEqual({ file: false, part: true, journal: true });
    const { transferId } = await begun(download(bob));
    expect(await bob.transfers.remove(transferId, 'delete')).toBeNull();
    expect(onDisk(first.destination)).toEqual(NOTHING);
    expect(bob.transfers.list()).toEqual([]);
    expect(kept(bob)).toEqual({ records: [], manifests: [] });
  });

  it('of a download that was cancelled, paused or logged out leaves nothing either', async () => {
    const [alice, bob] = await startGroup('alice', 'bob');
    const { transferId, destination } = await unfinished(bob, alice);
    bob.link.logOut();
    expect(await bob.transfers.remove(transferId, 'delete')).toBeNull();
    expect(onDisk(destination)).toEqual(NOTHING);
  });

  it('at any moment of a download leaves nothing', async () => {
    const [alice, bob] = await startGroup('alice', 'bob');
    await shareNew(alice);
    const destination = join(bob.folder, 'film');
    for (let turns = 0; turns < 60; turns += 3) {
      const { transferId } = await begun(download(bob));
      for (let turn = 0; turn < turns; turn++) await nextTurn();
      await bob.transfers.remove(transferId, 'delete');
      expect(onDisk(destination)).toEqual(NOTHING);
    }
    expect(kept(bob)).toEqual({ records: [], manifests: [] });
  });

  it('at any moment of a download that goes on with what is there leaves nothing', async () => {
    const [alice, bob] = await startGroup('alice', 'bob');
    const first = await unfinished(bob, alice);
    await bob.transfers.remove(first.transferId, 'keep');
    const ends = ['.part', '.part.journal'] as const;
    const left = ends.map((end) => readFileSync(first.destination + end));
    for (let turns = 0; turns < 20; turns++) {
      ends.forEach((end, number) => writeFileSync(first.destination + end, left[number]!));
      const { transferId } = await begun(download(bob));
      for (let turn = 0; turn < turns; turn++) await nextTurn();
      await bob.transfers.remove(transferId, 'delete');
      // Whatever the workers were still to do comes before this.
      await bob.engine.digest({ path: bob.folder, hash: 'sha1' });
      expect(onDisk(first.destination)).toEqual(NOTHING);
    }
  });

  it('of a finished download leaves the file, or nothing, and takes this peer out of the seeders', async () => {
    const [alice, bob] = await startGroup('alice', 'bob');
    const { path: shared } = await shareNew(alice);
    const first = await downloadWhole(bob);
    await bob.transfers.remove(first.transferId, 'keep');
    expect(readFileSync(first.path).equals(readFileSync(shared))).toBe(true);
    const second = await downloadWhole(bob, { overwrite: true });
    await bob.transfers.remove(second.transferId, 'delete');
    expect(onDisk(second.path)).toEqual(NOTHING);
    expect(bob.link.sent.filter(({ name }) => name === 'stop_share')).toHaveLength(2);
    const share = bob.trackers.log.state.groups.get(GROUP)?.shares.get('film');
    expect([...share!.seeders.values()]).toEqual(['alice']);
  });

  it('of a download that was to replace a file leaves that file', async () => {
    const [alice, bob] = await startGroup('alice', 'bob');
    const mine = newFile(bob, 'film', Buffer.from('mine'));
    const { transferId, destination } = await unfinished(bob, alice, { overwrite: true });
    await bob.transfers.cancel(transferId);
    await bob.transfers.remove(transferId, 'delete');
    expect(destination).toBe(mine);
    expect(readFileSync(mine, 'utf8')).toBe('mine');
    expect(onDisk(mine)).toEqual({ file: true, part: false, journal: false });
  });

  it('of a download whose file another one has replaced leaves the other file', async () => {
    const [alice, bob] = await startGroup('alice', 'bob');
    await shareNew(alice);
    const first = await downloadWhole(bob);
    const second = await downloadWhole(bob, { overwrite: true });
    await bob.transfers.remove(first.transferId, 'delete');
    expect(existsSync(second.path)).toBe(true);
    await bob.transfers.remove(second.transferId, 'delete');
    expect(existsSync(second.path)).toBe(false);
  });

  it('of an old download leaves what a new one is writing', async () => {
    const [alice, bob] = await startGroup('alice', 'bob');
    const first = await unfinished(bob, alice);
    await bob.transfers.cancel(first.transferId);
    const second = await begun(download(bob));
    await until(bob, second.transferId, ({ state }) => state === 'downloading');
    await bob.transfers.remove(first.transferId, 'delete');
    expect(onDisk(first.destination)).toEqual({ file: false, part: true, journal: true });
  });

  it('of what cannot be removed says so and keeps the transfer, which can still be forgotten', async () => {
    const [alice, bob] = await startGroup('alice', 'bob');
    await shareNew(alice);
    const folder = join(bob.folder, 'inner');
    mkdirSync(folder);
    const { transferId } = await downloadWhole(bob, { destination: folder });
    renameSync(folder, `${folder} elsewhere`);
    writeFileSync(folder, 'no folder');
    expect(await bob.transfers.remove(transferId, 'delete')).toMatchObject({ code: 'transfer_failed' });
    expect(bob.transfers.find(transferId)).toMatchObject({ state: 'complete' });
    expect(await bob.transfers.remove(transferId, 'keep')).toBeNull();
  });

  it('of an upload leaves the file, and refuses to delete it', async () => {
    const [alice] = await startGroup('alice');
    const { transferId, path } = await shareNew(alice);
    expect(await alice.transfers.remove(transferId, 'delete')).toMatchObject({ code: 'invalid_request' });
    expect(await alice.transfers.remove(transferId, 'keep')).toBeNull();
    expect(existsSync(path)).toBe(true);
    expect(kept(alice)).toEqual({ records: [], manifests: [] });
    expect(alice.trackers.log.state.groups.get(GROUP)?.shares.size).toBe(0);
  });

  it('of a share that is paused takes this peer out of the seeders, and leaves a paused copy paused', async () => {
    const [alice, bob] = await startGroup('alice', 'bob');
    const { path } = await shareNew(alice);
    const first = await downloadWhole(bob);
    const copy = { group: GROUP, file: 'film', path: first.path };
    const { transferId } = await begun(bob.transfers.seed(copy, stampOf(bob.link)));
    await bob.transfers.pause(transferId);
    const seeders = (): string[] => [...bob.trackers.log.state.groups.get(GROUP)!.shares.get('film')!.seeders.values()];
    await bob.transfers.remove(first.transferId, 'keep');
    expect(bob.transfers.find(transferId)).toMatchObject({ state: 'paused' });
    expect(seeders()).toEqual(['alice', 'bob']);
    await bob.transfers.remove(transferId, 'keep');
    expect(seeders()).toEqual(['alice']);
    expect(readFileSync(first.path).equals(readFileSync(path))).toBe(true);
  });

  it('of an unknown transfer is transfer_not_found', async () => {
    const [alice] = await startGroup('alice');
    expect(await alice.transfers.remove('nothing', 'keep')).toMatchObject({ code: 'transfer_not_found' });
  });

  it('keeps the manifest that an upload of the same content still waits with', async () => {
    const [alice] = await startGroup('alice');
    await send(alice.link, 'create_group', { group: 'others' });
    const bytes = randomBytes(100_000);
    const { transferId } = await begun(
      alice.transfers.upload({ group: GROUP, path: newFile(alice, 'film', bytes) }, stampOf(alice.link)),
    );
    await alice.transfers.stopShare({ group: GROUP, file: 'film' }, stampOf(alice.link));
    const { promise, resolve } = Promise.withResolvers<void>();
    const stamp = stampOf(alice.link);
    const hashing = new HeldCalls(alice.engine, 'digest');
    const copy = alice.transfers.upload({ group: 'others', path: newFile(alice, 'copy', bytes) }, stamp);
    await hashing.called;
    alice.link.held = promise;
    hashing.release();
    while (!alice.link.sent.some(({ commandId }) => commandId === stamp.commandId)) await nextTurn();
    await alice.transfers.remove(transferId, 'keep');
    resolve();
    const started = await begun(copy);
    expect(await alice.transfers.end(started.transferId, 60_000)).toMatchObject({ state: 'complete' });
  });
});

describe('a cancelled share', () => {
  it('does not come to be served by a copy that was being read', async () => {
    const [alice] = await startGroup('alice');
    const { transferId } = await shareNew(alice);
    await alice.transfers.pause(transferId);
    const serving = new HeldCalls(alice.engine, 'serve');
    await alice.transfers.resume(transferId);
    await serving.called;
    await alice.transfers.cancel(transferId);
    serving.release();
    await alice.transfers.resume(transferId);
    await untilState(alice, transferId, 'seeding');
    await alice.transfers.cancel(transferId);
    expect(alice.transfers.find(transferId)).toMatchObject({ state: 'cancelled' });
  });

  it('that was being hashed leaves nothing to wait for', async () => {
    const [alice] = await startGroup('alice');
    const path = newFile(alice, 'film');
    const hashing = new HeldCalls(alice.engine, 'digest');
    const answer = alice.transfers.upload({ group: GROUP, path }, stampOf(alice.link));
    await hashing.called;
    const [{ transferId } = { transferId: '' }] = alice.transfers.list();
    await alice.transfers.cancel(transferId);
    hashing.release();
    expect(await answer).toMatchObject({ status: 'failed', code: 'transfer_failed' });
    expect(alice.transfers.list()).toEqual([]);
  });

  it('that the log refuses leaves no transfer and no manifest', async () => {
    const [alice, bob] = await startGroup('alice', 'bob');
    await shareNew(alice);
    const path = newFile(bob, 'film');
    const answer = await bob.transfers.upload({ group: GROUP, path }, stampOf(bob.link));
    expect(answer).toMatchObject({ status: 'rejected', reason: 'file_exists' });
    expect(bob.transfers.list()).toEqual([]);
    expect(kept(bob)).toEqual({ records: [], manifests: [] });
  });
});

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
