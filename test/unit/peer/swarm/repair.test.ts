import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { encodeManifest } from '#wire/manifest-codec';
import type { Digested, Download, TransferEngine } from '../../../../apps/peer/src/swarm/transfer-engine.ts';
import {
  grantFor,
  newFile,
  randomBytes,
  requestFor,
  sha1,
  shareFile,
  sourceOf,
  startPeer,
  startThree,
  type TestPeer,
  until,
} from './engine-harness.ts';
import { blockFrame, startFakeSeeder } from './fake-seeder.ts';

const PIECE_BYTES = 65_536;

/** A seeder, and a peer with a copy of its own at `path`. */
async function pairWithCopies(
  bytes: Buffer,
): Promise<{ alice: TestPeer; bob: TestPeer; path: string; digested: Digested }> {
  const [alice, bob] = await Promise.all([startPeer('alice'), startPeer('bob', { workers: 2 })]);
  const [source, path] = [newFile(alice, bytes), newFile(bob, bytes)];
  return { alice, bob, path, digested: await shareFile(alice, source, PIECE_BYTES) };
}

/** Spoils one byte of each of these pieces. */
function damage(path: string, ...pieces: readonly number[]): void {
  const bytes = readFileSync(path);
  for (const piece of pieces) bytes[piece * PIECE_BYTES + 1]! ^= 1;
  writeFileSync(path, bytes);
}

const inspect = ({ engine }: { readonly engine: TransferEngine }, path: string, { manifestBytes }: Digested) =>
  engine.inspect({ path, manifestBytes });

async function repair(
  peer: TestPeer,
  {
    path,
    digested,
    from,
    throughLink = false,
  }: { path: string; digested: Digested; from: readonly TestPeer[]; throughLink?: boolean },
): Promise<Download> {
  const found = await inspect(peer, path, digested);
  const repairs = { manifestBytes: digested.manifestBytes, found, throughLink };
  return peer.engine.download({ ...requestFor(peer, digested, { from, destination: path }), repairs });
}

it('what is sound has nothing to repair', async () => {
  const { bob, path, digested } = await pairWithCopies(randomBytes(5 * PIECE_BYTES + 3));
  const found = await inspect(bob, path, digested);
  expect(found).toMatchObject({ complete: true, isThere: true, absentFiles: [], misfitFiles: [], wrongFiles: [] });
  expect(found.sha1Mismatches).toEqual([]);
  const { stamp } = await bob.engine.verify({ path, manifestBytes: digested.manifestBytes });
  expect(found.stamp).toBe(stamp);
});

it('only damaged pieces are fetched, and the copy is whole and served afterwards', async () => {
  const bytes = randomBytes(20 * PIECE_BYTES + 3);
  const { alice, bob, path, digested } = await pairWithCopies(bytes);
  damage(path, 0, 7, 20);
  expect(await inspect(bob, path, digested)).toMatchObject({ complete: false, wrongFiles: [0], sha1Mismatches: [] });
  const download = await repair(bob, { path, digested, from: [alice] });
  const end = await download.done;
  expect(end).toMatchObject({ state: 'complete', reason: null });
  expect(sha1(readFileSync(path))).toBe(sha1(bytes));
  expect(download.view().peers[0]?.deliveredBytes).toBe(2 * PIECE_BYTES + 3);
  expect(readdirSync(bob.folder).sort()).toEqual(['film', 'identity']);
  expect((await inspect(bob, path, digested)).stamp).toBe(end.stamp);
  const carol = await startPeer('carol');
  const copy = carol.engine.download(requestFor(carol, digested, { from: [bob] }));
  expect(await copy.done).toMatchObject({ state: 'complete' });
});

