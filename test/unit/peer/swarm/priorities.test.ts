import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { countBits, hasBit } from '#domain/bitfield';
import { PRIORITIES } from '#domain/piece-priorities';
import { newFile, randomBytes, requestFor, shareFile, startPeer, type TestPeer, until } from './engine-harness.ts';

const PIECE_BYTES = 16_384;
const { skip, low, high } = PRIORITIES;

async function twoPeers(): Promise<[TestPeer, TestPeer]> {
  const [alice, bob] = await Promise.all([startPeer('alice'), startPeer('bob')]);
  bob.engine.limit({ uploadBytesPerSecond: null, downloadBytesPerSecond: 4_000_000, groups: [] });
  return [alice, bob];
}

/** A folder of files with these numbers of pieces. */
function newAlbum({ folder }: TestPeer, ...pieces: number[]): string {
  const root = join(folder, 'album');
  mkdirSync(root);
  for (const [number, count] of pieces.entries()) {
    writeFileSync(join(root, `track-${number}`), randomBytes(count * PIECE_BYTES));
  }
  return root;
}

it('pieces that somebody waits for come before the others', async () => {
  const [alice, bob] = await twoPeers();
  const bytes = randomBytes(512 * PIECE_BYTES);
  const digested = await shareFile(alice, newFile(alice, bytes), PIECE_BYTES);
  const download = bob.engine.download(requestFor(bob, digested, { from: [alice], strategy: 'sequential' }));
  await until(download, ({ verifiedBytes }) => verifiedBytes > 0);
  download.hurry([500, 501, 9_999]);
  await until(download, ({ bitfield }) => hasBit(bitfield, 500) && hasBit(bitfield, 501));
  expect(download.view().verifiedBytes).toBeLessThan(bytes.length / 2);
  bob.engine.limit({ uploadBytesPerSecond: null, downloadBytesPerSecond: null, groups: [] });
  expect(await download.done).toMatchObject({ state: 'complete' });
  expect(readFileSync(join(bob.folder, 'fetched')).equals(bytes)).toBe(true);
});

it('what is hurried before it is known what there is comes first, although it is not wanted', async () => {
  const [alice, bob] = await twoPeers();
  const digested = await shareFile(alice, newAlbum(alice, 100, 100), PIECE_BYTES);
  const priorities = () => Uint8Array.of(skip, skip);
  const download = bob.engine.download(requestFor(bob, digested, { from: [alice], priorities }));
  download.hurry([150, 7]);
  await until(download, ({ bitfield }) => countBits(bitfield) === 2);
  expect(hasBit(download.view().bitfield, 150) && hasBit(download.view().bitfield, 7)).toBe(true);
  expect(download.view()).toMatchObject({ state: 'downloading' });
  await download.cancel();
});

it('files are wanted as much as is said, which may change while the download runs', async () => {
  const [alice, bob] = await twoPeers();
  const digested = await shareFile(alice, newAlbum(alice, 60, 60, 60), PIECE_BYTES);
  const priorities = () => Uint8Array.of(low, skip, high);
  const download = bob.engine.download(requestFor(bob, digested, { from: [alice], priorities }));
  const had = (from: number) => [...Array(60).keys()].filter((piece) => hasBit(download.view().bitfield, from + piece));
  await until(download, () => had(120).length === 60);
  expect(had(0).length).toBeLessThan(60);
  expect(had(60)).toEqual([]);
  download.prioritize(Uint8Array.of(low, high, skip));
  await until(download, () => had(60).length === 60);
  download.prioritize(Uint8Array.of(low, low, low));
  expect(await download.done).toMatchObject({ state: 'complete' });
});
