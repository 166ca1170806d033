// Facts about reading files of folders that are not here, or not wholly: what is fetched for it, and what is not.
import 'reflect-metadata';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hasBit } from '#domain/bitfield';
import type { TransferView } from '#wire/control-api';
import { NO_LIMITS } from '#wire/control-limits';
import type { OpenContent } from '../../../../apps/peer/src/transfers/transfers.ts';
import { randomBytes, sourceOf } from '../swarm/engine-harness.ts';
import { expectSame, open, part, refusal, whole } from './reading-harness.ts';
import { begun, GROUP, stampOf, startGroup, type TransferPeer, until, untilState } from './transfers-harness.ts';

describe('a folder', () => {
  const PIECE = 512 * 1024;
  /** So slow that nothing is complete before a test is. */
  const SLOW = { ...NO_LIMITS, uploadBytesPerSecond: 4 * PIECE };
  const EPISODES = ['1', '2', '3', '4'].map((name) => ({ name, bytes: randomBytes(3 * PIECE) }));

  async function shareSeason(peer: TransferPeer): Promise<void> {
    const folder = join(peer.folder, 'season');
    mkdirSync(folder);
    for (const { name, bytes } of EPISODES) writeFileSync(join(folder, name), bytes);
    await begun(peer.transfers.upload({ group: GROUP, path: folder, wait: true }, stampOf(peer.link)));
    peer.trackers.isOnline(sourceOf(peer));
  }

  const season = (peer: TransferPeer, path: string, keep = false): Promise<OpenContent> =>
    open(peer, { file: 'season', path, keep });

  /** Which episodes are here, each with all of its pieces; a piece too many is told as such. */
  function here(peer: TransferPeer): string[] {
    const [{ bitfield, file }] = peer.transfers.list().slice(-1) as [TransferView];
    expect(file).toBe('season');
    const bits = Buffer.from(bitfield, 'base64');
    const counts = EPISODES.map(({ name }, episode) => {
      const count = [0, 1, 2].filter((piece) => hasBit(bits, episode * 3 + piece)).length;
      return count === 0 ? '' : count === 3 ? name : `${count} pieces of ${name}`;
    });
    return counts.filter((text) => text !== '');
  }

  async function hasPieces(peer: TransferPeer, transferId: string, count: number): Promise<void> {
    const verifiedBytes = (): number => peer.transfers.find(transferId)!.verifiedBytes;
    await expect.poll(verifiedBytes, { timeout: 20_000 }).toBeGreaterThanOrEqual(count * PIECE);
  }

  it('is fetched file by file as its readers come, and whole when it is to be kept', async () => {
    const [alice, bob] = await startGroup('alice', 'bob');
    await shareSeason(alice);
    const second = await season(bob, '2');
    expect(await part(second, 0, 1)).toEqual(EPISODES[1]!.bytes.subarray(0, 1));
    const [{ transferId }] = bob.transfers.list() as [TransferView];
    // All of it comes, although only its first byte was asked for.
    await hasPieces(bob, transferId, 3);
    const view = bob.transfers.find(transferId);
    expect(view).toMatchObject({ state: 'downloading', wantedBytes: 3 * PIECE, temporary: true });
    expect(here(bob)).toEqual(['2']);
    expectSame(await whole(await season(bob, '4')), EPISODES[3]!.bytes);
    await hasPieces(bob, transferId, 6);
    expect(here(bob)).toEqual(['2', '4']);
    expect(await refusal(bob, { file: 'season', path: '5' })).toMatchObject({ code: 'file_not_found' });
    expect(await refusal(bob, { file: 'season' })).toMatchObject({ code: 'invalid_request' });
    expect(here(bob)).toEqual(['2', '4']);
    await season(bob, '1', true);
    const kept = await untilState(bob, transferId, 'complete');
    expect(kept).toMatchObject({ temporary: false, only: null, verifiedBytes: 12 * PIECE });
    expect(bob.transfers.list()).toHaveLength(1);
  });

  it('that is asked for without a file of it fetches nothing', async () => {
    const [alice, bob] = await startGroup('alice', 'bob');
    await shareSeason(alice);
    expect(await refusal(bob, { file: 'season' })).toMatchObject({ code: 'invalid_request' });
    expect(await refusal(bob, { file: 'season', path: '5' })).toMatchObject({
      code: 'file_not_found',
      errors: [{ field: 'path', message: 'must be the path of a file in the folder, like 1' }],
    });
    expect(here(bob)).toEqual([]);
  });

  it('of which some files are fetched has what it skips fetched as long as somebody reads it', async () => {
    const [alice, bob] = await startGroup('alice', 'bob');
    await shareSeason(alice);
    await alice.transfers.setLimits(SLOW);
    const destination = join(bob.folder, 'copy');
    const asked = { group: GROUP, file: 'season', destination, only: ['1'] };
    const { transferId } = await begun(bob.transfers.download(asked, stampOf(bob.link)));
    await until(bob, transferId, ({ bitfield }) => bitfield !== '');
    const third = await season(bob, '3');
    expectSame(await whole(third), EPISODES[2]!.bytes);
    await hasPieces(bob, transferId, 6);
    // What its user wanted is all there, and the reader is not cut off by that.
    expect(bob.transfers.find(transferId)).toMatchObject({ state: 'downloading', wantedBytes: 6 * PIECE, only: ['1'] });
    third.close();
    expect(await untilState(bob, transferId, 'complete')).toMatchObject({ wantedBytes: 3 * PIECE });
    expect(readdirSync(destination)).toEqual(['1']);
    expect(bob.transfers.list()).toHaveLength(1);
  });

  it('whose copy on its way is joined by one for its readers alone is served as before when that one goes', async () => {
    const [alice, bob, carol] = await startGroup('alice', 'bob', 'carol');
    await shareSeason(alice);
    const first = await season(bob, '1');
    expectSame(await whole(first), EPISODES[0]!.bytes);
    const [{ transferId: temporary }] = bob.transfers.list() as [TransferView];
    await alice.transfers.setLimits({ ...NO_LIMITS, uploadBytesPerSecond: PIECE / 2 });
    const asked = { group: GROUP, file: 'season', destination: join(bob.folder, 'copy'), only: ['2', '3', '4'] };
    const { transferId } = await begun(bob.transfers.download(asked, stampOf(bob.link)));
    await hasPieces(bob, transferId, 1);
    bob.trackers.sources.clear();
    await bob.transfers.remove(temporary, 'delete');
    bob.trackers.isOnline(sourceOf(bob));
    const { transferId: hers } = await begun(
      carol.transfers.download({ group: GROUP, file: 'season', destination: carol.folder }, stampOf(carol.link)),
    );
    await hasPieces(carol, hers, 1);
    expect(bob.transfers.find(transferId)!.state).toBe('downloading');
  });
});
