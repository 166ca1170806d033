import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sourceOf } from '../swarm/engine-harness.ts';
import {
  begun,
  download,
  downloadWhole,
  newFile,
  onDisk,
  shareNew,
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

  it('is not looked at for somebody who may not have the file', async () => {
    const [alice, bob] = await startGroup('alice', 'bob');
    await shareNew(alice);
    expect(await download(bob, { file: 'unknown', destination: '/nowhere/at/all' })).toMatchObject({
      status: 'rejected',
      reason: 'file_not_found',
    });
  });
});
