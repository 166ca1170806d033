import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sourceOf } from '../swarm/engine-harness.ts';
import {
  begun,
  download,
  downloadWhole,
  GROUP,
  newFile,
  onDisk,
  recheckWhole,
  shareNew,
  stampOf,
  startGroup,
  untilState,
} from './transfers-harness.ts';

describe('the destination of a download', () => {
  it('that is a folder gets the file under its name in the group', async () => {
    const [alice, bob] = await startGroup('alice', 'bob');
    const { path } = await shareNew(alice);
    const folder = join(bob.folder, 'inner');
    mkdirSync(folder);
    const view = await downloadWhole(bob, { destination: folder });
    expect(view.path).toBe(join(folder, 'film'));
    expect(readFileSync(view.path).equals(readFileSync(path))).toBe(true);
  });

  it('that is not there is the path of the file', async () => {
    const [alice, bob] = await startGroup('alice', 'bob');
    await shareNew(alice);
    const { path } = await downloadWhole(bob, { destination: join(bob.folder, 'other name') });
    expect(onDisk(path)).toEqual({ file: true, part: false, journal: false });
  });

  it('whose folder is missing is refused by the name of the field, after the command was recorded', async () => {
    const [alice, bob] = await startGroup('alice', 'bob');
    await shareNew(alice);
    const answer = await download(bob, { destination: join(bob.folder, 'missing', 'film') });
    expect(answer).toMatchObject({ code: 'invalid_request', errors: [{ field: 'destination' }] });
    expect(bob.transfers.list()).toEqual([]);
    expect(bob.link.sent.at(-1)?.name).toBe('download_file');
  });

  it('that exists is refused, and replaced when that is allowed', async () => {
    const [alice, bob] = await startGroup('alice', 'bob');
    const { path } = await shareNew(alice);
    const mine = newFile(bob, 'film', Buffer.from('mine'));
    expect(await download(bob)).toMatchObject({ status: 'failed', code: 'destination_exists' });
    expect(readFileSync(mine, 'utf8')).toBe('mine');
    await downloadWhole(bob, { overwrite: true });
    expect(readFileSync(mine).equals(readFileSync(path))).toBe(true);
  });

  it('that appeared while the download ran is left alone', async () => {
    const [alice, bob] = await startGroup('alice', 'bob');
    await shareNew(alice);
    bob.trackers.sources.clear();
    const { transferId } = await begun(download(bob));
    await bob.transfers.pause(transferId);
    const theirs = newFile(bob, 'film', Buffer.from('theirs'));
    bob.trackers.isOnline(sourceOf(alice));
    await bob.transfers.resume(transferId);
    expect(await untilState(bob, transferId, 'failed')).toMatchObject({ reason: { code: 'destination_exists' } });
    await bob.transfers.remove(transferId, 'delete');
    expect(readFileSync(theirs, 'utf8')).toBe('theirs');
  });

  it('belongs to one download at a time, paused or not, however close they come', async () => {
    const [alice, bob] = await startGroup('alice', 'bob');
    await shareNew(alice);
    bob.trackers.sources.clear();
    const answers = await Promise.all([download(bob), download(bob), download(bob, { overwrite: true })]);
    const refusals = answers.filter(({ status }) => status === 'failed');
    expect(refusals.map((answer) => answer.status === 'failed' && answer.code)).toEqual(
      Array(2).fill('destination_exists'),
    );
    const [{ transferId } = { transferId: '' }] = bob.transfers.list();
    await bob.transfers.pause(transferId);
    expect(await download(bob, { overwrite: true })).toMatchObject({ code: 'destination_exists' });
    await bob.transfers.cancel(transferId);
    bob.trackers.isOnline(sourceOf(alice));
    await downloadWhole(bob);
  });

  it('is one, whichever way leads there, and so are the places beside it', async () => {
    const [alice, bob] = await startGroup('alice', 'bob');
    await shareNew(alice);
    bob.trackers.sources.clear();
    const folder = join(bob.folder, 'inner');
    mkdirSync(folder);
    symlinkSync(folder, join(bob.folder, 'link'));
    const { transferId } = await begun(download(bob, { destination: join(bob.folder, 'link', 'film') }));
    expect(bob.transfers.find(transferId)?.path).toBe(join(folder, 'film'));
    for (const destination of ['link', 'inner/film', 'inner/film.part', 'link/film.part.journal']) {
      expect(await download(bob, { destination: join(bob.folder, destination), overwrite: true })).toMatchObject({
        code: 'destination_exists',
      });
    }
    await begun(download(bob, { destination: join(folder, 'film.other') }));
  });

  it.each(['pause', 'cancel', 'stop', 'fail'] as const)(
    'that is the own copy is that copy itself after its %s, by a link to it, too',
    async (ending) => {
      const [alice, bob] = await startGroup('alice', 'bob');
      const album = join(alice.folder, 'album');
      mkdirSync(album);
      writeFileSync(join(album, 'a'), 'of alice');
      symlinkSync(album, join(alice.folder, 'link'));
      const shared = { group: GROUP, path: album, wait: true };
      const { transferId } = await begun(alice.transfers.upload(shared, stampOf(alice.link)));
      alice.trackers.isOnline(sourceOf(alice));
      await downloadWhole(bob, { file: 'album' });
      if (ending === 'pause' || ending === 'cancel') await alice.transfers[ending](transferId);
      if (ending === 'stop')
        await alice.transfers.stopShare({ group: GROUP, file: 'album', everywhere: false }, stampOf(alice.link));
      if (ending === 'fail') {
        writeFileSync(join(album, 'a'), 'changed!');
        await recheckWhole(alice, transferId, { repair: false });
      }
      for (const destination of ['album', 'link']) {
        const refused = await download(alice, { file: 'album', destination: join(alice.folder, destination) });
        expect(JSON.stringify(refused)).toContain(`${album} is this copy already`);
      }
      expect(readdirSync(album)).toEqual(['a']);
    },
  );

  it('that is the own copy is replaced where it is when that is allowed, although the copy is paused', async () => {
    const [alice, bob] = await startGroup('alice', 'bob');
    const album = join(alice.folder, 'album');
    mkdirSync(album);
    writeFileSync(join(album, 'a'), 'of alice');
    symlinkSync(alice.folder, join(bob.folder, 'link'));
    // Named through a link, which is kept as it was named.
    const path = join(bob.folder, 'link', 'album');
    const { transferId } = await begun(alice.transfers.upload({ group: GROUP, path, wait: true }, stampOf(alice.link)));
    alice.trackers.isOnline(sourceOf(alice));
    await downloadWhole(bob, { file: 'album' });
    alice.trackers.isOnline(sourceOf(bob));
    await alice.transfers.pause(transferId);
    writeFileSync(join(album, 'a'), 'changed!');
    const view = await downloadWhole(alice, { file: 'album', destination: album, overwrite: true });
    expect(view.path).toBe(album);
    expect([readdirSync(album), readFileSync(join(album, 'a'), 'utf8')]).toEqual([['a'], 'of alice']);
  });

  it('is not looked at for somebody who may not have the file', async () => {
    const [alice, bob] = await startGroup('alice', 'bob');
    await shareNew(alice);
    expect(await download(bob, { file: 'unknown', destination: '/nowhere/at/all' })).toMatchObject({
      status: 'rejected',
      reason: 'file_not_found',
    });
  });
});
