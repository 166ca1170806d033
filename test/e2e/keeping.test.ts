import { mkdir, readdir, rename } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { FileItem, GroupItem, TransferView } from '#wire/control-api';
import type { StatusView } from '#wire/control-status';
import type { KeepingView } from '#wire/control-upkeep';
import { Cluster, expectOk, sha1Of, type TestPeer, until } from './cluster.ts';
import { cohort } from './typed-commands.ts';

vi.setConfig({ testTimeout: 120_000 });

const MIB = 1024 * 1024;
let cluster: Cluster;
let alice: TestPeer;
let bob: TestPeer;
let carol: TestPeer;

beforeAll(async () => {
  cluster = await Cluster.start();
  const flags = ['--keep-copies', cluster.path('kept'), '--keep-copies-limit', '20MiB'];
  [alice, bob, carol] = await Promise.all([
    cluster.user('alice'),
    cluster.user('bob'),
    cluster.user('carol', { flags }),
  ]);
  await cluster.group('films', alice, bob, carol);
}, 120_000);
afterAll(() => cluster.stop());

async function rowOf(name: string): Promise<FileItem> {
  return (await alice.list<FileItem>('/groups/films/files')).find(({ file }) => file === name)!;
}

async function keepingOf(peer: TestPeer): Promise<KeepingView | null> {
  return (await peer.view<StatusView>('/status')).keeping;
}

it('of three peers the one that allowed it fetches what lacks a copy, and what its room allows', async () => {
  const path = await cluster.file('film.bin', 4 * MIB);
  await alice.upload('films', path);
  expect(await rowOf('film.bin')).toMatchObject({ completeCopies: 1, partialCopies: 0, wantedCopies: 0 });
  await alice.accepted('set_copies', { group: 'films', copies: 2 });
  await until('there are two copies', async () => (await rowOf('film.bin')).completeCopies === 2, 60_000);
  expect(await rowOf('film.bin')).toMatchObject({ completeCopies: 2, partialCopies: 0, wantedCopies: 2 });
  const [copy] = (await keepingOf(carol))!.copies;
  expect(copy).toMatchObject({ group: 'films', file: 'film.bin', totalBytes: 4 * MIB, state: 'complete' });
  const { path: keptPath } = await carol.transfer(copy!.transferId);
  expect(keptPath.startsWith(cluster.path('kept'))).toBe(true);
  expect(await sha1Of(keptPath)).toBe(await sha1Of(path));
  expect(await bob.list<TransferView>('/transfers')).toEqual([]);
  expect(await keepingOf(bob)).toBeNull();
});

it('what is larger than the room that is left is not fetched, and is counted', async () => {
  await alice.upload('films', await cluster.file('large.bin', 17 * MIB));
  await alice.upload('films', await cluster.file('small.bin', MIB));
  await until('the small file has two copies', async () => (await rowOf('small.bin')).completeCopies === 2, 60_000);
  await until('the large one is counted', async () => (await keepingOf(carol))?.withoutRoom === 1, 60_000);
  expect(await rowOf('large.bin')).toMatchObject({ completeCopies: 1, partialCopies: 0 });
  expect(await keepingOf(carol)).toMatchObject({ limitBytes: 20 * MIB, keptBytes: 5 * MIB, copyCount: 2 });
});

it('what is kept is kept over a restart, and is typed', async () => {
  await carol.process.stop();
  await carol.restart();
  await until('carol serves again', async () => (await rowOf('film.bin')).completeCopies === 2, 60_000);
  expect(await keepingOf(carol)).toMatchObject({ copyCount: 2, keptBytes: 5 * MIB });
  const typed = async (...words: string[]) => (await cohort(['--data-dir', carol.dataDirectory, ...words])).out;
  expect(await typed('status')).toMatch(/^keeps +2 copies, 5\.0 MiB of 20\.0 MiB, in .*kept/m);
  expect(await typed('list_files', 'films')).toMatch(/^film\.bin .* 2 of 2 +0$/m);
  expect(await typed('list_groups')).toMatch(/^films +alice +member +2$/m);
  expect(await carol.list<GroupItem>('/groups')).toMatchObject([{ group: 'films', copies: 2 }]);
});

