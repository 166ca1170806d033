import { mkdir, open, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { TransferView } from '#wire/control-api';
import { Cluster, expectOk, PASSWORD, sha1Of, type TestPeer, until } from './cluster.ts';
import { cohort } from './typed-commands.ts';

vi.setConfig({ testTimeout: 90_000 });

const MIB = 1024 * 1024;
const PIECE_BYTES = 512 * 1024;
let cluster: Cluster;
let alice: TestPeer;
let bob: TestPeer;

beforeAll(async () => {
  cluster = await Cluster.start();
  [alice, bob] = await cluster.users('alice', 'bob');
  await cluster.group('films', alice, bob);
}, 120_000);
afterAll(() => cluster.stop());

/** A file that alice shares and bob has downloaded. */
async function shared(
  name: string,
  totalBytes: number,
): Promise<{ path: string; upload: TransferView; copy: TransferView }> {
  const path = await cluster.file(name, totalBytes);
  const upload = await alice.upload('films', path);
  const folder = cluster.path(`${name}-of-bob`);
  await mkdir(folder);
  return { path, upload, copy: await bob.download('films', name, folder) };
}

/** Writes other bytes over the first bytes of these pieces, where the file lies. */
async function damage(path: string, ...pieces: readonly number[]): Promise<void> {
  const file = await open(path, 'r+');
  for (const piece of pieces) await file.write(Buffer.from('damage'), 0, 6, piece * PIECE_BYTES);
  await file.close();
}

const recheckBy = (
  peer: TestPeer,
  { transferId }: TransferView,
  body: object = { wait: true },
): Promise<TransferView> =>
  expectOk(`recheck by ${peer.name}`, peer.control.post<TransferView>(`/transfers/${transferId}/recheck`, body));

/** `cohort recheck` on a peer, and what it says as JSON. */
async function typedRecheck(peer: TestPeer, ...words: readonly string[]) {
  const { exitCode, out, complaint } = await cohort(['--data-dir', peer.dataDirectory, '--json', 'recheck', ...words]);
  const answer = out === '' ? null : (JSON.parse(out) as { verdict: string; transfers: TransferView[] });
  return { exitCode, complaint, answer };
}

it('damaged pieces of a download are fetched again, and the file is what it was', async () => {
  const { path, copy } = await shared('repaired.bin', 16 * MIB);
  await damage(copy.path, 0, 5, 31);
  const { exitCode, answer } = await typedRecheck(bob, 'films', 'repaired.bin');
  expect({ exitCode, verdict: answer?.verdict }).toEqual({ exitCode: 0, verdict: 'repaired' });
  expect(answer?.transfers[0]?.recheck).toMatchObject({ checkedPieces: 32, damagedPieces: 3, repairedPieces: 3 });
  expect(await sha1Of(copy.path)).toBe(await sha1Of(path));
  expect(await readdir(cluster.path('repaired.bin-of-bob'))).toEqual(['repaired.bin']);
});

it('a share whose file was damaged in place is repaired from a copy, and delivers again', async () => {
  const { path, upload, copy } = await shared('source.bin', 8 * MIB);
  await damage(path, 3);
  await truncate(path, 7 * MIB);
  expect(await recheckBy(alice, upload)).toMatchObject({
    state: 'seeding',
    recheck: { verdict: 'repaired', damagedPieces: 3 },
  });
  expect(await sha1Of(path)).toBe(await sha1Of(copy.path));
  await bob.control.delete(`/transfers/${copy.transferId}?data=delete`);
  const again = await bob.download('films', 'source.bin', cluster.path('source.bin-of-bob'));
  expect(await sha1Of(again.path)).toBe(await sha1Of(path));
});

it('without another seeder the verdict is 1, and a later recheck repairs', async () => {
  const { path, upload } = await shared('alone.bin', 4 * MIB);
  await damage(path, 1, 2);
  await bob.accepted('logout');
  await until('bob is gone', async () => (await seedersOnline('alone.bin')) <= 1);
  const damaged = await typedRecheck(alice, 'films', 'alone.bin');
  expect({ exitCode: damaged.exitCode, verdict: damaged.answer?.verdict }).toEqual({ exitCode: 1, verdict: 'damaged' });
  expect(damaged.answer?.transfers[0]?.reason).toMatchObject({ code: 'source_changed' });
  expect(damaged.answer?.transfers[0]?.reason?.detail).toContain('2 of 8 pieces (1-2)');
  await bob.accepted('login', { user: 'bob', password: PASSWORD });
  await until('alice can repair', async () => (await recheckBy(alice, upload)).recheck?.verdict === 'repaired');
  expect((await alice.transfer(upload.transferId)).state).toBe('seeding');
});

async function seedersOnline(name: string): Promise<number> {
  const files = await alice.list<{ file: string; seedersOnline: number }>('/groups/films/files');
  return files.find(({ file }) => file === name)?.seedersOnline ?? 0;
}

it('a download whose file was deleted is downloaded again, and without a seeder the verdict is 2', async () => {
  const { path, upload, copy } = await shared('deleted.bin', 4 * MIB);
  await rm(copy.path);
  expect((await recheckBy(bob, copy)).recheck).toMatchObject({ verdict: 'repaired', absentFiles: ['deleted.bin'] });
  expect(await sha1Of(copy.path)).toBe(await sha1Of(path));
  await alice.control.post(`/transfers/${upload.transferId}/pause`);
  await rm(copy.path);
  const missing = await typedRecheck(bob, copy.transferId);
  expect({ exitCode: missing.exitCode, verdict: missing.answer?.verdict }).toEqual({
    exitCode: 2,
    verdict: 'incomplete',
  });
  expect(missing.answer?.transfers[0]?.reason).toMatchObject({ code: 'source_missing' });
});

it('a recheck shows its progress, and other downloads go on beside it', async () => {
  const { copy } = await shared('large.bin', 256 * MIB);
  const other = await cluster.file('beside.bin', 32 * MIB);
  await alice.upload('films', other);
  const begun = await recheckBy(bob, copy, {});
  expect(begun).toMatchObject({ state: 'hashing', recheck: { verdict: null } });
  const beside = await bob.download('films', 'beside.bin', cluster.path('beside-of-bob.bin'));
  expect(await sha1Of(beside.path)).toBe(await sha1Of(other));
  const over = await bob.untilTransfer(copy.transferId, 'rechecked', ({ recheck }) => recheck?.verdict === 'sound');
  expect(over).toMatchObject({ state: 'complete', sha1Matches: true, verifiedBytes: 256 * MIB });
});

it('a process that is killed in the middle of a repair leaves a copy that a later recheck repairs', async () => {
  const { path, copy } = await shared('killed.bin', 256 * MIB);
  const expected = await readFile(path);
  const spoilt = Buffer.from(expected);
  for (let piece = 0; piece < 512; piece += 2) spoilt.fill(7, piece * PIECE_BYTES, piece * PIECE_BYTES + 9);
  for (let round = 0; round < 3; round++) {
    await writeFile(copy.path, spoilt);
    await recheckBy(bob, copy, {});
    const isRepairing = ({ state, verifiedBytes, recheck }: TransferView): boolean =>
      (state === 'downloading' && verifiedBytes > (136 + 16 * round) * MIB) || recheck?.verdict === 'repaired';
    await bob.untilTransfer(copy.transferId, 'in the middle of its repair', isRepairing);
    await bob.process.kill();
    expect(strangeBytes(await readFile(copy.path), { expected, spoilt })).toBe(0);
    await bob.restart();
  }
  const { state, reason, recheck } = await recheckBy(bob, copy);
  expect({ state, reason }).toEqual({ state: 'complete', reason: null });
  // The last kill may have come when everything was in place.
  expect(recheck?.verdict).toMatch(/repaired|sound/);
  expect((await readFile(copy.path)).equals(expected)).toBe(true);
  expect(await readdir(join(copy.path, '..'))).toEqual(['killed.bin']);
});

/** Bytes of a copy that are neither what was shared nor what was spoilt before. */
function strangeBytes(bytes: Buffer, { expected, spoilt }: { expected: Buffer; spoilt: Buffer }): number {
  if (bytes.length !== expected.length) return Math.abs(bytes.length - expected.length);
  let count = 0;
  for (let begin = 0; begin < bytes.length; begin += PIECE_BYTES) {
    const end = begin + PIECE_BYTES;
    if (bytes.subarray(begin, end).equals(expected.subarray(begin, end))) continue;
    for (let at = begin; at < end; at++) if (bytes[at] !== expected[at] && bytes[at] !== spoilt[at]) count++;
  }
  return count;
}
