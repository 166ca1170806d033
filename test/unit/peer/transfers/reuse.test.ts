// What a download takes of what this peer has already: bytes that are fetched, and bytes that are not.
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { TransferView } from '#wire/control-api';
import { CopiesAtHand } from '../../../../apps/peer/src/transfers/copies-at-hand.ts';
import type { DownloadRecord, TransferRecord } from '../../../../apps/peer/src/transfers/transfer-record.ts';
import { newFolder, randomBytes, sourceOf } from '../swarm/engine-harness.ts';
import {
  begun,
  downloadWhole,
  GROUP,
  newFile,
  shareNew,
  spoil,
  startGroup,
  stampOf,
  type TransferPeer,
  until,
  untilState,
} from './transfers-harness.ts';

const PIECE = 524_288;
const PIECES = 6;

async function share(peer: TransferPeer, path: string, more: { name?: string; update?: boolean } = {}): Promise<void> {
  await begun(peer.transfers.upload({ group: GROUP, path, ...more }, stampOf(peer.link)));
  peer.trackers.isOnline(sourceOf(peer));
}

function fetchedBytes({ peers }: TransferView): number {
  return peers.reduce((sum, { deliveredBytes }) => sum + deliveredBytes, 0);
}

/** Alice has shared a film, bob has it too, and alice has published it with one byte changed. */
async function updated(): Promise<{ alice: TransferPeer; bob: TransferPeer; path: string; before: TransferView }> {
  const [alice, bob] = await startGroup('alice', 'bob');
  const path = newFile(alice, 'film', randomBytes(PIECES * PIECE - 100));
  await share(alice, path);
  const before = await downloadWhole(bob);
  spoil(path, 2 * PIECE + 7);
  await share(alice, path, { update: true });
  return { alice, bob, path, before };
}

it('the next version costs the piece that is another one', async () => {
  const { bob, path } = await updated();
  const after = await downloadWhole(bob, { overwrite: true });
  expect(readFileSync(after.path)).toEqual(readFileSync(path));
  expect(fetchedBytes(after)).toBe(PIECE);
  expect(after).toMatchObject({ reusedBytes: (PIECES - 1) * PIECE - 100, version: 2 });
});

it('a copy that is not what it was is verified like what a stranger sends, and its pieces are fetched', async () => {
  const { bob, path, before } = await updated();
  spoil(before.path, 5, 3 * PIECE);
  const after = await downloadWhole(bob, { destination: join(newFolder(), 'elsewhere') });
  expect(readFileSync(after.path)).toEqual(readFileSync(path));
  expect(fetchedBytes(after)).toBe(3 * PIECE);
});

it('a copy that is gone is no failure', async () => {
  const { bob, path, before } = await updated();
  renameSync(before.path, join(newFolder(), 'away'));
  const after = await downloadWhole(bob);
  expect(readFileSync(after.path)).toEqual(readFileSync(path));
  expect(after.reusedBytes).toBe(0);
});

it('the same content under another name comes from nobody: no peer is even asked', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  const { path } = await shareNew(alice);
  await downloadWhole(bob);
  await share(alice, path, { name: 'the same' });
  const connections = () =>
    alice.engine.metrics().workers.reduce((sum, { tasks, sentBytes }) => sum + tasks + sentBytes, 0);
  const before = connections();
  const again = await downloadWhole(bob, { file: 'the same' });
  expect(readFileSync(again.path)).toEqual(readFileSync(path));
  expect(again).toMatchObject({ reusedBytes: again.totalBytes, verifiedBytes: again.totalBytes });
  expect(fetchedBytes(again)).toBe(0);
  expect(again.peers.every(({ state }) => state === 'waiting')).toBe(true);
  expect(connections()).toBe(before);
});

it('files of a folder are found wherever they stand in another one', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  const album = join(alice.folder, 'album');
  mkdirSync(join(album, 'inner'), { recursive: true });
  for (const name of ['a', 'b', 'inner/c']) writeFileSync(join(album, name), randomBytes(PIECE + 1_000));
  await share(alice, album);
  await downloadWhole(bob, { file: 'album' });
  // In front of all others, so that no piece is where it was.
  writeFileSync(join(album, '0 new'), randomBytes(10));
  renameSync(join(album, 'inner/c'), join(album, 'd'));
  await share(alice, album, { update: true });
  const after = await downloadWhole(bob, { file: 'album', overwrite: true });
  for (const name of ['0 new', 'a', 'b', 'd']) {
    expect(readFileSync(join(after.path, name))).toEqual(readFileSync(join(album, name)));
  }
  // Only the first piece has a byte of the new file.
  expect(fetchedBytes(after)).toBe(PIECE);
});

