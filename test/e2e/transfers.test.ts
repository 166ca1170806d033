import { spawnSync } from 'node:child_process';
import { chmod, copyFile, mkdir, readdir, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { FileItem, TransferView } from '#wire/control-api';
import type { PeerEventListView } from '#wire/control-events';
import { Cluster, sha1Of, type TestPeer, until } from './cluster.ts';

vi.setConfig({ testTimeout: 90_000 });

const MIB = 1024 * 1024;
let cluster: Cluster;
let alice: TestPeer;
let bob: TestPeer;
let carol: TestPeer;

beforeAll(async () => {
  cluster = await Cluster.start();
  [alice, bob, carol] = await cluster.users('alice', 'bob', 'carol');
  await cluster.group('films', alice, bob, carol);
}, 120_000);
afterAll(() => cluster.stop());

/** A folder of its own for what a peer downloads. */
async function folder(name: string): Promise<string> {
  const path = cluster.path(name);
  await mkdir(path, { recursive: true });
  return path;
}

function limitUpload(peer: TestPeer, uploadBytesPerSecond: number | null): Promise<unknown> {
  const body = { uploadBytesPerSecond, downloadBytesPerSecond: null, activeTransfers: null, groups: [] };
  return peer.control.request('PUT', '/limits', { body });
}

/** Mounts a file system of its own; false where that is not allowed. */
function mounted(path: string, options: string): boolean {
  return spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path]).status === 0;
}

function unmount(path: string): void {
  spawnSync('umount', ['-l', path]);
}

const isOver = ({ state }: TransferView): boolean => state === 'seeding' || state === 'complete';

/** Frees a peer from its part in a file, so that the next test begins anew. */
async function forget(peer: TestPeer, transferId: string): Promise<void> {
  await peer.control.delete(`/transfers/${transferId}?data=delete`);
}

describe('a share', () => {
  it.each([0, 1, 512 * 1024, 512 * 1024 + 1])('of %i bytes arrives as it is', async (totalBytes) => {
    const path = await cluster.file(`${totalBytes}.bin`, totalBytes);
    await alice.upload('films', path);
    const transfer = await bob.download('films', `${totalBytes}.bin`, await folder('sizes'));
    expect(transfer).toMatchObject({ totalBytes, verifiedBytes: totalBytes, state: 'complete' });
    expect(await readFile(transfer.path)).toEqual(await readFile(path));
    expect(transfer.sha1).toBe(await sha1Of(path));
  });

  it('of a folder arrives with all its files', async () => {
    const path = await folder('album');
    await mkdir(join(path, 'inner/empty'), { recursive: true });
    await writeFile(join(path, 'one.txt'), 'one');
    await writeFile(join(path, 'inner', 'two.txt'), 'two'.repeat(400_000));
    await alice.upload('films', path);
    const transfer = await bob.download('films', 'album', await folder('folders'));
    expect(await readFile(join(transfer.path, 'one.txt'), 'utf8')).toBe('one');
    expect(await sha1Of(join(transfer.path, 'inner', 'two.txt'))).toBe(await sha1Of(join(path, 'inner', 'two.txt')));
  });

  it('can be verified with SHA-256', async () => {
    const path = await cluster.file('sha256.bin', 3 * MIB);
    await alice.upload('films', path, { hash: 'sha256' });
    const transfer = await bob.download('films', 'sha256.bin', await folder('sha256'));
    expect(await sha1Of(transfer.path)).toBe(await sha1Of(path));
  });

  it.each(['random', 'rarest-first', 'sequential'])('comes in %s order', async (strategy) => {
    const path = await cluster.file(`${strategy}.bin`, 5 * MIB);
    await alice.upload('films', path);
    const id = await bob.begin('films', `${strategy}.bin`, await folder('orders'), { strategy });
    const transfer = await bob.untilTransfer(id, 'complete', isOver);
    expect(await sha1Of(transfer.path)).toBe(await sha1Of(path));
  });

  it('comes from everybody who has it, in parts of like size', async () => {
    const path = await cluster.file('both.bin', 64 * MIB);
    await alice.upload('films', path);
    await bob.download('films', 'both.bin', await folder('both-of-bob'));
    // Far below what the machine can do, so that neither is behind for want of a processor.
    await Promise.all([alice, bob].map((peer) => limitUpload(peer, 32 * MIB)));
    const transfer = await carol.download('films', 'both.bin', await folder('both-of-carol'));
    expect(new Set(transfer.peers.map(({ user }) => user))).toEqual(new Set(['alice', 'bob']));
    for (const { user, deliveredBytes } of transfer.peers) {
      expect(deliveredBytes / transfer.totalBytes, user).toBeGreaterThanOrEqual(0.3);
    }
    await Promise.all([alice, bob].map((peer) => limitUpload(peer, null)));
  });
});

