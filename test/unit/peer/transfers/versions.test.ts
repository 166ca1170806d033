// What becomes of the transfers of a peer when a file gets its next version.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { versionsOf } from '#domain/share-versions';
import type { UploadFileBody } from '#wire/control-requests';
import { newFolder, randomBytes, sourceOf } from '../swarm/engine-harness.ts';
import {
  begun,
  download,
  downloadWhole,
  GROUP,
  kept,
  newFile,
  recordOf,
  send,
  shareNew,
  startAgain,
  startGroup,
  stampOf,
  stop,
  type TransferPeer,
  until,
  untilState,
} from './transfers-harness.ts';

const FILE = 'film';
type Started = Awaited<ReturnType<typeof shareNew>>;

function upload(peer: TransferPeer, body: Partial<UploadFileBody> & { readonly path: string }) {
  return peer.transfers.upload({ group: GROUP, name: FILE, ...body }, stampOf(peer.link));
}

/** Recorded seeders by version, the newest first. */
function seeders({ trackers }: TransferPeer): [number, string[]][] {
  const versions = versionsOf(trackers.log.state.groups.get(GROUP)!, FILE);
  return versions.map(({ version, seeders: peers }) => [version, [...peers.values()].sort()]);
}

/** Publishes the next version from a path of its own, and is online with it. */
async function update(peer: TransferPeer, name = 'next'): Promise<string> {
  const path = newFile(peer, name);
  await begun(upload(peer, { path, update: true }));
  peer.trackers.isOnline(sourceOf(peer));
  return path;
}

it('another content is refused without update, and published as the next version with it', async () => {
  const [alice] = await startGroup('alice');
  await shareNew(alice);
  const path = newFile(alice, 'next');
  expect(await upload(alice, { path })).toMatchObject({ status: 'rejected', reason: 'file_exists' });
  const { transferId } = await begun(upload(alice, { path, update: true }));
  expect(alice.transfers.find(transferId)).toMatchObject({ state: 'seeding', version: 2 });
  expect(seeders(alice)).toEqual([
    [2, ['alice']],
    [1, ['alice']],
  ]);
});

it('update of a name that is free begins it', async () => {
  const [alice] = await startGroup('alice');
  const { transferId } = await begun(upload(alice, { path: newFile(alice, FILE), update: true }));
  expect(alice.transfers.find(transferId)).toMatchObject({ state: 'seeding', version: 1 });
});

it('who may not publish it is told, and so is who was overtaken', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  await shareNew(alice);
  const path = newFile(bob, 'of-bob');
  expect(await upload(bob, { path, update: true })).toMatchObject({ status: 'rejected', reason: 'not_share_owner' });
  const digest = alice.engine.digest.bind(alice.engine);
  let isFirst = true;
  alice.engine.digest = async (request) => {
    const digested = await digest(request);
    // While she hashes, another version comes.
    if (isFirst) {
      isFirst = false;
      await update(alice, 'other');
    }
    return digested;
  };
  const late = await upload(alice, { path: newFile(alice, 'late'), update: true });
  expect(late).toMatchObject({ status: 'rejected', reason: 'version_changed' });
});

it('a download takes the newest, or the version that is named, and each is recorded as what it is', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  const { path: first } = await shareNew(alice);
  const second = await update(alice);
  const newest = await downloadWhole(bob);
  expect(readFileSync(newest.path)).toEqual(readFileSync(second));
  expect(newest).toMatchObject({ version: 2 });
  const destination = join(newFolder(), 'older');
  const older = await downloadWhole(bob, { destination, version: 1 });
  expect(readFileSync(older.path)).toEqual(readFileSync(first));
  expect(seeders(bob)).toEqual([
    [2, ['alice', 'bob']],
    [1, ['alice', 'bob']],
  ]);
  const gone = await bob.transfers.download(
    { group: GROUP, file: FILE, destination: newFolder(), version: 9 },
    stampOf(bob.link),
  );
  expect(gone).toMatchObject({ status: 'rejected', reason: 'version_not_found' });
});

it('a download goes on with its version when the next one comes', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  const { path: first } = await shareNew(alice);
  alice.trackers.sources.clear();
  const { transferId } = await begun(
    bob.transfers.download({ group: GROUP, file: FILE, destination: bob.folder }, stampOf(bob.link)),
  );
  await untilState(bob, transferId, 'stalled');
  await update(alice);
  bob.link.tell({ type: 'sources_changed', shareId: recordOf(bob, transferId).share!.shareId });
  const done = await untilState(bob, transferId, 'complete');
  expect(readFileSync(done.path)).toEqual(readFileSync(first));
  expect(done).toMatchObject({ version: 1 });
  await bob.transfers.end(transferId, 60_000);
  expect(seeders(bob)).toEqual([
    [2, ['alice']],
    [1, ['alice', 'bob']],
  ]);
});

