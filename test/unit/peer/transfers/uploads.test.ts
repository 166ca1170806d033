import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { TransferFailure } from '../../../../apps/peer/src/swarm/transfer-engine.ts';
import {
  begun,
  GROUP,
  HeldCalls,
  newFile,
  shareNew,
  stampOf,
  startGroup,
  until,
  untilState,
} from './transfers-harness.ts';

it('an upload that is hashed at once is answered with the offset of its record', async () => {
  const [alice] = await startGroup('alice');
  const path = newFile(alice, 'film');
  const started = await begun(alice.transfers.upload({ group: GROUP, path }, stampOf(alice.link)));
  const { id, contentId } = alice.trackers.log.state.groups.get(GROUP)!.shares.get('film')!;
  expect(started).toMatchObject({ offset: id, result: { share: { shareId: id, contentId } } });
});

it('an upload that takes long is answered without an offset, is pending, and gets one when the log has decided', async () => {
  const [alice] = await startGroup('alice');
  const hashing = new HeldCalls(alice.engine, 'digest');
  const stamp = stampOf(alice.link);
  const body = { group: GROUP, path: newFile(alice, 'film'), wait: true, timeoutSeconds: 0 };
  const { transferId, offset, result } = await begun(alice.transfers.upload(body, stamp));
  expect({ offset, result }).toEqual({ offset: null, result: {} });
  expect(alice.transfers.isUndecided(stamp.commandId)).toBe(true);
  expect(await alice.transfers.end(transferId, 0)).toEqual({ state: 'running', offset: null });
  hashing.release();
  await untilState(alice, transferId, 'seeding');
  expect(alice.transfers.isUndecided(stamp.commandId)).toBe(false);
  const share = alice.trackers.log.state.groups.get(GROUP)?.shares.get('film');
  expect(await alice.transfers.end(transferId, 0)).toEqual({ state: 'complete', offset: share?.id });
});

it('an upload that was answered and is refused after all fails with the reason', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  const hashing = new HeldCalls(bob.engine, 'digest');
  const body = { group: GROUP, path: newFile(bob, 'film'), wait: true, timeoutSeconds: 0 };
  const { transferId } = await begun(bob.transfers.upload(body, stampOf(bob.link)));
  await shareNew(alice);
  hashing.release();
  const { reason } = await untilState(bob, transferId, 'failed');
  expect(reason).toMatchObject({ code: 'refused' });
});

it('an upload that was answered waits for the trackers when they are away', async () => {
  const [alice] = await startGroup('alice');
  const hashing = new HeldCalls(alice.engine, 'digest');
  const body = { group: GROUP, path: newFile(alice, 'film'), wait: true, timeoutSeconds: 0 };
  const { transferId } = await begun(alice.transfers.upload(body, stampOf(alice.link)));
  alice.link.isCut = true;
  hashing.release();
  await until(alice, transferId, ({ reason }) => reason?.code === 'trackers_unreachable');
  alice.link.isCut = false;
  expect(await untilState(alice, transferId, 'seeding')).toMatchObject({ reason: null });
});

it('an upload that is paused while somebody waits for it is there to be resumed', async () => {
  const [alice] = await startGroup('alice');
  const hashing = new HeldCalls(alice.engine, 'digest');
  const answer = alice.transfers.upload(
    { group: GROUP, path: newFile(alice, 'film'), wait: true },
    stampOf(alice.link),
  );
  await hashing.called;
  const [{ transferId } = { transferId: '' }] = alice.transfers.list();
  await alice.transfers.pause(transferId);
  hashing.release();
  expect(await answer).toMatchObject({ status: 'started', transferId, offset: null });
  expect(alice.transfers.find(transferId)).toMatchObject({ state: 'paused' });
  await alice.transfers.resume(transferId);
  await untilState(alice, transferId, 'seeding');
});