it('of another share that has it what is wanted is taken, and no more; also when more is wanted later', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  const album = join(alice.folder, 'album');
  mkdirSync(album);
  const names = ['a', 'b', 'c'];
  for (const name of names) writeFileSync(join(album, name), randomBytes(2 * PIECE));
  await share(alice, album);
  await downloadWhole(bob, { file: 'album' });
  await share(alice, album, { name: 'the same' });
  bob.trackers.sources.clear();
  const destination = join(newFolder(), 'some');
  const asked = { group: GROUP, file: 'the same', destination, only: ['b'] };
  const { transferId } = await begun(bob.transfers.download(asked, stampOf(bob.link)));
  const some = await untilState(bob, transferId, 'complete');
  expect(some).toMatchObject({ reusedBytes: 2 * PIECE, verifiedBytes: 2 * PIECE });
  expect(readdirSync(destination)).toEqual(['b']);
  await bob.transfers.prioritize(transferId, { only: ['b', 'c'] });
  await until(bob, transferId, ({ state, verifiedBytes }) => state === 'complete' && verifiedBytes === 4 * PIECE);
  expect(readdirSync(destination)).toEqual(['b', 'c']);
  await bob.transfers.prioritize(transferId, { only: names });
  expect(await bob.transfers.end(transferId, 60_000)).toMatchObject({ state: 'complete' });
  const all = await until(bob, transferId, ({ verifiedBytes }) => verifiedBytes === 6 * PIECE);
  expect(all).toMatchObject({ reusedBytes: 6 * PIECE, private: false });
  expect(fetchedBytes(all)).toBe(0);
  for (const name of names) expect(readFileSync(join(destination, name))).toEqual(readFileSync(join(album, name)));
});

const record = (about: Partial<TransferRecord> & { readonly contentId?: string }): TransferRecord => {
  const { contentId = 'a', ...more } = about;
  const facts = { user: 'bob', group: 'g', file: 'f', path: '/p', completedAtMs: 1, share: { contentId } };
  return { ...facts, ...more } as unknown as TransferRecord;
};

async function copiesFor(wanted: TransferRecord, others: readonly TransferRecord[]) {
  const store = { readManifest: (contentId: string) => Promise.resolve(Buffer.from(contentId)) };
  const copies = new CopiesAtHand({ store, records: () => [wanted, ...others] });
  const { manifestBytes, copies: found } = await copies.of(wanted as DownloadRecord);
  return { known: manifestBytes?.toString() ?? null, paths: found.map(({ path }) => path) };
}

it('the content itself comes first, then other versions, then what lies at the destination, then what came last', async () => {
  const others = [
    record({ path: '/old', contentId: 'b', file: 'x', completedAtMs: 2 }),
    record({ path: '/new', contentId: 'c', file: 'x', completedAtMs: 3 }),
    record({ path: '/there', contentId: 'd', file: 'x' }),
    record({ path: '/version', contentId: 'e' }),
    record({ path: '/same', contentId: 'w', file: 'x' }),
    record({ path: '/same', contentId: 'w', file: 'y' }),
  ];
  const wanted = record({ path: '/there', contentId: 'w', completedAtMs: null });
  expect(await copiesFor(wanted, others)).toEqual({
    known: 'w',
    paths: ['/same', '/version', '/there', '/new', '/old'],
  });
});

it('nothing of another user of the machine is looked at, nor what is not complete', async () => {
  const wanted = record({ contentId: 'w', completedAtMs: null });
  const others = [
    record({ contentId: 'w', user: 'alice' }),
    record({ contentId: 'w', completedAtMs: null }),
    record({ share: null }),
    record({ contentId: 'w', direction: 'download', isPartial: true }),
  ];
  expect(await copiesFor(wanted, others)).toEqual({ known: null, paths: [] });
});
