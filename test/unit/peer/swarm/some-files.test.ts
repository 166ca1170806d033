// Downloads of some files of a share: what is in place and what is not, what others get of it, and how it goes on.
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { countBits, hasBit } from '#domain/bitfield';
import { PRIORITIES } from '#domain/piece-priorities';
import { journalPath } from '../../../../apps/peer/src/storage/content-layout.ts';
import { readJournal } from '../../../../apps/peer/src/storage/part-journal.ts';
import type { Digested } from '../../../../apps/peer/src/swarm/transfer-engine.ts';
import {
  randomBytes,
  requestFor,
  SHARE,
  shareFile,
  sourceOf,
  startPeer,
  startThree,
  type TestPeer,
  until,
} from './engine-harness.ts';

const PIECE_BYTES = 16_384;
const { skip, normal } = PRIORITIES;
/** In the order of the manifest: the second one shares its first piece and its last one with its neighbours. */
const FILES = {
  'a/first': randomBytes(3 * PIECE_BYTES + 100),
  'b/second': randomBytes(2 * PIECE_BYTES),
  'b/third': randomBytes(2 * PIECE_BYTES + 9),
  empty: Buffer.alloc(0),
  last: randomBytes(PIECE_BYTES),
};
const [ALL, SECOND] = [Uint8Array.of(1, 1, 1, 1, 1), Uint8Array.of(0, 1, 0, 0, 0)];
const SECOND_PIECES = [3, 4, 5];

async function shareAlbum(peer: TestPeer): Promise<Digested> {
  const root = join(peer.folder, 'album');
  for (const folder of ['a', 'b']) mkdirSync(join(root, folder), { recursive: true });
  for (const [path, bytes] of Object.entries(FILES)) writeFileSync(join(root, path), bytes);
  const digested = await shareFile(peer, root, PIECE_BYTES);
  expect(digested.manifest.files.map(({ path }) => path)).toEqual(Object.keys(FILES));
  return digested;
}

/** Downloads the files that have a 1 to the end. */
async function fetch(
  peer: TestPeer,
  digested: Digested,
  from: readonly TestPeer[],
  wanted = SECOND,
  overwrite = false,
) {
  const priorities = () => wanted.map((isWanted) => (isWanted === 1 ? normal : skip));
  const download = peer.engine.download(requestFor(peer, digested, { from, priorities, overwrite }));
  const end = await download.done;
  return { download, end };
}

/** Paths of what is in a folder. */
function filesIn(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1));
}

const inPlace = ({ folder }: TestPeer) => join(folder, 'fetched');

async function fetchedSecond() {
  const [alice, bob] = await Promise.all([startPeer('alice'), startPeer('bob')]);
  const digested = await shareAlbum(alice);
  const { download, end } = await fetch(bob, digested, [alice]);
  expect(end).toEqual({ state: 'complete', reason: null, stamp: null });
  return { alice, bob, digested, download };
}

it('only what is wanted is in place, and whole; a piece that it shares with another file is fetched whole', async () => {
  const { bob, download } = await fetchedSecond();
  expect(filesIn(inPlace(bob))).toEqual(['b/second']);
  expect(readFileSync(join(inPlace(bob), 'b/second')).equals(FILES['b/second'])).toBe(true);
  const { bitfield, wantedBytes, verifiedBytes } = download.view();
  expect(SECOND_PIECES.every((piece) => hasBit(bitfield, piece))).toBe(true);
  expect(countBits(bitfield)).toBe(SECOND_PIECES.length);
  expect([wantedBytes, verifiedBytes]).toEqual([FILES['b/second'].length, FILES['b/second'].length]);
});

it('others get what there is of it', async () => {
  const [alice, bob, carol] = await startThree('alice', 'bob', 'carol');
  const digested = await shareAlbum(alice);
  await fetch(bob, digested, [alice]);
  alice.engine.withdraw(SHARE);
  const download = carol.engine.download(requestFor(carol, digested, { from: [bob] }));
  await until(download, ({ state, reason }) => state === 'stalled' && reason?.code === 'pieces_missing');
  expect(countBits(download.view().bitfield)).toBe(SECOND_PIECES.length);
  expect(download.view().peers).toMatchObject([{ user: 'bob', deliveredBytes: SECOND_PIECES.length * PIECE_BYTES }]);
  await shareFile(alice, join(alice.folder, 'album'), PIECE_BYTES);
  download.updateSources([sourceOf(alice), sourceOf(bob)]);
  expect(await download.done).toMatchObject({ state: 'complete' });
});