it('a repeated upload is the transfer that the first one began', async () => {
  const [alice] = await startGroup('alice');
  const body = { group: GROUP, path: newFile(alice, 'film') };
  const stamp = stampOf(alice.link);
  const first = await begun(alice.transfers.upload(body, stamp));
  expect(await alice.transfers.upload(body, stamp)).toEqual(first);
  expect(alice.transfers.list()).toHaveLength(1);
});

it('a copy is adopted without a transfer when it is the content, and refused by its path when it is not', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  const bytes = Buffer.alloc(200_000, 7);
  await begun(alice.transfers.upload({ group: GROUP, path: newFile(alice, 'film', bytes) }, stampOf(alice.link)));
  const other = { group: GROUP, file: 'film', path: newFile(bob, 'other') };
  expect(await bob.transfers.seed(other, stampOf(bob.link))).toMatchObject({
    code: 'invalid_request',
    errors: [{ field: 'path' }],
  });
  expect(bob.transfers.list()).toEqual([]);
  const copy = { group: GROUP, file: 'film', path: newFile(bob, 'copy', bytes) };
  const { transferId } = await begun(bob.transfers.seed(copy, stampOf(bob.link)));
  expect(bob.transfers.find(transferId)).toMatchObject({ state: 'seeding', verifiedBytes: 200_000 });
  const share = bob.trackers.log.state.groups.get(GROUP)?.shares.get('film');
  expect([...share!.seeders.values()].sort()).toEqual(['alice', 'bob']);
});

it('a share that is stopped is served no more and stays on disk', async () => {
  const [alice] = await startGroup('alice');
  const { transferId } = await shareNew(alice);
  expect(alice.transfers.find(transferId)).toMatchObject({ state: 'seeding', served: true });
  await alice.transfers.stopShare({ group: GROUP, file: 'film' }, stampOf(alice.link));
  expect(alice.transfers.find(transferId)).toMatchObject({ state: 'complete', served: false, reason: null });
});

it.each<[string, (folder: string) => string, string[], string, string]>([
  ['a glob that is none', (folder) => folder, ['a', '['], 'exclude[1]', 'must be a glob, like *.tmp or build/**'],
  ['a glob that is turned round', (folder) => folder, ['!a'], 'exclude[0]', 'must not begin with !: '],
  ['what is left out of a file', (folder) => join(folder, 'film'), ['a'], 'exclude', 'must be left out: it is about'],
])('%s is refused by the name of the field', async (_what, pathIn, exclude, field, message) => {
  const [alice] = await startGroup('alice');
  newFile(alice, 'film');
  const body = { group: GROUP, path: pathIn(alice.folder), name: 'x', exclude };
  expect(await alice.transfers.upload(body, stampOf(alice.link))).toMatchObject({
    code: 'invalid_request',
    errors: [{ field, message: expect.stringContaining(message) }],
  });
  expect(alice.transfers.list()).toEqual([]);
});

it('a path that cannot be looked at is not told as one where nothing is', async () => {
  const [alice] = await startGroup('alice');
  const path = join(alice.folder, 'circle');
  symlinkSync(path, path);
  const refused = await alice.transfers.upload({ group: GROUP, path }, stampOf(alice.link));
  expect(JSON.stringify(refused)).toContain('cannot be looked at: ELOOP');
  expect(JSON.stringify(refused)).not.toContain('must be a file or folder that is there');
});

it('a file in a folder that cannot be read may be left out, and that is said', async () => {
  const [alice] = await startGroup('alice');
  const path = join(alice.folder, 'album');
  mkdirSync(path);
  const secret = `${join(path, 'secret')} cannot be read: EACCES: permission denied`;
  alice.engine.digest = () => Promise.reject(new TransferFailure('source_unreadable', secret));
  const refused = await alice.transfers.upload({ group: GROUP, path, wait: true }, stampOf(alice.link));
  const message = `cannot be shared: ${secret}: make it readable for the user that the peer runs as, or leave it out with exclude`;
  expect(refused).toMatchObject({ code: 'invalid_request', errors: [{ field: 'path', message }] });
});