it.each([
  ['cut off', (path: string) => truncateSync(path, 2 * PIECE_BYTES + 9), 4],
  ['longer than it was', (path: string) => writeFileSync(path, 'more', { flag: 'a' }), 0],
  ['empty', (path: string) => truncateSync(path, 0), 6],
])('a file that is %s gets its length and its bytes back', async (_what, spoil, pieceCount) => {
  const bytes = randomBytes(6 * PIECE_BYTES);
  const { alice, bob, path, digested } = await pairWithCopies(bytes);
  spoil(path);
  expect(await inspect(bob, path, digested)).toMatchObject({ misfitFiles: [''], complete: false });
  const download = await repair(bob, { path, digested, from: pieceCount === 0 ? [] : [alice] });
  expect(await download.done).toMatchObject({ state: 'complete' });
  expect(sha1(readFileSync(path))).toBe(sha1(bytes));
});

it('a folder gets back the files that are missing, and only those are touched', async () => {
  const [alice, bob] = await Promise.all([startPeer('alice'), startPeer('bob')]);
  const files = {
    'a/one': randomBytes(100_000),
    'a/two': randomBytes(300_001),
    empty: Buffer.alloc(0),
    z: randomBytes(7),
  };
  for (const { folder } of [alice, bob]) {
    mkdirSync(join(folder, 'album', 'a'), { recursive: true });
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, 'album', name), bytes);
  }
  const digested = await shareFile(alice, join(alice.folder, 'album'), 16_384);
  const path = join(bob.folder, 'album');
  rmSync(join(path, 'a'), { recursive: true });
  rmSync(join(path, 'empty'));
  const found = await inspect(bob, path, digested);
  expect(found).toMatchObject({ isThere: true, absentFiles: ['a/one', 'a/two', 'empty'] });
  const download = await repair(bob, { path, digested, from: [alice] });
  expect(await download.done).toMatchObject({ state: 'complete' });
  for (const [name, bytes] of Object.entries(files))
    expect(readFileSync(join(path, name)).equals(bytes), name).toBe(true);
  expect(readdirSync(bob.folder).sort()).toEqual(['album', 'identity']);
});

it.each([
  ['a folder', (path: string) => mkdirSync(path), 'is no file'],
  ['a link', (path: string, other: string) => symlinkSync(other, path), 'is a link'],
  ['a link that leads nowhere', (path: string) => symlinkSync(`${path}-gone`, path), 'is a link'],
])('%s in the place of a file is left alone, and nothing is fetched for it', async (_what, put, detail) => {
  const { alice, bob, path, digested } = await pairWithCopies(randomBytes(4 * PIECE_BYTES));
  const other = join(bob.folder, 'other');
  writeFileSync(other, 'mine');
  rmSync(path);
  put(path, other);
  const download = await repair(bob, { path, digested, from: [alice] });
  const { state, reason } = await download.done;
  expect({ state, code: reason?.code }).toEqual({ state: 'failed', code: 'destination_unwritable' });
  expect(reason?.detail).toContain(detail);
  expect(readFileSync(other, 'utf8')).toBe('mine');
  expect(readdirSync(bob.folder).sort()).toEqual(['film', 'identity', 'other']);
});

it('a repair follows the link by which content was shared, and no link inside it', async () => {
  const bytes = randomBytes(2 * PIECE_BYTES);
  const { alice, bob, path, digested } = await pairWithCopies(bytes);
  const link = join(bob.folder, 'link');
  symlinkSync(path, link);
  damage(path, 1);
  const followed = await repair(bob, { path: link, digested, from: [alice], throughLink: true });
  expect(await followed.done).toMatchObject({ state: 'complete' });
  expect(sha1(readFileSync(path))).toBe(sha1(bytes));

  for (const { folder } of [alice, bob]) mkdirSync(join(folder, 'album', 'a'), { recursive: true });
  for (const { folder } of [alice, bob]) writeFileSync(join(folder, 'album', 'a', 'one'), bytes);
  const shared = await shareFile(alice, join(alice.folder, 'album'), PIECE_BYTES);
  const album = join(bob.folder, 'album');
  const elsewhere = join(bob.folder, 'elsewhere');
  mkdirSync(elsewhere);
  writeFileSync(join(elsewhere, 'one'), 'mine');
  rmSync(join(album, 'a'), { recursive: true });
  symlinkSync(elsewhere, join(album, 'a'));
  const refused = await repair(bob, { path: album, digested: shared, from: [alice], throughLink: true });
  expect(await refused.done).toMatchObject({ state: 'failed', reason: { code: 'destination_unwritable' } });
  expect(readFileSync(join(elsewhere, 'one'), 'utf8')).toBe('mine');
});