it('a download whose version gives way to the next one is told of that, and not of a removal', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  const { path } = await shareNew(alice);
  alice.trackers.sources.clear();
  const { transferId } = await begun(download(bob));
  await untilState(bob, transferId, 'stalled');
  const { groupId, shareId } = recordOf(bob, transferId).share!;
  newFile(alice, FILE);
  await begun(upload(alice, { path, update: true }));
  await until(alice, alice.transfers.list().at(-1)!.transferId, () => seeders(alice).length === 1);
  bob.link.tell({ type: 'revoked', offset: 1_000_000, groupId, shareId, user: null, peerId: null });
  const { reason } = await untilState(bob, transferId, 'failed');
  expect(reason).toMatchObject({
    code: 'source_missing',
    detail: expect.stringContaining('a newer one took its place'),
  });
  expect(reason?.action).toContain('Download the file again');
});

it('the next version in the place of one ends that one, and nothing is left of it', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  const { path } = await shareNew(alice);
  const before = await downloadWhole(bob);
  newFile(alice, FILE);
  await begun(upload(alice, { path, update: true }));
  // Of the first version only bob has a copy now.
  const isEnded = (): boolean => kept(alice).manifests.length === 1;
  await until(alice, alice.transfers.list().at(-1)!.transferId, isEnded);
  expect(alice.transfers.list()).toMatchObject([{ version: 2, state: 'seeding' }]);
  expect(seeders(alice)).toEqual([
    [2, ['alice']],
    [1, ['bob']],
  ]);
  const after = await downloadWhole(bob, { overwrite: true });
  expect(after.path).toBe(before.path);
  expect(readFileSync(after.path)).toEqual(readFileSync(path));
  await until(bob, after.transferId, () => kept(bob).manifests.length === 1);
  expect(bob.transfers.list()).toHaveLength(1);
  expect(seeders(bob)).toEqual([[2, ['alice', 'bob']]]);
});

it('a next version that is still to come outlives a restart of the peer, which serves the one that is there', async () => {
  const [alice, bob, carol] = await startGroup('alice', 'bob', 'carol');
  await shareNew(alice);
  const before = await downloadWhole(bob);
  const path = await update(alice);
  alice.trackers.sources.clear();
  const { transferId } = await begun(download(bob, { overwrite: true }));
  await untilState(bob, transferId, 'stalled');
  await stop(bob);
  const again = await startAgain(bob);
  again.trackers.isOnline(sourceOf(again));
  // Bob's copy of the first version is served, because carol has it from nobody else.
  await downloadWhole(carol, { version: 1 });
  expect(again.transfers.list().map(({ version, state }) => [version, state])).toEqual([
    [1, 'complete'],
    [2, 'stalled'],
  ]);
  again.trackers.isOnline(sourceOf(alice));
  again.link.tell({ type: 'sources_changed', shareId: recordOf(again, transferId).share!.shareId });
  await untilState(again, transferId, 'complete');
  expect(readFileSync(before.path)).toEqual(readFileSync(path));
  // No event tells that the disk has followed.
  await expect.poll(() => kept(again).records).toHaveLength(1);
  expect(again.transfers.list()).toMatchObject([{ transferId, version: 2 }]);
});

it('a next version that does not come leaves the one that is there as it is', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  const { path } = await shareNew(alice);
  const before = await downloadWhole(bob);
  await update(alice);
  alice.trackers.sources.clear();
  const { transferId } = await begun(
    bob.transfers.download({ group: GROUP, file: FILE, destination: bob.folder, overwrite: true }, stampOf(bob.link)),
  );
  await untilState(bob, transferId, 'stalled');
  await bob.transfers.cancel(transferId);
  expect(readFileSync(before.path)).toEqual(readFileSync(path));
  expect(bob.transfers.find(before.transferId)).toMatchObject({ state: 'complete', reason: null });
  expect(seeders(bob)).toEqual([
    [2, ['alice']],
    [1, ['alice', 'bob']],
  ]);
});

it('a stop of one version leaves the others, and a stop without one ends all', async () => {
  const [alice] = await startGroup('alice');
  const first = await shareNew(alice);
  await update(alice);
  const stopShare = (version?: number) =>
    alice.transfers.stopShare(
      { group: GROUP, file: FILE, ...(version !== undefined && { version }) },
      stampOf(alice.link),
    );
  expect(await stopShare(1)).toMatchObject({ status: 'accepted' });
  expect(alice.transfers.find(first.transferId)).toMatchObject({ state: 'complete' });
  expect(seeders(alice)).toEqual([[2, ['alice']]]);
  await update(alice, 'third');
  expect(await stopShare()).toMatchObject({ status: 'accepted' });
  expect(alice.transfers.list().map(({ state }) => state)).toEqual(['complete', 'complete', 'complete']);
  expect(seeders(alice)).toEqual([]);
});

