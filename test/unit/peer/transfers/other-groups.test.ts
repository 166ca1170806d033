// What this peer has in another group: it is taken from there, and opens no door. Whoever knows a manifest can share it anew, without
// a byte of what it names; who downloads that must not become the one to get it from.
import 'reflect-metadata';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { countBits } from '#domain/bitfield';
import type { SharedContent } from '#domain/outcome';
import type { TransferView } from '#wire/control-api';
import { grantFor, newFolder, randomBytes, sourceOf } from '../swarm/engine-harness.ts';
import {
  begun,
  downloadWhole,
  GROUP,
  newFile,
  recordOf,
  rewriteRecord,
  send,
  stampOf,
  startAgain,
  startGroup,
  stop,
  type TransferPeer,
  until,
} from './transfers-harness.ts';

const SECRETS = 'secrets';
const PIECE = 524_288;
const BYTES = randomBytes(3 * PIECE + 5);

interface Meeting {
  readonly alice: TransferPeer;
  readonly bob: TransferPeer;
  readonly mallory: TransferPeer;
  /** Bob's copy of what alice shared where mallory is no member. */
  readonly own: TransferView;
}

async function share(peer: TransferPeer, path: string, about: { group: string; name?: string }): Promise<void> {
  await begun(peer.transfers.upload({ path, ...about }, stampOf(peer.link)));
  peer.trackers.isOnline(sourceOf(peer));
}

/** All three share a group, and alice and bob another one, in which bob has a file of alice. */
async function met(): Promise<Meeting> {
  const [alice, bob, mallory] = await startGroup('alice', 'bob', 'mallory');
  await send(alice.link, 'create_group', { group: SECRETS });
  await send(bob.link, 'join_group', { group: SECRETS });
  await send(alice.link, 'accept_request', { group: SECRETS, user: 'bob' });
  await share(alice, newFile(alice, 'plan', BYTES), { group: SECRETS });
  const { transferId } = await begun(
    bob.transfers.download({ group: SECRETS, file: 'plan', destination: bob.folder }, stampOf(bob.link)),
  );
  expect(await bob.transfers.end(transferId, 60_000)).toMatchObject({ state: 'complete' });
  bob.trackers.isOnline(sourceOf(bob));
  return { alice, bob, mallory, own: bob.transfers.find(transferId)! };
}

/** Mallory says that she has what she knows the manifest of. */
async function bait({ alice, mallory }: Meeting, file = 'bait'): Promise<SharedContent> {
  const { contentId, totalBytes, pieceBytes, pieceCount, hash } = alice.trackers.log.state.groups
    .get(SECRETS)!
    .shares.get('plan')!;
  const claimed = { group: GROUP, file, contentId, totalBytes, pieceBytes, pieceCount, hash };
  const answer = await send(mallory.link, 'upload_file', claimed);
  if (answer.status !== 'accepted') return expect.fail(JSON.stringify(answer));
  return answer.result.share!;
}

/** What mallory gets of a share from bob. */
async function gotFrom(bob: TransferPeer, { mallory }: Meeting, { groupId, shareId, ...about }: SharedContent) {
  const grant = grantFor(mallory, about.contentId, { groupId, shareId });
  const download = mallory.engine.download({
    ...{ share: { groupId, shareId }, ...about, strategy: 'random', overwrite: false, grant },
    ...{ sources: [sourceOf(bob)], destination: join(newFolder(), 'stolen') },
  });
  await new Promise<void>((resolve) => {
    const look = (): void => {
      if (download.view().peers.some(({ state }) => state === 'connected' || state === 'refused')) resolve();
    };
    download.onChange(look);
    look();
  });
  const { peers, bitfield } = download.view();
  await download.cancel();
  return { states: peers.map(({ state }) => state), pieces: countBits(bitfield) };
}

const NOTHING = { states: ['refused'], pieces: 0 };
const fetchedBytes = ({ peers }: TransferView): number =>
  peers.reduce((sum, { deliveredBytes }) => sum + deliveredBytes, 0);
const seedersOf = ({ trackers }: TransferPeer, file: string): string[] => [
  ...trackers.log.state.groups.get(GROUP)!.shares.get(file)!.seeders.values(),
];

it('the same content comes of the copy in the other group, and whoever shared it here without having it gets nothing', async () => {
  const meeting = await met();
  const { bob } = meeting;
  const stolen = await bait(meeting);
  const taken = await downloadWhole(bob, { file: 'bait', destination: newFolder() });
  expect(readFileSync(taken.path).equals(BYTES)).toBe(true);
  expect(taken).toMatchObject({ state: 'complete', private: true, reusedBytes: BYTES.length, reason: null });
  expect(fetchedBytes(taken)).toBe(0);
  expect(seedersOf(bob, 'bait')).toEqual(['mallory']);
  expect(bob.link.announced).toEqual([]);
  expect(await gotFrom(bob, meeting, stolen)).toEqual(NOTHING);
});

it('what was taken so stays for this disk alone over restarts, and whatever becomes of the download meanwhile', async () => {
  const meeting = await met();
  const stolen = await bait(meeting);
  const { transferId, path } = await downloadWhole(meeting.bob, { file: 'bait', destination: newFolder() });
  await stop(meeting.bob);
  const again = await startAgain(meeting.bob);
  expect(again.transfers.find(transferId)).toMatchObject({ state: 'complete', private: true });
  expect(await gotFrom(again, meeting, stolen)).toEqual(NOTHING);
  // Killed after the content was put in place, and before the record said so.
  await stop(again);
  rewriteRecord(again, transferId, { state: 'downloading', completedAtMs: null, isServed: false, stamp: null });
  const third = await startAgain(again);
  expect(await third.transfers.end(transferId, 60_000)).toMatchObject({ state: 'complete' });
  expect(existsSync(path)).toBe(true);
  expect(third.transfers.find(transferId)).toMatchObject({ private: true });
  expect(await gotFrom(third, meeting, stolen)).toEqual(NOTHING);
});

