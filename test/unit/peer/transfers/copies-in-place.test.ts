// Copies that nobody reads and that are not there any more: the engine, the files and the transfers are the real ones.
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { CopiesInPlace } from '../../../../apps/peer/src/transfers/copies-in-place.ts';
import type { Transfer } from '../../../../apps/peer/src/transfers/transfer-set.ts';
import { randomBytes } from '../swarm/engine-harness.ts';
import {
  download,
  downloadWhole,
  begun,
  newFile,
  pace,
  recheckWhole,
  shareNew,
  startAgain,
  startGroup,
  stop,
  until,
  untilState,
} from './transfers-harness.ts';

pace.placeLookMs = 20;

it('an upload whose file is gone says so while another copy of its share is served, and nobody notices there', async () => {
  const [alice, carol] = await startGroup('alice', 'carol');
  const upload = await shareNew(alice, 'film');
  const second = await downloadWhole(alice, { destination: join(alice.folder, 'second') });
  const withdrawn: string[] = [];
  const withdraw = alice.engine.withdraw.bind(alice.engine);
  alice.engine.withdraw = (share, fromPath) => {
    withdrawn.push(fromPath ?? 'any');
    withdraw(share, fromPath);
  };
  rmSync(upload.path);
  const failed = await untilState(alice, upload.transferId, 'failed');
  expect(failed).toMatchObject({ served: false, reason: { code: 'source_missing' } });
  expect(failed.reason?.detail).toContain(`${upload.path} is gone`);
  expect(withdrawn).toEqual([upload.path]);
  expect(alice.transfers.find(second.transferId)).toMatchObject({ state: 'complete', served: true, reason: null });
  const { path } = await downloadWhole(carol);
  expect(readFileSync(path).equals(readFileSync(second.path))).toBe(true);
  expect(alice.link.unserved).toEqual([]);
});

it('a download whose file is gone says so, although nobody asks for it, and is served again once it is back', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  await shareNew(alice);
  const { path, transferId } = await downloadWhole(bob);
  renameSync(path, `${path}.away`);
  await until(bob, transferId, ({ reason }) => reason?.code === 'source_missing');
  renameSync(`${path}.away`, path);
  expect(await until(bob, transferId, ({ reason }) => reason === null)).toMatchObject({ served: true });
});

it('an upload that was not there at the start of its peer goes on once its disk is', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  const { path, transferId } = await shareNew(alice);
  await stop(alice);
  renameSync(path, `${path}.away`);
  const again = await startAgain(alice);
  await untilState(again, transferId, 'failed');
  // A look or two at its absence: another one that goes is noticed by the same look.
  const other = await shareNew(again, 'other');
  rmSync(other.path);
  await untilState(again, other.transferId, 'failed');
  renameSync(`${path}.away`, path);
  await untilState(again, transferId, 'seeding');
  expect((await downloadWhole(bob)).state).toBe('complete');
});

it('what is something else when it is back is told as changed, once', async () => {
  const [alice] = await startGroup('alice');
  const { path, transferId } = await shareNew(alice);
  rmSync(path);
  await untilState(alice, transferId, 'failed');
  writeFileSync(path, 'mine');
  const changed = await until(alice, transferId, ({ reason }) => reason?.code === 'source_changed');
  expect(changed.state).toBe('failed');
  expect(readFileSync(path, 'utf8')).toBe('mine');
});

it('a copy that is fetched again after it went is served when it is whole', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  await shareNew(alice);
  const { path, transferId } = await downloadWhole(bob);
  rmSync(path);
  await until(bob, transferId, ({ reason }) => reason?.code === 'source_missing');
  expect((await recheckWhole(bob, transferId)).recheck?.verdict).toBe('repaired');
  expect(bob.transfers.find(transferId)).toMatchObject({ state: 'complete', served: true, reason: null });
});