it('when more is wanted it goes on where it was, and in the end the part is gone', async () => {
  const { alice, bob, digested } = await fetchedSecond();
  const before = statSync(join(inPlace(bob), 'b/second'));
  const some = await fetch(bob, digested, [alice], Uint8Array.of(0, 0, 1, 1, 0));
  expect(some.end).toMatchObject({ state: 'complete', stamp: null });
  expect(filesIn(inPlace(bob)).toSorted()).toEqual(['b/second', 'b/third', 'empty']);
  const { download, end } = await fetch(bob, digested, [alice], ALL);
  expect(end.stamp).not.toBeNull();
  for (const [path, bytes] of Object.entries(FILES)) {
    expect(readFileSync(join(inPlace(bob), path)).equals(bytes), path).toBe(true);
  }
  expect(statSync(join(inPlace(bob), 'b/second'))).toMatchObject({ ino: before.ino, mtimeMs: before.mtimeMs });
  expect([existsSync(`${inPlace(bob)}.part`), existsSync(`${inPlace(bob)}.part.journal`)]).toEqual([false, false]);
  const delivered = download.view().peers.reduce((sum, { deliveredBytes }) => sum + deliveredBytes, 0);
  expect(delivered).toBeLessThan(6 * PIECE_BYTES);
});

it.each<[string, (destination: string) => void]>([
  ['before it came to what is in place', () => undefined],
  ['among what is in place', (destination) => rmSync(join(destination, 'b/third'))],
  ['after what was in place', (destination) => rmSync(destination, { recursive: true })],
])('a removal that broke off %s keeps nobody from fetching it anew', async (_where, remove) => {
  const [alice, bob] = await Promise.all([startPeer('alice'), startPeer('bob')]);
  const digested = await shareAlbum(alice);
  const wanted = Uint8Array.of(0, 1, 1, 0, 0);
  await fetch(bob, digested, [alice], wanted);
  rmSync(`${inPlace(bob)}.part`, { recursive: true });
  remove(inPlace(bob));
  expect((await fetch(bob, digested, [alice], wanted)).end).toMatchObject({ state: 'complete' });
  expect(filesIn(inPlace(bob)).toSorted()).toEqual(['b/second', 'b/third']);
  expect((await fetch(bob, digested, [alice], ALL)).end.stamp).not.toBeNull();
  for (const [path, bytes] of Object.entries(FILES)) {
    expect(readFileSync(join(inPlace(bob), path)).equals(bytes), path).toBe(true);
  }
});

it('a narrower selection is complete as soon as what is left of it is there', async () => {
  const [alice, bob] = await Promise.all([startPeer('alice'), startPeer('bob')]);
  const digested = await shareAlbum(alice);
  bob.engine.limit({ uploadBytesPerSecond: null, downloadBytesPerSecond: 20_000, groups: [] });
  const download = bob.engine.download(requestFor(bob, digested, { from: [alice] }));
  await until(download, ({ verifiedBytes }) => verifiedBytes > 0);
  download.prioritize(Uint8Array.of(skip, normal, skip, skip, skip));
  bob.engine.limit({ uploadBytesPerSecond: null, downloadBytesPerSecond: null, groups: [] });
  expect(await download.done).toMatchObject({ state: 'complete', stamp: null });
  expect(filesIn(inPlace(bob))).toEqual(['b/second']);
});

it('what comes to be wanted while files are put in place is not put there with holes', async () => {
  const [alice, bob] = await Promise.all([startPeer('alice'), startPeer('bob')]);
  const digested = await shareAlbum(alice);
  const priorities = () => Uint8Array.of(skip, normal, skip, skip, skip);
  const download = bob.engine.download(requestFor(bob, digested, { from: [alice], priorities }));
  // It hangs up when it has what it wants.
  await until(download, ({ verifiedBytes, peers }) => verifiedBytes > 0 && peers[0]?.state !== 'connected');
  expect(download.view().state).toBe('downloading');
  // The end of the first file is there: it lies in a piece of the second one.
  download.prioritize(Uint8Array.of(normal, normal, skip, skip, skip));
  expect(await download.done).toMatchObject({ state: 'complete', stamp: null });
  expect(filesIn(inPlace(bob))).toEqual(['b/second']);
});