it.each<[string, (alice: TransferPeer, first: Started) => Promise<unknown>]>([
  [
    'is replaced in its place',
    async (alice, { path }) => {
      newFile(alice, FILE);
      await begun(upload(alice, { path, update: true }));
      await until(alice, alice.transfers.list().at(-1)!.transferId, () => kept(alice).records.length === 1);
    },
  ],
  [
    'is removed',
    async (alice, { transferId }) => {
      await update(alice);
      await alice.transfers.remove(transferId, 'keep');
    },
  ],
])('a copy that was shared before there were versions ends as the first when it %s', async (_how, end) => {
  const [alice] = await startGroup('alice');
  const { log } = alice.trackers;
  log.state.rulesVersion = 2;
  const first = await shareNew(alice);
  expect(recordOf(alice, first.transferId).share).not.toHaveProperty('version');
  log.asTracker('activate_rules', { rulesVersion: 3 });
  await end(alice, first);
  expect(alice.transfers.list()).toMatchObject([{ version: 2, state: 'seeding' }]);
  expect(seeders(alice)).toEqual([[2, ['alice']]]);
});

it('a copy of an older version can be adopted as that version', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  const { path } = await shareNew(alice);
  await update(alice);
  mkdirSync(join(bob.folder, 'copies'));
  const copy = newFile(bob, 'copies/film', readFileSync(path));
  const seed = { group: GROUP, file: FILE, path: copy };
  expect(await bob.transfers.seed(seed, stampOf(bob.link))).toMatchObject({
    status: 'failed',
    code: 'invalid_request',
  });
  await begun(bob.transfers.seed({ ...seed, version: 1 }, stampOf(bob.link)));
  expect(seeders(bob).at(-1)).toEqual([1, ['alice', 'bob']]);
});

it('before version 3 of the rules update is refused before anything is hashed', async () => {
  const [alice] = await startGroup('alice');
  await shareNew(alice);
  alice.trackers.log.state.rulesVersion = 2;
  const refused = await upload(alice, { path: newFile(alice, 'next'), update: true });
  expect(refused).toMatchObject({ status: 'failed', errors: [{ field: 'update' }] });
  expect(await send(alice.link, 'set_copies', { group: GROUP, copies: 1 })).toMatchObject({ status: 'rejected' });
});

it('a folder that is downloaded once more to its own place is no folder to put the next version into', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  const album = join(alice.folder, 'album');
  mkdirSync(album);
  for (const name of ['a', 'b']) writeFileSync(join(album, name), randomBytes(300_000));
  await begun(upload(alice, { path: album, name: 'album', wait: true }));
  alice.trackers.isOnline(sourceOf(alice));
  const destination = join(bob.folder, 'copy');
  const first = await downloadWhole(bob, { file: 'album', destination });
  expect(first.path).toBe(destination);
  const again = await download(bob, { file: 'album', destination });
  expect(again).toMatchObject({ code: 'destination_exists', errors: [{ field: 'destination' }] });
  expect(JSON.stringify(again)).toContain(`is this copy already: name another destination for another one`);
  writeFileSync(join(album, 'a'), 'of alice');
  await begun(upload(alice, { path: album, name: 'album', update: true, wait: true }));
  writeFileSync(join(destination, 'b'), 'of bob');
  const refused = await download(bob, { file: 'album', destination });
  expect(JSON.stringify(refused)).toContain(
    'is version 1 of album: say overwrite to put version 2 in its place, which fetches what differs and keeps no changes',
  );
  expect([readdirSync(destination).sort(), readFileSync(join(destination, 'b'), 'utf8')]).toEqual([
    ['a', 'b'],
    'of bob',
  ]);
  const second = await downloadWhole(bob, { file: 'album', destination, overwrite: true });
  expect(second).toMatchObject({ path: destination, version: 2 });
  expect(readFileSync(join(destination, 'a'), 'utf8')).toBe('of alice');
  expect(bob.transfers.list().map(({ transferId }) => transferId)).toEqual([second.transferId]);
  // What is no copy of it is a folder like any other.
  const inner = join(bob.folder, 'inner');
  mkdirSync(inner);
  expect((await downloadWhole(bob, { file: 'album', destination: inner })).path).toBe(join(inner, 'album'));
});

it('some files of a folder are more of it where they are already', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  const album = join(alice.folder, 'album');
  mkdirSync(album);
  for (const name of ['a', 'b']) writeFileSync(join(album, name), randomBytes(300_000));
  await begun(upload(alice, { path: album, name: 'album', wait: true }));
  alice.trackers.isOnline(sourceOf(alice));
  const destination = join(bob.folder, 'copy');
  const body = { group: GROUP, file: 'album', destination, only: ['a'] };
  const { transferId } = await begun(bob.transfers.download(body, stampOf(bob.link)));
  await untilState(bob, transferId, 'complete');
  const refused = await bob.transfers.download({ ...body, only: ['b'] }, stampOf(bob.link));
  expect(JSON.stringify(refused)).toContain(`has files of it already: prioritize ${transferId} takes more of them`);
  expect(readdirSync(destination)).toEqual(['a']);
});