it('a share that leaves the group is not served any more, and stays where it is', async () => {
  const kept = (await keepingOf(carol))!.copies.find(({ file }) => file === 'small.bin')!;
  await alice.accepted('stop_share', { group: 'films', file: 'small.bin', everywhere: true });
  const asked = { group: 'films', file: 'small.bin', destination: cluster.path('small-of-bob') };
  expect(await bob.outcome('download_file', asked)).toBe('404 file_not_found');
  const { path } = await carol.transfer(kept.transferId);
  expect(await sha1Of(path)).toBe(await sha1Of(cluster.path('small.bin')));
  expect(await readdir(cluster.path('kept', 'films'))).toHaveLength(2);
  expect(await keepingOf(carol)).toMatchObject({ copyCount: 2, keptBytes: 5 * MIB });
});

describe('a copy that its own peer knows to be gone', () => {
  let copy: TransferView;
  const recheck = (body: object): Promise<TransferView> =>
    expectOk(
      'recheck',
      bob.control.post<TransferView>(`/transfers/${copy.transferId}/recheck`, { wait: true, ...body }),
    );
  const keptSongs = async () => (await keepingOf(carol))!.copies.filter(({ group }) => group === 'songs');

  async function copiesSeenBy(peer: TestPeer): Promise<number> {
    return (await peer.list<FileItem>('/groups/songs/files'))[0]!.completeCopies;
  }

  it('is none, and who keeps copies fetches another one', async () => {
    await cluster.group('songs', alice, bob, carol);
    await alice.upload('songs', await cluster.file('song.bin', MIB));
    await mkdir(cluster.path('songs-of-bob'));
    copy = await bob.download('songs', 'song.bin', cluster.path('songs-of-bob'));
    await alice.accepted('set_copies', { group: 'songs', copies: 2 });
    expect(await copiesSeenBy(alice)).toBe(2);
    expect(await keptSongs()).toEqual([]);
    await rename(copy.path, `${copy.path}.away`);
    expect(await recheck({ repair: false })).toMatchObject({ reason: { code: 'source_missing' } });
    const isKept = async () => (await keptSongs()).some(({ state }) => state === 'complete');
    await until('carol has another one', isKept, 60_000);
    await until('it is recorded', async () => (await copiesSeenBy(alice)) === 2, 10_000);
  });

  it('is none after a restart of its peer either', async () => {
    await bob.process.stop();
    await bob.restart();
    // What it says of itself comes before what it asks.
    expect(await copiesSeenBy(bob)).toBe(2);
    expect(await copiesSeenBy(alice)).toBe(2);
    expect(await bob.transfer(copy.transferId)).toMatchObject({ reason: { code: 'source_missing' } });
  });

  it('is one again once it is back and was looked at', async () => {
    await rename(`${copy.path}.away`, copy.path);
    expect((await recheck({})).recheck).toMatchObject({ verdict: 'sound' });
    await until('there are three copies', async () => (await copiesSeenBy(alice)) === 3, 10_000);
  });

  it('is fetched again where it was kept, when its group lacks it', async () => {
    const [kept] = await keptSongs();
    const { path } = await carol.transfer(kept!.transferId);
    await alice.accepted('set_copies', { group: 'songs', copies: 3 });
    await rename(path, cluster.path('kept-away'));
    const body = { wait: true, repair: false };
    await expectOk('recheck', carol.control.post<TransferView>(`/transfers/${kept!.transferId}/recheck`, body));
    const isRepaired = ({ recheck: last }: TransferView): boolean => last?.verdict === 'repaired';
    await carol.untilTransfer(kept!.transferId, 'repaired', isRepaired, 60_000);
    await until('there are three again', async () => (await copiesSeenBy(alice)) === 3, 60_000);
    expect(await sha1Of(path)).toBe(await sha1Of(cluster.path('kept-away')));
  });
});