it('what it has is offered again, as long as it is what it was', async () => {
  const { alice, bob, digested } = await fetchedSecond();
  const { contentId, manifest } = digested;
  const pieceCount = Math.ceil(manifest.totalBytes / PIECE_BYTES);
  const rest = { share: SHARE, contentId, pieceCount, destination: inPlace(bob), signal: new AbortController().signal };
  bob.engine.withdraw(SHARE);
  expect(countBits((await bob.engine.serveRest(rest)).verified!)).toBe(SECOND_PIECES.length);
  const carol = await startPeer('carol');
  alice.engine.withdraw(SHARE);
  const { download } = await fetchUntilStalled(carol, digested, bob);
  expect(countBits(download.view().bitfield)).toBe(SECOND_PIECES.length);
  writeFileSync(join(inPlace(bob), 'b/second'), randomBytes(FILES['b/second'].length));
  await expect(bob.engine.serveRest(rest)).rejects.toMatchObject({ code: 'source_changed' });
  rmSync(`${inPlace(bob)}.part`, { recursive: true });
  await expect(bob.engine.serveRest(rest)).rejects.toMatchObject({ code: 'source_missing' });
});

async function fetchUntilStalled(peer: TestPeer, digested: Digested, from: TestPeer) {
  const download = peer.engine.download(requestFor(peer, digested, { from: [from] }));
  await until(download, ({ reason }) => reason?.code === 'pieces_missing');
  return { download };
}

it('a file in place that somebody changes is not served any more, and that is told', async () => {
  const { alice, bob, digested } = await fetchedSecond();
  alice.engine.withdraw(SHARE);
  const carol = await startPeer('carol');
  const problem = new Promise((resolve) => bob.engine.onSourceProblem(resolve));
  writeFileSync(join(inPlace(bob), 'b/second'), randomBytes(FILES['b/second'].length));
  const download = carol.engine.download(requestFor(carol, digested, { from: [bob] }));
  expect(await problem).toMatchObject({ share: SHARE, code: 'source_changed' });
  await until(download, ({ peers }) => peers.some(({ state }) => state === 'refused'));
  expect(countBits(download.view().bitfield)).toBe(0);
  // Not a byte of it was sent.
  expect(download.view().peers).toMatchObject([{ user: 'bob', deliveredBytes: 0, corruptPieces: 0 }]);
});

const edits: [string, (place: string) => void][] = [
  ['has another length', (place) => writeFileSync(place, 'mine')],
  ['has the same length', (place) => writeFileSync(place, Buffer.alloc(FILES['b/second'].length, 'mine'))],
  ['is a folder now', (place) => (rmSync(place), mkdirSync(place), writeFileSync(join(place, 'mine'), 'mine'))],
];

/** What is at a path, with what is below it. */
const seen = (path: string) => (statSync(path).isDirectory() ? filesIn(path) : readFileSync(path, 'latin1'));

it.each(edits)('a file in place that %s is left to its owner, and its neighbours come', async (_what, edit) => {
  const { alice, bob, digested } = await fetchedSecond();
  const place = join(inPlace(bob), 'b/second');
  edit(place);
  const mine = seen(place);
  const { end, download } = await fetch(bob, digested, [alice], Uint8Array.of(1, 1, 1, 0, 0));
  expect(end).toEqual({ state: 'complete', reason: null, stamp: null });
  expect(seen(place)).toEqual(mine);
  for (const path of ['a/first', 'b/third'] as const) {
    expect(readFileSync(join(inPlace(bob), path)).equals(FILES[path]), path).toBe(true);
  }
  const { bitfield, wantedBytes, verifiedBytes } = download.view();
  // The piece that is the changed file's alone is nobody's business.
  expect(hasBit(bitfield, SECOND_PIECES[1]!)).toBe(false);
  expect([wantedBytes, verifiedBytes]).toEqual(Array(2).fill(FILES['a/first'].length + FILES['b/third'].length));
  // Also when everything is asked for, and once it has been moved away it comes like any other.
  expect((await fetch(bob, digested, [alice], ALL)).end).toMatchObject({ state: 'complete', stamp: null });
  expect(seen(place)).toEqual(mine);
  rmSync(place, { recursive: true });
  expect((await fetch(bob, digested, [alice], ALL)).end.stamp).not.toBeNull();
  expect(readFileSync(place).equals(FILES['b/second'])).toBe(true);
  expect(existsSync(`${inPlace(bob)}.part`)).toBe(false);
});