it('until everything is there nothing of the copy changes, and what was fetched is not fetched again', async () => {
  const bytes = randomBytes(12 * PIECE_BYTES);
  const { alice, bob, path, digested } = await pairWithCopies(bytes);
  damage(path, 1, 2, 3);
  const before = readFileSync(path);
  const lazy = await startFakeSeeder('mallory', {
    digested,
    answer: (request, socket) => {
      const at = request.piece * PIECE_BYTES + request.begin;
      if (request.piece !== 3) socket.write(blockFrame(request, bytes.subarray(at, at + request.length)));
    },
  });
  const plainBob = await startPeer('bob', { plain: true, identity: bob.identity });
  const found = await inspect(plainBob, path, digested);
  const request = requestFor(plainBob, digested, { from: [], destination: path, sources: [lazy] });
  const repairs = { manifestBytes: digested.manifestBytes, found };
  const first = plainBob.engine.download({ ...request, repairs, grant: grantFor(plainBob, digested.contentId) });
  await until(first, ({ verifiedBytes }) => verifiedBytes >= 11 * PIECE_BYTES);
  await first.cancel();
  expect(readFileSync(path).equals(before)).toBe(true);
  const second = await repair(bob, { path, digested, from: [alice] });
  expect(await second.done).toMatchObject({ state: 'complete' });
  expect(second.view().peers[0]?.deliveredBytes).toBe(PIECE_BYTES);
  expect(sha1(readFileSync(path))).toBe(sha1(bytes));
});

it('two damaged copies repair each other', async () => {
  const bytes = randomBytes(10 * PIECE_BYTES);
  const { bob, path, digested } = await pairWithCopies(bytes);
  const carol = await startPeer('carol');
  const other = newFile(carol, bytes);
  damage(path, 1, 2);
  damage(other, 3, 4);
  const first = await repair(bob, { path, digested, from: [carol] });
  const second = await repair(carol, { path: other, digested, from: [bob] });
  expect([await first.done, await second.done]).toMatchObject([{ state: 'complete' }, { state: 'complete' }]);
  for (const copy of [path, other]) expect(sha1(readFileSync(copy))).toBe(sha1(bytes));
});

it('a private repair serves nothing, neither meanwhile nor afterwards', async () => {
  const [alice, bob, carol] = await startThree('alice', 'bob', 'carol');
  const bytes = randomBytes(4 * PIECE_BYTES);
  const [source, path] = [newFile(alice, bytes), newFile(bob, bytes)];
  const digested = await shareFile(alice, source, PIECE_BYTES);
  damage(path, 1);
  const repairs = { manifestBytes: digested.manifestBytes, found: await inspect(bob, path, digested) };
  const request = requestFor(bob, digested, { from: [alice], destination: path });
  await bob.engine.download({ ...request, repairs, isPrivate: true }).done;
  const download = carol.engine.download(requestFor(carol, digested, { from: [], sources: [sourceOf(bob)] }));
  await until(download, ({ state }) => state === 'stalled');
  expect(download.view()).toMatchObject({ verifiedBytes: 0, peers: [{ state: 'refused' }] });
});

