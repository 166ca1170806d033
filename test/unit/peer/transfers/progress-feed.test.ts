import { expect, onTestFinished, test, vi } from 'vitest';
import type { TransferProgressView } from '#wire/control-live-events';
import { randomBytes } from '../swarm/engine-harness.ts';
import {
  begun,
  download,
  newFile,
  shareNew,
  startGroup,
  until,
  untilState,
  stampOf,
  GROUP,
} from './transfers-harness.ts';
import { sourceOf } from '../swarm/engine-harness.ts';

vi.setConfig({ testTimeout: 30_000 });

test('progress of a download comes to its end: all pieces once, and what its peer delivered', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  const path = newFile(alice, 'film', randomBytes(3 * 1024 * 1024));
  await begun(alice.transfers.upload({ group: GROUP, path }, stampOf(alice.link)));
  alice.trackers.isOnline(sourceOf(alice));
  const told: TransferProgressView[] = [];
  const isWhole = Promise.withResolvers<void>();
  const stop = bob.transfers.onProgress((progress) => {
    told.push(progress);
    if (progress.state === 'complete') isWhole.resolve();
  });
  const { transferId } = await begun(download(bob));
  await isWhole.promise;
  stop();
  const { pieces, peers } = { pieces: told.flatMap((each) => each.pieces), peers: told.flatMap((each) => each.peers) };
  const numbers = pieces.flatMap(([first, last]) =>
    Array.from({ length: last - first + 1 }, (_, index) => first + index),
  );
  expect(numbers.toSorted((left, right) => left - right)).toEqual([0, 1, 2, 3, 4, 5]);
  expect(peers.at(-1)).toMatchObject({ user: 'alice', deliveredBytes: 3 * 1024 * 1024 });
  const { completeCopies, verifiedBytes } = bob.transfers.find(transferId)!;
  expect(told.at(-1)).toMatchObject({ transferId, verifiedBytes, completeCopies });
});

test('nothing is looked at while nobody listens', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  await shareNew(alice);
  const told: TransferProgressView[] = [];
  const stop = bob.transfers.onProgress((progress) => told.push(progress));
  stop();
  const { transferId } = await begun(download(bob));
  await untilState(bob, transferId, 'complete');
  expect(told).toEqual([]);
});

test('views are had without asking trackers; who looks at them has that done', async () => {
  const [alice] = await startGroup('alice');
  const { transferId } = await shareNew(alice);
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const asked = vi.spyOn(alice.link, 'listCopies');
  alice.transfers.list();
  alice.transfers.find(transferId);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(asked).not.toHaveBeenCalled();
  alice.transfers.refreshCopyCounts();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(asked).toHaveBeenCalledOnce();
});

test('a download knows how many others have all of it, and forgets that without its session', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  await shareNew(alice);
  const { transferId } = await begun(download(bob));
  await untilState(bob, transferId, 'complete');
  expect(bob.transfers.find(transferId)).toMatchObject({ completeCopies: 1 });
  bob.link.logOut();
  await until(bob, transferId, ({ completeCopies }) => completeCopies === null);
});