const FIVE: (keyof typeof FILES)[] = ['a/first', 'b/second', 'b/third', 'empty', 'last'];

/** Files whose listed pieces are all sound, and which are not what was shared. */
const longerFiles: [string, keyof typeof FILES][] = [
  ['got longer', 'b/second'],
  ['was empty and is not any more', 'empty'],
];

async function fetchedOnly(path: keyof typeof FILES) {
  const [alice, bob] = await Promise.all([startPeer('alice'), startPeer('bob')]);
  const digested = await shareAlbum(alice);
  const wanted = Uint8Array.from(FIVE, (other) => (other === path ? 1 : 0));
  expect((await fetch(bob, digested, [alice], wanted)).end).toMatchObject({ state: 'complete', stamp: null });
  return { alice, bob, digested, place: join(inPlace(bob), path) };
}

/** Positions of the files that the journal says are their owner's. */
const notedLeft = (peer: TestPeer) => readJournal(journalPath(inPlace(peer)))?.left;

it.each(longerFiles)(
  'a file in place that %s is left to its owner, and the copy stays one of some files',
  async (_what, path) => {
    const { alice, bob, digested, place } = await fetchedOnly(path);
    appendFileSync(place, 'mine');
    const mine = seen(place);
    for (const round of ['as it is seen', 'as it is noted']) {
      const { end, download } = await fetch(bob, digested, [alice], ALL);
      expect(end).toEqual({ state: 'complete', reason: null, stamp: null });
      expect(seen(place), round).toEqual(mine);
      expect(notedLeft(bob)).toEqual([FIVE.indexOf(path)]);
      expect(download.view().wantedBytes).toBe(digested.manifest.totalBytes - FILES[path].length);
      for (const other of FIVE.filter((one) => one !== path)) {
        expect(readFileSync(join(inPlace(bob), other)).equals(FILES[other]), other).toBe(true);
      }
    }
    // Moved away it comes like any other, and then the copy is whole.
    rmSync(place);
    expect((await fetch(bob, digested, [alice], ALL)).end.stamp).not.toBeNull();
    expect(readFileSync(place).equals(FILES[path])).toBe(true);
  },
);

it.each(longerFiles)(
  'a file in place that %s while its neighbours come does not count as whole',
  async (_what, path) => {
    const { alice, bob, digested, place } = await fetchedOnly(path);
    bob.engine.limit({ uploadBytesPerSecond: null, downloadBytesPerSecond: 20_000, groups: [] });
    const download = bob.engine.download(requestFor(bob, digested, { from: [alice] }));
    await until(download, ({ isOpen }) => isOpen);
    appendFileSync(place, 'mine');
    const mine = seen(place);
    bob.engine.limit({ uploadBytesPerSecond: null, downloadBytesPerSecond: null, groups: [] });
    expect(await download.done).toMatchObject({
      state: 'failed',
      reason: { code: 'source_changed', goesOnAnew: true },
    });
    expect((await fetch(bob, digested, [alice], ALL)).end).toEqual({ state: 'complete', reason: null, stamp: null });
    expect(seen(place)).toEqual(mine);
    expect(notedLeft(bob)).toEqual([FIVE.indexOf(path)]);
  },
);

it('of a piece that lies in a changed file others get the bytes that were shared, also after a restart', async () => {
  const { alice, bob, digested } = await fetchedSecond();
  writeFileSync(join(inPlace(bob), 'b/second'), Buffer.alloc(FILES['b/second'].length, 'mine'));
  await fetch(bob, digested, [alice], Uint8Array.of(0, 1, 1, 0, 0));
  alice.engine.withdraw(SHARE);
  const had = [4, 5, 6, 7].filter((piece) => piece !== SECOND_PIECES[1]);
  const carol = await startPeer('carol');
  const { download } = await fetchUntilStalled(carol, digested, bob);
  expect(had.every((piece) => hasBit(download.view().bitfield, piece))).toBe(true);
  expect(download.view().peers).toMatchObject([{ user: 'bob', corruptPieces: 0 }]);
  bob.engine.withdraw(SHARE);
  const { contentId, manifest } = digested;
  const pieceCount = Math.ceil(manifest.totalBytes / PIECE_BYTES);
  const rest = { share: SHARE, contentId, pieceCount, destination: inPlace(bob), signal: new AbortController().signal };
  const { verified } = await bob.engine.serveRest(rest);
  expect(had.every((piece) => hasBit(verified!, piece))).toBe(true);
  const dave = await startPeer('dave');
  expect((await fetchUntilStalled(dave, digested, bob)).download.view().peers).toMatchObject([{ corruptPieces: 0 }]);
});

