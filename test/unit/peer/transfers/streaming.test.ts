// Facts about reading content over real engines and files: of a copy that is here, of one that comes, and of one that is fetched for
// its readers alone.
import 'reflect-metadata';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { TransferView } from '#wire/control-api';
import { NO_LIMITS } from '#wire/control-limits';
import { STREAMS_MAX } from '#wire/limits';
import type { OpenContent } from '../../../../apps/peer/src/transfers/transfers.ts';
import { randomBytes, sourceOf } from '../swarm/engine-harness.ts';
import {
  begun,
  download,
  downloadWhole,
  GROUP,
  newFile,
  send,
  shareNew,
  spoil,
  stampOf,
  startAgain,
  startGroup,
  stop,
  type TransferPeer,
  until,
  untilState,
} from './transfers-harness.ts';
import { expectSame, open, part, read, refusal, whole } from './reading-harness.ts';

const MIB = 1024 * 1024;
const FILM = randomBytes(8 * MIB + 1_000);
/** So slow that nothing is complete before a test is. */
const SLOW = { ...NO_LIMITS, uploadBytesPerSecond: 2 * MIB };

async function shareFilm(peer: TransferPeer, bytes: Uint8Array = FILM): Promise<{ path: string; transferId: string }> {
  const path = newFile(peer, 'film', bytes);
  const { transferId } = await begun(peer.transfers.upload({ group: GROUP, path }, stampOf(peer.link)));
  peer.trackers.isOnline(sourceOf(peer));
  return { path, transferId };
}

/** Takes a user out of the group, as the trackers would tell the user's peer. */
async function removeMember(owner: TransferPeer, member: TransferPeer): Promise<void> {
  const answer = await send(owner.link, 'remove_member', { group: GROUP, user: member.name });
  if (answer.status !== 'accepted') return expect.fail(JSON.stringify(answer));
  const groupId = owner.trackers.log.state.groups.get(GROUP)!.id;
  const ended = { shareId: null, user: member.name, peerId: null };
  member.link.tell({ type: 'revoked', offset: answer.offset, groupId, ...ended });
}

const commandsOf = (peer: TransferPeer, name: string): number =>
  peer.trackers.log.records.filter(
    ({ command, actor }) => command.name === name && actor.kind === 'peer' && actor.user === peer.name,
  ).length;