describe('a download', () => {
  it(
    'whose only seeder is killed stalls, and goes on by itself when the seeder is back',
    { timeout: 90_000 },
    async () => {
      const path = await cluster.file('stalled.bin', 512 * MIB);
      await alice.upload('films', path);
      const id = await bob.begin('films', 'stalled.bin', await folder('stalled'));
      await bob.untilTransfer(id, 'under way', ({ verifiedBytes }) => verifiedBytes > 0);
      await alice.process.kill();
      const stalled = await bob.untilTransfer(id, 'stalled', ({ state }) => state === 'stalled', 45_000);
      expect(stalled.reason).toMatchObject({ code: 'no_seeder_online' });
      expect(stalled.verifiedBytes).toBeLessThan(stalled.totalBytes);
      await alice.restart();
      const done = await bob.untilTransfer(id, 'complete', isOver, 45_000);
      expect(await sha1Of(done.path)).toBe(await sha1Of(path));
      await forget(bob, id);
    },
  );

  it('goes on after its own peer was killed, without fetching again what was verified', async () => {
    const path = await cluster.file('resumed.bin', 512 * MIB);
    await alice.upload('films', path);
    const id = await bob.begin('films', 'resumed.bin', await folder('resumed'));
    await bob.untilTransfer(id, 'half there', ({ verifiedBytes, totalBytes }) => verifiedBytes > totalBytes / 4);
    await bob.process.kill();
    await bob.restart();
    const done = await bob.untilTransfer(id, 'complete', isOver, 60_000);
    expect(await sha1Of(done.path)).toBe(await sha1Of(path));
    const fetchedBytes = done.peers.reduce((sum, { deliveredBytes }) => sum + deliveredBytes, 0);
    expect(fetchedBytes, 'since the restart').toBeLessThan(done.totalBytes);
    await forget(bob, id);
  });

  it('can be paused, resumed, and cancelled', async () => {
    const path = await cluster.file('paused.bin', 512 * MIB);
    await alice.upload('films', path);
    const id = await bob.begin('films', 'paused.bin', await folder('paused'));
    await bob.control.post(`/transfers/${id}/pause`);
    const paused = await bob.untilTransfer(id, 'paused', ({ state }) => state === 'paused');
    expect(paused.verifiedBytes).toBeLessThan(paused.totalBytes);
    await bob.control.post(`/transfers/${id}/resume`);
    await bob.untilTransfer(id, 'going on', ({ verifiedBytes }) => verifiedBytes > paused.verifiedBytes);
    await bob.control.post(`/transfers/${id}/cancel`);
    await bob.untilTransfer(id, 'cancelled', ({ state }) => state === 'cancelled');
    await forget(bob, id);
    await until('nothing of it is left', async () => (await readdir(await folder('paused'))).length === 0);
  });

  it('is forgotten with its data or without', async () => {
    await alice.upload('films', await cluster.file('kept.bin', MIB));
    const destination = await folder('kept');
    const kept = await bob.download('films', 'kept.bin', destination);
    expect((await bob.control.delete(`/transfers/${kept.transferId}?data=keep`)).status).toBe(204);
    expect(await readdir(destination)).toEqual(['kept.bin']);
    await rm(kept.path);
    const deleted = await bob.download('films', 'kept.bin', destination);
    expect((await bob.control.delete(`/transfers/${deleted.transferId}?data=delete`)).status).toBe(204);
    expect(await readdir(destination)).toEqual([]);
    expect((await bob.list<TransferView>('/transfers')).map(({ transferId }) => transferId)).not.toContain(
      kept.transferId,
    );
  });

  it('replaces what is at its destination only when told to', async () => {
    const path = await cluster.file('again.bin', MIB);
    await alice.upload('films', path);
    const destination = join(await folder('again'), 'mine.bin');
    await writeFile(destination, 'precious');
    const body = { group: 'films', file: 'again.bin', destination, wait: true };
    expect(await bob.outcome('download_file', body)).toBe('409 destination_exists');
    expect(await readFile(destination, 'utf8')).toBe('precious');
    await bob.accepted('download_file', { ...body, overwrite: true });
    expect(await sha1Of(destination)).toBe(await sha1Of(path));
  });

  it('of a member who is removed ends', async () => {
    const dave = await cluster.user('dave');
    await cluster.group('short', alice, dave);
    await alice.upload('short', await cluster.file('short.bin', 512 * MIB));
    const id = await dave.begin('short', 'short.bin', await folder('short'));
    await dave.untilTransfer(id, 'under way', ({ verifiedBytes }) => verifiedBytes > 0);
    await alice.accepted('remove_member', { group: 'short', user: 'dave' });
    const failed = await dave.untilTransfer(id, 'failed', ({ state }) => state === 'failed', 5_000);
    expect(failed.reason).toMatchObject({ code: 'not_a_member' });
    expect(failed.verifiedBytes).toBeLessThan(failed.totalBytes);
    await dave.process.stop();
  });

  it('pauses at logout and goes on at login', async () => {
    await alice.upload('films', await cluster.file('logout.bin', 512 * MIB));
    const id = await carol.begin('films', 'logout.bin', await folder('logout'));
    await carol.accepted('logout');
    const paused = await carol.untilTransfer(id, 'paused', ({ state }) => state === 'paused');
    expect(paused.verifiedBytes).toBeLessThan(paused.totalBytes);
    await carol.accepted('login', { user: 'carol', password: 'correct horse battery' });
    await carol.untilTransfer(id, 'complete', isOver, 60_000);
    await forget(carol, id);
  });
});