it('of a file in place that is changed in one piece nothing is offered that is not at the part', async () => {
  const { alice, bob, digested, place } = await fetchedOnly('a/first');
  const edited = Buffer.from(FILES['a/first']);
  edited[PIECE_BYTES] = edited[PIECE_BYTES]! ^ 1;
  writeFileSync(place, edited);
  const { end, download } = await fetch(bob, digested, [alice], Uint8Array.of(1, 1, 0, 0, 0));
  expect(end).toEqual({ state: 'complete', reason: null, stamp: null });
  expect(readFileSync(place).equals(edited)).toBe(true);
  const had = [...Array(8).keys()].filter((piece) => hasBit(download.view().bitfield, piece));
  // The piece that it shares with its neighbour was fetched anew.
  expect(had).toEqual(SECOND_PIECES);
  alice.engine.withdraw(SHARE);
  const carol = await startPeer('carol');
  const others = await fetchUntilStalled(carol, digested, bob);
  expect(countBits(others.download.view().bitfield)).toBe(SECOND_PIECES.length);
});

it('a file in place that is changed while its neighbour comes ends the download so that it goes on anew', async () => {
  const { alice, bob, digested } = await fetchedSecond();
  const place = join(inPlace(bob), 'b/second');
  bob.engine.limit({ uploadBytesPerSecond: null, downloadBytesPerSecond: 20_000, groups: [] });
  const priorities = () => Uint8Array.of(skip, normal, normal, skip, skip);
  const download = bob.engine.download(requestFor(bob, digested, { from: [alice], priorities }));
  await until(download, ({ isOpen }) => isOpen);
  writeFileSync(place, 'mine');
  bob.engine.limit({ uploadBytesPerSecond: null, downloadBytesPerSecond: null, groups: [] });
  expect(await download.done).toMatchObject({ state: 'failed', reason: { code: 'source_changed', goesOnAnew: true } });
  expect((await fetch(bob, digested, [alice], Uint8Array.of(0, 1, 1, 0, 0))).end).toMatchObject({ state: 'complete' });
  expect(readFileSync(place, 'utf8')).toBe('mine');
});

it('a part that lost a piece is no reason to take a file in place for a changed one', async () => {
  const { alice, bob, digested } = await fetchedSecond();
  rmSync(join(`${inPlace(bob)}.part`, 'a/first'));
  const { download, end } = await fetch(bob, digested, [alice]);
  expect(end).toMatchObject({ state: 'complete' });
  expect(download.view().wantedBytes).toBe(FILES['b/second'].length);
  expect((await fetch(bob, digested, [alice], ALL)).end.stamp).not.toBeNull();
});

it('what somebody else puts where an unwanted file would be is left alone, and in the way of nobody until then', async () => {
  const { alice, bob, digested } = await fetchedSecond();
  const place = join(inPlace(bob), 'last');
  writeFileSync(place, 'mine');
  expect((await fetch(bob, digested, [alice], Uint8Array.of(0, 1, 1, 0, 0))).end).toMatchObject({ state: 'complete' });
  const { end } = await fetch(bob, digested, [alice], ALL);
  expect(end.state).toBe('failed');
  expect(readFileSync(place, 'utf8')).toBe('mine');
});

it('what is at the destination is replaced only when that is allowed, and then as soon as files are there', async () => {
  const [alice, bob] = await Promise.all([startPeer('alice'), startPeer('bob')]);
  const digested = await shareAlbum(alice);
  mkdirSync(inPlace(bob));
  writeFileSync(join(inPlace(bob), 'old'), 'old');
  expect((await fetch(bob, digested, [alice])).end).toMatchObject({ reason: { code: 'destination_exists' } });
  expect((await fetch(bob, digested, [alice], SECOND, true)).end).toMatchObject({ state: 'complete' });
  expect(filesIn(inPlace(bob))).toEqual(['b/second']);
  expect((await fetch(bob, digested, [alice], ALL, true)).end.stamp).not.toBeNull();
  expect(filesIn(inPlace(bob))).toHaveLength(5);
});
