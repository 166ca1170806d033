import { mkdir, open, stat, utimes } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { TransferView } from '#wire/control-api';
import type { PeerEventListView } from '#wire/control-events';
import type { StatusView } from '#wire/control-status';
import { Cluster, sha1Of, type TestPeer } from './cluster.ts';
import { cohort } from './typed-commands.ts';

vi.setConfig({ testTimeout: 90_000 });

const MIB = 1024 * 1024;
let cluster: Cluster;
let alice: TestPeer;
let bob: TestPeer;

beforeAll(async () => {
  cluster = await Cluster.start();
  [alice, bob] = await Promise.all([
    cluster.user('alice', { flags: ['--scrub-rate', '200MB'] }),
    cluster.user('bob', { flags: ['--scrub-rate', '0'] }),
  ]);
  await cluster.group('films', alice, bob);
}, 120_000);
afterAll(() => cluster.stop());

/** A file that alice shares and bob has, with a time that can be set again. */
async function shared(name: string): Promise<{ path: string; upload: TransferView; copy: TransferView }> {
  const path = await cluster.file(name, 8 * MIB);
  await utimes(path, 1, 1);
  const upload = await alice.upload('films', path);
  await mkdir(cluster.path(`${name}-of-bob`));
  return { path, upload, copy: await bob.download('films', name, cluster.path(`${name}-of-bob`)) };
}

/** Another byte, where the file lies. */
async function flip(path: string, at: number): Promise<void> {
  const file = await open(path, 'r+');
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, at);
  await file.write(Buffer.of(buffer[0]! ^ 1), 0, 1, at);
  await file.close();
}

it('a byte that flips on the disk of a running peer is found, told, and fetched again from another one', async () => {
  const { path, upload, copy } = await shared('rotten.bin');
  await flip(path, 3 * MIB);
  await utimes(path, 1, 1);
  const isRepaired = ({ recheck }: TransferView): boolean => recheck?.verdict === 'repaired';
  const repaired = await alice.untilTransfer(upload.transferId, 'repaired', isRepaired, 60_000);
  expect(repaired.recheck).toMatchObject({ damagedPieces: 1, repairedPieces: 1, absentFiles: [], misfitFiles: [] });
  expect(await sha1Of(path)).toBe(await sha1Of(copy.path));
  const { items } = await alice.view<PeerEventListView>('/events?since=0&timeout=0');
  expect(items.filter(({ type }) => type === 'damage_found').map(({ data }) => data)).toMatchObject([
    { transferId: upload.transferId, group: 'films', file: 'rotten.bin', path, damagedPieces: 1 },
  ]);
  expect((await alice.view<StatusView>('/status')).scrub).toMatchObject({
    bytesPerSecond: 200_000_000,
    damagedPieces: 1,
  });
  const { out } = await cohort(['--data-dir', alice.dataDirectory, 'status']);
  expect(out).toMatch(/^scrubbing +200MB\/s.*, 1 damaged pieces found$/m);
});

it('a file that somebody changes is not what was shared any more, and keeps what was written to it', async () => {
  const { path, upload } = await shared('changed.bin');
  await flip(path, 3 * MIB);
  const changed = await sha1Of(path);
  const failed = await alice.untilTransfer(
    upload.transferId,
    'no longer served',
    ({ state }) => state === 'failed',
    60_000,
  );
  expect(failed).toMatchObject({ reason: { code: 'source_changed' }, recheck: null });
  expect(await sha1Of(path)).toBe(changed);
  expect((await stat(path)).size).toBe(8 * MIB);
});

it('with a rate of 0 nothing is looked for', async () => {
  expect((await bob.view<StatusView>('/status')).scrub).toEqual({
    ...{ bytesPerSecond: null, readBytes: 0, damagedPieces: 0, copy: null, roundEndedAt: null },
  });
});
