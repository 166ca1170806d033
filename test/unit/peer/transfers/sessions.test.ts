import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { sourceOf } from '../swarm/engine-harness.ts';
import {
  begun,
  download,
  downloadWhole,
  GROUP,
  HeldCalls,
  newFile,
  send,
  shareNew,
  stampOf,
  startGroup,
  until,
  untilState,
} from './transfers-harness.ts';

it('a logout pauses downloads and shares, and the login goes on with them', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  const { path, transferId: shareId } = await shareNew(alice);
  bob.trackers.sources.clear();
  const { transferId } = await begun(download(bob));
  await untilState(bob, transferId, 'stalled');
  alice.link.logOut();
  bob.link.logOut();
  const paused = { state: 'paused', reason: { code: 'logged_out' } };
  expect(alice.transfers.find(shareId)).toMatchObject(paused);
  expect(bob.transfers.find(transferId)).toMatchObject(paused);
  alice.link.logIn();
  await untilState(alice, shareId, 'seeding');
  bob.trackers.isOnline(sourceOf(alice));
  bob.link.logIn();
  const view = await untilState(bob, transferId, 'complete');
  expect(readFileSync(view.path).equals(readFileSync(path))).toBe(true);
});

it('what the user paused is still paused after a logout and a login', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  const { transferId: shareId } = await shareNew(alice);
  bob.trackers.sources.clear();
  const { transferId } = await begun(download(bob));
  await alice.transfers.pause(shareId);
  await bob.transfers.pause(transferId);
  for (const { link } of [alice, bob]) {
    link.logOut();
    link.logIn();
  }
  expect(alice.transfers.find(shareId)).toMatchObject({ state: 'paused', reason: null });
  expect(bob.transfers.find(transferId)).toMatchObject({ state: 'paused', reason: null });
});

it('nothing is resumed for somebody else', async () => {
  const [alice] = await startGroup('alice');
  const { transferId } = await shareNew(alice);
  alice.link.logOut();
  expect(await alice.transfers.resume(transferId)).toMatchObject({ code: 'not_logged_in' });
});

it('an upload that is being hashed at the logout is published after the login', async () => {
  const [alice] = await startGroup('alice');
  const hashing = new HeldCalls(alice.engine, 'digest');
  const { transferId } = await begun(
    alice.transfers.upload({ group: GROUP, path: newFile(alice, 'film') }, stampOf(alice.link)),
  );
  expect(alice.transfers.find(transferId)).toMatchObject({ state: 'hashing' });
  alice.link.logOut();
  expect(alice.transfers.find(transferId)).toMatchObject({ state: 'paused', reason: { code: 'logged_out' } });
  alice.link.logIn();
  hashing.release();
  await untilState(alice, transferId, 'seeding');
});

it('a share that is being read at the logout is not served', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  const { transferId } = await shareNew(alice);
  await alice.transfers.pause(transferId);
  const serving = new HeldCalls(alice.engine, 'serve');
  await alice.transfers.resume(transferId);
  await serving.called;
  alice.link.logOut();
  serving.release();
  expect(alice.transfers.find(transferId)).toMatchObject({ state: 'paused', reason: { code: 'logged_out' } });
  const started = await begun(download(bob));
  await until(bob, started.transferId, ({ state }) => state === 'stalled');
  alice.link.logIn();
  await untilState(bob, started.transferId, 'complete');
});

it('a refusal from before the login does not pause a download that the login has begun again', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  await shareNew(alice);
  bob.trackers.sources.clear();
  const { transferId } = await begun(download(bob));
  const stalled = await untilState(bob, transferId, 'stalled');
  const { promise, resolve } = Promise.withResolvers<void>();
  bob.link.held = promise;
  // The trackers know of the logout before this peer does.
  bob.trackers.log.append('logout', {}, { actor: { kind: 'peer', peerId: bob.identity.id, user: 'bob' } });
  const { shares } = bob.trackers.log.state.groups.get(GROUP)!;
  bob.link.tell({ type: 'sources_changed', shareId: shares.get(stalled.file)!.id });
  bob.link.logOut();
  bob.trackers.isOnline(sourceOf(alice));
  bob.link.logIn();
  resolve();
  expect(await untilState(bob, transferId, 'complete')).toMatchObject({ reason: null });
});

it('a member who was removed loses what is not whole, and keeps what is', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  await shareNew(alice, 'whole');
  await shareNew(alice, 'partial');
  const whole = await downloadWhole(bob, { file: 'whole' });
  bob.trackers.sources.clear();
  const partial = await begun(download(bob, { file: 'partial' }));
  await untilState(bob, partial.transferId, 'stalled');
  const removed = await send(alice.link, 'remove_member', { group: GROUP, user: 'bob' });
  if (removed.status !== 'accepted') expect.fail(JSON.stringify(removed));
  const groupId = bob.trackers.log.state.groups.get(GROUP)!.id;
  bob.link.tell({
    ...{ type: 'revoked', offset: removed.offset, groupId },
    ...{ shareId: null, user: 'bob', peerId: null },
  });
  expect(bob.transfers.find(partial.transferId)).toMatchObject({ state: 'failed', reason: { code: 'not_a_member' } });
  expect(bob.transfers.find(whole.transferId)).toMatchObject({ state: 'complete', reason: { code: 'not_a_member' } });
});

it('a download goes on by itself when the trackers are back', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  await shareNew(alice);
  const checking = new HeldCalls(bob.engine, 'checkDestination');
  const beginning = download(bob);
  await checking.called;
  bob.link.isCut = true;
  checking.release();
  const { transferId } = await begun(beginning);
  await until(bob, transferId, ({ reason }) => reason?.code === 'trackers_unreachable');
  bob.link.isCut = false;
  const status = {
    address: 'tracker:1',
    trackerId: null,
    state: 'ready',
    active: true,
    appliedOffset: 1,
    trouble: null,
  } as const;
  bob.link.tell({ type: 'tracker_changed', tracker: status });
  expect(await untilState(bob, transferId, 'complete')).toMatchObject({ reason: null });
});