describe('a source on disk', () => {
  it.each(['changed', 'deleted'] as const)('that is %s delivers nothing wrong, and its owner is told', async (how) => {
    const path = await cluster.file(`${how}.bin`, 32 * MIB);
    const upload = await alice.upload('films', path);
    const expected = await readFile(path);
    if (how === 'deleted') await rm(path);
    else await writeFile(path, Buffer.alloc(32 * MIB, 7));
    const id = await bob.begin('films', `${how}.bin`, await folder(how));
    const code = how === 'deleted' ? 'source_missing' : 'source_changed';
    const told = await alice.untilTransfer(upload.transferId, code, ({ reason }) => reason?.code === code);
    expect(told.reason?.action).not.toBe('');
    const stalled = await bob.untilTransfer(id, 'stalled', ({ state }) => state === 'stalled');
    expect(stalled.verifiedBytes).toBe(0);
    // The bytes come back at another place, adopted by somebody else: the download goes on with those.
    const copy = cluster.path(`${how}-copy.bin`);
    await writeFile(copy, expected);
    await carol.accepted('seed_file', { group: 'films', file: `${how}.bin`, path: copy });
    const done = await bob.untilTransfer(id, 'complete', isOver, 45_000);
    expect(await sha1Of(done.path)).toBe(await sha1Of(copy));
  });

  it('that is the content is adopted without a transfer, and one that is not is refused', async () => {
    const path = await cluster.file('adopted.bin', 8 * MIB);
    await alice.upload('films', path);
    const copy = cluster.path('copy.bin');
    await copyFile(path, copy);
    await bob.accepted('seed_file', { group: 'films', file: 'adopted.bin', path: copy });
    const files = await bob.list<FileItem>('/groups/films/files');
    expect(files.find(({ file }) => file === 'adopted.bin')).toMatchObject({ seedersOnline: 2 });
    await alice.accepted('stop_share', { group: 'films', file: 'adopted.bin' });
    const done = await carol.download('films', 'adopted.bin', await folder('adopted'));
    expect(done.peers.map(({ user }) => user)).toEqual(['bob']);
    await truncate(copy, 8 * MIB - 1);
    expect(await carol.outcome('seed_file', { group: 'films', file: 'adopted.bin', path: copy })).toMatch(/^4\d\d /);
  });
});