it('what is sound of a copy is served while it is repaired, and nothing any more once somebody else has written to it', async () => {
  const bytes = randomBytes(8 * PIECE_BYTES);
  const [alice, bob, carol] = (await Promise.all(
    ['alice', 'bob', 'carol'].map((name) => startPeer(name, { plain: true })),
  )) as [TestPeer, TestPeer, TestPeer];
  const [source, path] = [newFile(alice, bytes), newFile(bob, bytes)];
  const digested = await shareFile(alice, source, PIECE_BYTES);
  damage(path, 3);
  const repairs = { manifestBytes: digested.manifestBytes, found: await inspect(bob, path, digested) };
  const silent = await startFakeSeeder('mallory', { digested, answer: () => undefined });
  const request = requestFor(bob, digested, { from: [], destination: path, sources: [silent] });
  const repairing = bob.engine.download({ ...request, repairs });
  const sound = carol.engine.download(requestFor(carol, digested, { from: [bob] }));
  await until(sound, ({ verifiedBytes }) => verifiedBytes === 7 * PIECE_BYTES);
  await sound.cancel();
  damage(path, 5);
  const destination = join(carol.folder, 'later');
  const spoilt = carol.engine.download(requestFor(carol, digested, { from: [bob], destination }));
  await until(spoilt, ({ peers }) => peers[0]?.state === 'refused');
  expect(spoilt.view()).toMatchObject({ verifiedBytes: 0, peers: [{ corruptPieces: 0 }] });
  await repairing.cancel();
});

it("a copy that was changed meanwhile, and another download's part, are left alone", async () => {
  const { alice, bob, path, digested } = await pairWithCopies(randomBytes(4 * PIECE_BYTES));
  damage(path, 1);
  const found = await inspect(bob, path, digested);
  writeFileSync(path, 'mine');
  const repairs = { manifestBytes: digested.manifestBytes, found };
  const request = { ...requestFor(bob, digested, { from: [alice], destination: path }), repairs };
  expect(await bob.engine.download(request).done).toMatchObject({
    state: 'failed',
    reason: { code: 'source_changed' },
  });
  expect(readFileSync(path, 'utf8')).toBe('mine');
  const journal = readFileSync(`${path}.part.journal`);
  journal[20]! ^= 1;
  writeFileSync(`${path}.part.journal`, journal);
  const blocked = await repair(bob, { path, digested, from: [alice] });
  expect(await blocked.done).toMatchObject({ state: 'failed', reason: { code: 'destination_unwritable' } });
  expect(readdirSync(bob.folder).sort()).toEqual(['film', 'film.part', 'film.part.journal', 'identity']);
});

it('what an interrupted repair left is dropped, and only when it is of this content', async () => {
  const { alice, bob, path, digested } = await pairWithCopies(randomBytes(4 * PIECE_BYTES));
  damage(path, 1);
  const found = await inspect(bob, path, digested);
  writeFileSync(path, 'mine');
  const repairs = { manifestBytes: digested.manifestBytes, found };
  await bob.engine.download({ ...requestFor(bob, digested, { from: [alice], destination: path }), repairs }).done;
  await bob.engine.dropRepair({ destination: path, contentId: 'ab'.repeat(32) });
  expect(readdirSync(bob.folder)).toContain('film.part');
  await bob.engine.dropRepair({ destination: path, contentId: digested.contentId });
  expect(readdirSync(bob.folder).sort()).toEqual(['film', 'identity']);
});

it('a SHA-1 that is not what the sharer said is named, and the pieces are sound', async () => {
  const alice = await startPeer('alice');
  const path = newFile(alice, randomBytes(100_000));
  const { manifest } = await alice.engine.digest({ path, hash: 'sha1' });
  const lie = encodeManifest({ ...manifest, files: [{ ...manifest.files[0]!, sha1: '0'.repeat(40) }] });
  if (!lie.ok) throw new Error(lie.message);
  const found = await alice.engine.inspect({ path, manifestBytes: lie.bytes });
  expect(found).toMatchObject({ complete: true, sha1Mismatches: [''] });
});