it('a path of which nothing can be told counts as one where something is, and what is replaced or of others is not looked at', async () => {
  const [alice] = await startGroup('alice');
  const blocked = join(alice.folder, 'blocked');
  mkdirSync(blocked);
  newFile(alice, 'blocked/film', randomBytes(10));
  const gone: string[] = [];
  const named = ['blocked/film', 'none', 'x'.repeat(300), 'blocked/film/in-a-file', 'replaced'];
  const copies = [
    ...named.map((name) => seeded(join(alice.folder, name))),
    seeded(join(alice.folder, 'of-bob'), 'bob'),
  ];
  const places = new CopiesInPlace({
    context: { link: { user: () => 'alice' } },
    transfers: { all: () => copies, has: () => true, isReplaced: ({ record }) => record.path.endsWith('replaced') },
    findings: { gone: ({ record }) => void gone.push(record.path), back: () => expect.fail('nothing is back') },
    lookMs: 60_000,
  });
  await Promise.all([places.look(), places.look()]);
  expect(gone).toEqual([join(alice.folder, 'none'), join(alice.folder, 'blocked/film/in-a-file')]);
});

it('of copies that are in their places nobody asks whether others have taken them', async () => {
  const [alice] = await startGroup('alice');
  const copies = [seeded(newFile(alice, 'here', randomBytes(10))), seeded(join(alice.folder, 'none'))];
  const asked: Transfer[] = [];
  const places = new CopiesInPlace({
    context: { link: { user: () => 'alice' } },
    transfers: { all: () => copies, has: () => true, isReplaced: (transfer) => asked.push(transfer) > 0 },
    findings: { gone: () => expect.fail('it was replaced'), back: () => expect.fail('nothing is back') },
    lookMs: 60_000,
  });
  await places.look();
  expect(asked).toEqual([copies[1]]);
});

it('a download that is under way and a copy that is paused are not looked at', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  const other = await shareNew(alice, 'other');
  await alice.transfers.pause(other.transferId);
  const upload = await shareNew(alice);
  alice.trackers.sources.clear();
  const waiting = await begun(download(bob));
  rmSync(other.path);
  rmSync(upload.path);
  await untilState(alice, upload.transferId, 'failed');
  expect(alice.transfers.find(other.transferId)).toMatchObject({ state: 'paused', reason: null });
  expect(bob.transfers.find(waiting.transferId)?.reason?.code).not.toBe('source_missing');
});

it('what was there again before the first look is told as back, once for each time that it went', async () => {
  const [alice] = await startGroup('alice');
  const path = newFile(alice, 'film', randomBytes(10));
  const copy = seeded(path);
  Object.assign(copy.record, { state: 'failed', reason: { code: 'source_missing' } });
  const damaged = seeded(newFile(alice, 'damaged', randomBytes(10)));
  Object.assign(damaged.record, copy.record, { path: damaged.record.path, damage: { soundBytes: 0, bitfield: '' } });
  const back: string[] = [];
  const places = new CopiesInPlace({
    context: { link: { user: () => 'alice' } },
    transfers: { all: () => [copy, damaged], has: () => true, isReplaced: () => false },
    findings: { gone: () => expect.fail('it was gone before'), back: ({ record }) => void back.push(record.path) },
    lookMs: 60_000,
  });
  await places.look();
  expect(back).toEqual([path]);
  // It could not be served, for one of its files is missing still.
  await places.look();
  await places.look();
  expect(back).toEqual([path]);
  renameSync(path, `${path}.away`);
  await places.look();
  renameSync(`${path}.away`, path);
  await places.look();
  await places.look();
  expect(back).toEqual([path, path]);
});

it('a copy that was away at the start of its peer and is back by its first look is served again', async () => {
  const [alice] = await startGroup('alice');
  const { path, transferId } = await shareNew(alice);
  await stop(alice);
  renameSync(path, `${path}.away`);
  pace.placeLookMs = 1_000;
  const again = await startAgain(alice);
  pace.placeLookMs = 20;
  await untilState(again, transferId, 'failed');
  renameSync(`${path}.away`, path);
  expect(await untilState(again, transferId, 'seeding')).toMatchObject({ served: true, reason: null });
});

/** An upload that is served, as far as its record tells. */
function seeded(path: string, user = 'alice'): Transfer {
  const record = { direction: 'upload', state: 'seeding', share: { shareId: 1 }, stamp: 's', reason: null, path };
  return { record: { ...record, user }, isOffered: true, isRechecking: false } as unknown as Transfer;
}