describe('a destination', () => {
  it('that cannot be written stops that download with the reason, and nothing else', async () => {
    await alice.upload('films', await cluster.file('blocked.bin', MIB));
    const blocked = cluster.path('blocked');
    // A folder that turns into a file: unlike missing permissions, that stops root too.
    await mkdir(blocked);
    const destination = join(blocked, 'inner');
    await mkdir(destination);
    await rename(destination, `${destination}.away`);
    await writeFile(destination, 'in the way');
    const body = { group: 'films', file: 'blocked.bin', destination: join(destination, 'x.bin') };
    expect(await bob.outcome('download_file', body)).toBe('400 invalid_request');
    await bob.download('films', 'blocked.bin', await folder('unblocked'));
  });

  it('that may not be written stops that download with the reason', async ({ skip }) => {
    await alice.upload('films', await cluster.file('locked.bin', MIB));
    const locked = await folder('locked');
    // Permissions do not stop root, a file system that is read-only does.
    if (process.getuid?.() === 0) skip(!mounted(locked, 'ro'), 'needs the right to mount a small file system');
    else await chmod(locked, 0o500);
    try {
      const id = await bob.begin('films', 'locked.bin', locked);
      const failed = await bob.untilTransfer(id, 'failed', ({ state }) => state === 'failed');
      expect(failed.reason).toMatchObject({ code: 'destination_unwritable' });
      await forget(bob, id);
    } finally {
      unmount(locked);
    }
  });

  it('on a disk that is too small stops that download before it begins, and nothing else', async ({ skip }) => {
    const disk = await folder('disk');
    skip(!mounted(disk, 'size=4m'), 'needs the right to mount a small file system');
    try {
      await alice.upload('films', await cluster.file('large.bin', 16 * MIB));
      await alice.upload('films', await cluster.file('little.bin', MIB));
      const id = await bob.begin('films', 'large.bin', disk);
      const failed = await bob.untilTransfer(id, 'failed', ({ state }) => state === 'failed');
      expect(failed.reason).toMatchObject({ code: 'disk_full' });
      expect(failed.verifiedBytes).toBe(0);
      const little = await bob.download('films', 'little.bin', disk);
      expect((await stat(little.path)).size).toBe(MIB);
    } finally {
      await Promise.all((await bob.list<TransferView>('/transfers')).map(({ transferId }) => forget(bob, transferId)));
      unmount(disk);
    }
  });

  it('on a disk that fills up meanwhile fails with the reason, and the peer goes on', async ({ skip }) => {
    const disk = await folder('filling');
    skip(!mounted(disk, 'size=64m'), 'needs the right to mount a small file system');
    try {
      await alice.upload('films', await cluster.file('filling.bin', 48 * MIB));
      await alice.process.stop();
      const id = await bob.begin('films', 'filling.bin', disk);
      await bob.untilTransfer(id, 'stalled', ({ state }) => state === 'stalled');
      await writeFile(join(disk, 'ballast'), Buffer.alloc(40 * MIB)).catch(() => undefined);
      await alice.restart();
      const failed = await bob.untilTransfer(id, 'failed', ({ state }) => state === 'failed', 45_000);
      expect(failed.reason).toMatchObject({ code: 'disk_full' });
      await rm(join(disk, 'ballast'));
      await bob.control.post(`/transfers/${id}/resume`);
      await bob.untilTransfer(id, 'complete', isOver, 45_000);
      await forget(bob, id);
    } finally {
      unmount(disk);
    }
  });
});

describe('events', () => {
  it('tell of a transfer, and go on from the last one seen after a restart', async () => {
    const begin = await bob.view<PeerEventListView>('/events?since=0&timeout=0');
    await alice.upload('films', await cluster.file('told.bin', 1000));
    const { transferId } = await bob.download('films', 'told.bin', await folder('told'));
    const seen = await bob.view<PeerEventListView>(`/events?since=${begin.last}&timeout=5`);
    expect(
      seen.items.some(({ type, data }) => type === 'transfer_changed' && JSON.stringify(data).includes(transferId)),
    ).toBe(true);
    await bob.process.stop();
    await bob.restart();
    const after = await bob.view<PeerEventListView>(`/events?since=${seen.last}&timeout=0`);
    expect(after.last).toBeGreaterThanOrEqual(seen.last);
    expect(after.items.map(({ type }) => type)).not.toContain('reset');
  });
});

describe('metrics', () => {
  it('count pool tasks and bytes per worker', async () => {
    await alice.upload('films', await cluster.file('counted.bin', 4 * MIB));
    await carol.download('films', 'counted.bin', await folder('counted'));
    const { url, token } = carol.control;
    const text = await (await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${token}` } })).text();
    const received = [...text.matchAll(/^cohort_\w*received_bytes\w*\{[^}]*worker="(\d+)"[^}]*\} (\d+)$/gm)];
    expect(
      received.reduce((sum, [, , bytes]) => sum + Number(bytes), 0),
      text,
    ).toBeGreaterThanOrEqual(4 * MIB);
    expect(text).toMatch(/^cohort_\w*tasks\w*\{[^}]*worker="0"[^}]*\} [1-9]/m);
  });
});