/** The next removal of what a download wrote waits until it is let go. */
function heldRemoval({ engine }: TransferPeer): { called: Promise<void>; release: () => void } {
  const [called, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const removeData = engine.removeData.bind(engine);
  engine.removeData = async (removed) => {
    called.resolve();
    await released.promise;
    return removeData(removed);
  };
  return { called: called.promise, release: released.resolve };
}

const streamFolders = ({ dataDirectory }: TransferPeer): string[] => readdirSync(join(dataDirectory, 'streams'));

describe('a copy that is here', () => {
  it('is read from the disk, any part of it', async () => {
    const [alice] = await startGroup('alice', 'bob');
    await shareFilm(alice);
    const content = await open(alice);
    expect(content).toMatchObject({ name: 'film', position: 0, totalBytes: FILM.length });
    expectSame(await whole(content), FILM);
    expect(await part(content, 5, 6)).toEqual(FILM.subarray(5, 6));
    expectSame(await part(content, MIB - 3, 3 * MIB + 7), FILM.subarray(MIB - 3, 3 * MIB + 7));
    expect(await part(content, FILM.length - 1, FILM.length)).toEqual(FILM.subarray(-1));
    expect(await part(content, 7, 7)).toEqual(Buffer.alloc(0));
  });

  it('is read without a tracker, too', async () => {
    const [alice, bob] = await startGroup('alice', 'bob');
    await shareFilm(alice);
    await downloadWhole(bob);
    for (const peer of [alice, bob]) {
      peer.link.isCut = true;
      expectSame(await whole(await open(peer)), FILM);
    }
    expect(await refusal(bob, { file: 'other' })).toMatchObject({ status: 'failed', code: 'tracker_unavailable' });
  });

  it('hands out nothing of a piece that is not what was shared, is not served on, and is fetched from others', async () => {
    const [alice, bob] = await startGroup('alice', 'bob');
    await shareFilm(alice);
    const { path, transferId } = await downloadWhole(bob);
    spoil(path, MIB + 5);
    const content = await open(bob);
    const { bytes, refused } = await read(content.read({ begin: 0, end: content.totalBytes }));
    expect(refused).toMatchObject({ status: 'failed', code: 'content_unavailable' });
    expectSame(bytes, FILM.subarray(0, MIB));
    expect(bob.transfers.find(transferId)).toMatchObject({ state: 'complete', reason: { code: 'source_changed' } });
    expectSame(await whole(await open(bob)), FILM);
  });

  it('of a folder is read file by file', async () => {
    const [alice] = await startGroup('alice', 'bob');
    const folder = join(alice.folder, 'album');
    mkdirSync(join(folder, 'inner'), { recursive: true });
    const [one, two] = [randomBytes(700_000), randomBytes(900_000)];
    writeFileSync(join(folder, 'empty'), '');
    writeFileSync(join(folder, 'inner/one.mkv'), one);
    writeFileSync(join(folder, 'two.mkv'), two);
    await begun(alice.transfers.upload({ group: GROUP, path: folder }, stampOf(alice.link)));
    const file = 'album';
    const [first, second] = [
      await open(alice, { file, path: 'inner/one.mkv' }),
      await open(alice, { file, path: 'two.mkv' }),
    ];
    expect([first.name, first.position, second.name, second.position]).toEqual(['one.mkv', 1, 'two.mkv', 2]);
    expectSame(await whole(first), one);
    expectSame(await whole(second), two);
    expect(await part(second, 10, 20)).toEqual(two.subarray(10, 20));
    expect(await whole(await open(alice, { file, path: 'empty' }))).toEqual(Buffer.alloc(0));
    const wrong = (message: RegExp) => ({
      ...{ status: 'failed', code: 'invalid_request' },
      errors: [{ field: 'path', message: expect.stringMatching(message) as string }],
    });
    expect(await refusal(alice, { file })).toEqual(wrong(/must name a file/));
    for (const path of ['inner', 'nothing', '../two.mkv', 'inner/../two.mkv', '/two.mkv', 'INNER/one.mkv']) {
      expect(await refusal(alice, { file, path }), path).toMatchObject({ code: 'file_not_found' });
    }
  });

  it('of one file has no paths', async () => {
    const [alice] = await startGroup('alice', 'bob');
    await shareFilm(alice);
    expect(await refusal(alice, { path: 'film' })).toMatchObject({
      code: 'invalid_request',
      errors: [{ field: 'path' }],
    });
  });
});

describe('a download', () => {
  it('is read where it is not yet, before whatever else it fetches, and goes on', async () => {
    const [alice, bob] = await startGroup('alice', 'bob');
    await shareFilm(alice);
    await alice.transfers.setLimits(SLOW);
    const { transferId } = await begun(download(bob));
    const content = await open(bob);
    for (const begin of [7 * MIB, 3 * MIB, FILM.length - 10, 0]) {
      expect(await part(content, begin, begin + 10)).toEqual(FILM.subarray(begin, begin + 10));
      expect(bob.transfers.find(transferId)).toMatchObject({ state: 'downloading', temporary: false });
    }
    await alice.transfers.setLimits(NO_LIMITS);
    expectSame(await whole(content), FILM);
    await untilState(bob, transferId, 'complete');
    expectSame(await whole(content), FILM);
    content.close();
    expect(bob.transfers.find(transferId)).not.toBeNull();
  });

  it('that is cancelled ends its readers', async () => {
    const [alice, bob] = await startGroup('alice', 'bob');
    await shareFilm(alice);
    await alice.transfers.setLimits(SLOW);
    const { transferId } = await begun(download(bob));
    await until(bob, transferId, ({ state }) => state === 'downloading');
    const content = await open(bob);
    await bob.transfers.cancel(transferId);
    expect(content.ended.aborted).toBe(true);
    const { refused } = await read(content.read({ begin: 7 * MIB, end: 8 * MIB }));
    expect(refused).toMatchObject({ code: 'content_unavailable' });
  });
});

describe('what is not here', () => {
  it('is fetched for its reader, served to nobody in the log, and gone a while after the last one', async () => {
    const [alice, bob] = await startGroup('alice', 'bob');
    await shareFilm(alice);
    const [one, other] = await Promise.all([open(bob), open(bob)]);
    const [transfer, ...others] = bob.transfers.list();
    expect(others).toEqual([]);
    expect(transfer).toMatchObject({ direction: 'download', group: GROUP, file: 'film', temporary: true });
    expectSame(await whole(one), FILM);
    expectSame(await whole(other), FILM);
    await untilState(bob, transfer!.transferId, 'complete');
    expectSame(readFileSync(transfer!.path), FILM);
    const gone = new Promise<void>((resolve) => {
      bob.transfers.onEvent(({ type }) => {
        if (type === 'transfer_removed') resolve();
      });
    });
    one.close();
    expect(bob.transfers.list()).toHaveLength(1);
    other.close();
    await gone;
    await expect.poll(() => streamFolders(bob)).toEqual([]);
    expect(bob.transfers.list()).toEqual([]);
    expect(existsSync(transfer!.path)).toBe(false);
    expect([commandsOf(bob, 'download_file'), commandsOf(bob, 'seed_file'), commandsOf(bob, 'stop_share')]).toEqual([
      1, 0, 0,
    ]);
  });

  it('stays when it is to be kept, and is recorded like any other', async () => {
    const [alice, bob] = await startGroup('alice', 'bob');
    await shareFilm(alice);
    const content = await open(bob);
    expectSame(await whole(content), FILM);
    const { transferId } = bob.transfers.list()[0]!;
    await untilState(bob, transferId, 'complete');
    (await open(bob, { keep: true })).close();
    content.close();
    expect(await bob.transfers.end(transferId, 60_000)).toMatchObject({ state: 'complete' });
    expect(bob.transfers.find(transferId)).toMatchObject({ state: 'complete', temporary: false });
    expect(commandsOf(bob, 'seed_file')).toBe(1);
    await stop(bob);
    const again = await startAgain(bob);
    expect(again.transfers.find(transferId)).toMatchObject({ temporary: false });
    expectSame(await whole(await open(again)), FILM);
  });

  it('is asked for in the order of its reader also when it is known what it is before it is fetched', async () => {
    const [alice, bob] = await startGroup('alice', 'bob');
    await shareFilm(alice);
    (await open(bob)).close();
    await bob.transfers.remove(bob.transfers.list()[0]!.transferId, 'delete');
    await alice.transfers.setLimits({ ...NO_LIMITS, uploadBytesPerSecond: MIB });
    const content = await open(bob);
    const { transferId } = bob.transfers.list()[0]!;
    expect(await part(content, 8 * MIB, 8 * MIB + 10)).toEqual(FILM.subarray(8 * MIB, 8 * MIB + 10));
    expect(bob.transfers.find(transferId)!.verifiedBytes).toBeLessThan(5 * MIB);
  });

  it('is fetched anew for who wants to keep it just when it goes', async () => {
    const [alice, bob] = await startGroup('alice', 'bob');
    await shareFilm(alice);
    const content = await open(bob);
    expectSame(await whole(content), FILM);
    const [{ transferId }] = bob.transfers.list() as [TransferView];
    await untilState(bob, transferId, 'complete');
    const removing = heldRemoval(bob);
    content.close();
    await removing.called;
    const kept = open(bob, { keep: true });
    removing.release();
    expectSame(await whole(await kept), FILM);
    const [copy, ...others] = bob.transfers.list();
    expect(others).toEqual([]);
    expect(copy!.transferId).not.toBe(transferId);
    expect(await bob.transfers.end(copy!.transferId, 60_000)).toMatchObject({ state: 'complete' });
    expect(commandsOf(bob, 'seed_file')).toBe(1);
  });

  it('is gone after a restart, whatever was in the middle of it', async () => {
    const [alice, bob] = await startGroup('alice', 'bob');
    await shareFilm(alice);
    await alice.transfers.setLimits(SLOW);
    const content = await open(bob);
    expect(await part(content, 0, 10)).toEqual(FILM.subarray(0, 10));
    await stop(bob);
    expect(content.ended.aborted).toBe(true);
    mkdirSync(join(bob.dataDirectory, 'streams/stream-left'));
    expect(streamFolders(bob)).toHaveLength(2);
    const again = await startAgain(bob);
    expect(streamFolders(again)).toEqual([]);
    expect(again.transfers.list()).toEqual([]);
  });

  it('is refused like a download, and nothing is left of that', async () => {
    const [alice, bob] = await startGroup('alice', 'bob');
    await shareFilm(alice);
    expect(await refusal(bob, { file: 'other' })).toMatchObject({ status: 'rejected', reason: 'file_not_found' });
    expect(await refusal(bob, { group: 'other' })).toMatchObject({ status: 'rejected', reason: 'group_not_found' });
    expect(bob.transfers.list()).toEqual([]);
    expect(streamFolders(bob)).toEqual([]);
  });
});

describe('a reader', () => {
  it('that is no member any more reads no further, whatever copy it was', async () => {
    const [alice, bob, carol] = await startGroup('alice', 'bob', 'carol');
    await shareFilm(alice);
    await downloadWhole(carol);
    await alice.transfers.setLimits(SLOW);
    for (const peer of [bob, carol]) {
      const content = await open(peer);
      const reader = content.read({ begin: 0, end: content.totalBytes });
      expect(await reader.next()).toHaveLength(512 * 1024);
      await removeMember(alice, peer);
      expect(content.ended.aborted, peer.name).toBe(true);
      expect(await reader.next()).toMatchObject({ status: 'failed' });
      expect(await refusal(peer)).toMatchObject({ status: 'rejected', reason: 'not_a_member' });
    }
  });

  it('that is logged out reads no further', async () => {
    const [alice] = await startGroup('alice', 'bob');
    await shareFilm(alice);
    const content = await open(alice);
    alice.link.logOut();
    expect(content.ended.aborted).toBe(true);
    expect(await refusal(alice)).toMatchObject({ code: 'not_logged_in' });
  });

  it('ends with what it reads when that is removed', async () => {
    const [alice, bob] = await startGroup('alice', 'bob');
    await shareFilm(alice);
    const { transferId } = await downloadWhole(bob);
    const content = await open(bob);
    await bob.transfers.remove(transferId, 'delete');
    expect(await read(content.read({ begin: 0, end: 1 }))).toMatchObject({ refused: { code: 'content_unavailable' } });
  });

  it('finds no place where there are too many, until one ends', async () => {
    const [alice] = await startGroup('alice', 'bob');
    await shareNew(alice);
    const opened: OpenContent[] = [];
    for (let count = 0; count < STREAMS_MAX; count++) opened.push(await open(alice));
    expect(await refusal(alice)).toMatchObject({ status: 'failed', code: 'busy' });
    expect(await refusal(alice, { file: 'other' })).toMatchObject({ code: 'busy' });
    opened[0]!.close();
    opened[0]!.close();
    expect(await refusal(alice, { file: 'other' })).toMatchObject({ reason: 'file_not_found' });
    await open(alice);
    expect(await refusal(alice)).toMatchObject({ code: 'busy' });
  });

  it('asks the trackers again when something of its groups has changed, and not for every part', async () => {
    const [alice] = await startGroup('alice', 'bob');
    await shareFilm(alice);
    let asked = 0;
    const { findSources } = alice.link;
    alice.link.findSources = (share) => {
      asked++;
      return findSources(share);
    };
    for (let count = 0; count < 5; count++) (await open(alice)).close();
    expect(asked).toBe(1);
    alice.link.tell({ type: 'group_changed', group: GROUP });
    await open(alice);
    expect(asked).toBe(2);
  });
});

it('a file that is gone from the disk is told as such', async () => {
  const [alice] = await startGroup('alice', 'bob');
  const { path, transferId } = await shareFilm(alice);
  const content = await open(alice);
  rmSync(path);
  expect(await read(content.read({ begin: 0, end: 10 }))).toMatchObject({ refused: { code: 'content_unavailable' } });
  expect(alice.transfers.find(transferId)).toMatchObject({ state: 'failed' });
});