it('what was taken so is no copy of its group either: a third share of it opens no door', async () => {
  const meeting = await met();
  const { bob, own } = meeting;
  await bait(meeting);
  await downloadWhole(bob, { file: 'bait', destination: newFolder() });
  await bob.transfers.remove(own.transferId, 'delete');
  const stolen = await bait(meeting, 'bait again');
  const taken = await downloadWhole(bob, { file: 'bait again', destination: newFolder() });
  expect(taken).toMatchObject({ private: true, reusedBytes: BYTES.length });
  expect(await gotFrom(bob, meeting, stolen)).toEqual(NOTHING);
});

it('of other content nothing is taken of another group: of a folder that has the file, its pieces are fetched', async () => {
  const { alice, bob } = await met();
  const folder = join(alice.folder, 'folder');
  mkdirSync(folder);
  writeFileSync(join(folder, 'a plan'), BYTES);
  writeFileSync(join(folder, 'other'), randomBytes(100));
  await share(alice, folder, { group: GROUP });
  const fetched = await downloadWhole(bob, { file: 'folder', destination: newFolder() });
  expect(fetched).toMatchObject({ private: false, reusedBytes: 0 });
  expect(seedersOf(bob, 'folder').toSorted()).toEqual(['alice', 'bob']);
});

it('a copy in the other group that is gone is no reason to keep anything from others', async () => {
  const { alice, bob, own } = await met();
  await share(alice, join(alice.folder, 'plan'), { group: GROUP });
  renameSync(own.path, join(newFolder(), 'away'));
  const fetched = await downloadWhole(bob, { file: 'plan', destination: newFolder() });
  expect(fetched).toMatchObject({ private: false, reusedBytes: 0 });
  expect(fetchedBytes(fetched)).toBe(BYTES.length);
  expect(recordOf(bob, fetched.transferId)).not.toHaveProperty('isPrivate');
  expect(seedersOf(bob, 'plan').toSorted()).toEqual(['alice', 'bob']);
});

it('what such a copy lacks is fetched, and nobody is served', async () => {
  const { alice, bob, own } = await met();
  await share(alice, join(alice.folder, 'plan'), { group: GROUP });
  rmSync(own.path);
  writeFileSync(own.path, Buffer.concat([BYTES.subarray(0, PIECE), randomBytes(BYTES.length - PIECE)]));
  const taken = await downloadWhole(bob, { file: 'plan', destination: newFolder() });
  expect(readFileSync(taken.path).equals(BYTES)).toBe(true);
  expect(taken).toMatchObject({ private: true, reusedBytes: PIECE });
  expect(seedersOf(bob, 'plan')).toEqual(['alice']);
});

it('what is fetched for the sake of the group comes from the group', async () => {
  const { alice, bob } = await met();
  await share(alice, join(alice.folder, 'plan'), { group: GROUP });
  const wanted = { group: GROUP, file: 'plan', destination: newFolder() };
  const { transferId } = await begun(bob.transfers.download(wanted, stampOf(bob.link), { forGroup: true }));
  expect(await bob.transfers.end(transferId, 60_000)).toMatchObject({ state: 'complete' });
  expect(bob.transfers.find(transferId)).toMatchObject({ private: false, reusedBytes: 0 });
  expect(seedersOf(bob, 'plan').toSorted()).toEqual(['alice', 'bob']);
});

it('who says so shares it all the same', async () => {
  const meeting = await met();
  const { alice, bob } = meeting;
  await share(alice, join(alice.folder, 'plan'), { group: GROUP });
  const { path } = await downloadWhole(bob, { file: 'plan', destination: newFolder() });
  const { transferId } = await begun(bob.transfers.seed({ group: GROUP, file: 'plan', path }, stampOf(bob.link)));
  await until(bob, transferId, ({ state }) => state === 'seeding');
  expect(seedersOf(bob, 'plan').toSorted()).toEqual(['alice', 'bob']);
});

it('what is read of such a copy is read, and goes as it came', async () => {
  const meeting = await met();
  const { bob } = meeting;
  const stolen = await bait(meeting);
  const named = { group: GROUP, file: 'bait', path: undefined, version: undefined };
  const opened = await bob.transfers.openContent({ ...named, keep: false });
  if ('status' in opened) return expect.fail(JSON.stringify(opened));
  const reader = opened.read({ begin: 0, end: 10 });
  expect(Buffer.from((await reader.next()) as Uint8Array)).toEqual(BYTES.subarray(0, 10));
  expect(await gotFrom(bob, meeting, stolen)).toEqual(NOTHING);
  // Kept, it is as if it had been downloaded.
  const kept = await bob.transfers.openContent({ ...named, keep: true });
  if ('status' in kept) return expect.fail(JSON.stringify(kept));
  const { transferId } = bob.transfers.list().find(({ file }) => file === 'bait')!;
  expect(await bob.transfers.end(transferId, 60_000)).toMatchObject({ state: 'complete' });
  kept.close();
  opened.close();
  expect(seedersOf(bob, 'bait')).toEqual(['mallory']);
  expect(await gotFrom(bob, meeting, stolen)).toEqual(NOTHING);
});
