import { createHash } from 'node:crypto';
import { utimesSync } from 'node:fs';
import { expect, it } from 'vitest';
import { encodeManifest } from '#wire/manifest-codec';
import type { Digested, TransferEngine } from '../../../../apps/peer/src/swarm/transfer-engine.ts';
import type { TransferEvent } from '../../../../apps/peer/src/transfers/transfers.ts';
import {
  downloadWhole,
  recheckWhole,
  rewriteRecord,
  shareNew,
  startAgain,
  startGroup,
  stop,
  until,
} from './transfers-harness.ts';

const FALSE_SHA1 = '0'.repeat(40);

/** From now on this peer says a SHA-1 of whole files that is not theirs. */
function lie(engine: TransferEngine): void {
  const digest = engine.digest.bind(engine);
  const lying = async (request: Parameters<TransferEngine['digest']>[0]): Promise<Digested> => {
    const { manifest, stamp } = await digest(request);
    const falseManifest = {
      ...manifest,
      files: manifest.files.map(({ path, bytes }) => ({ path, bytes, sha1: FALSE_SHA1 })),
    };
    const encoded = encodeManifest(falseManifest);
    if (!encoded.ok) return expect.fail(encoded.message);
    const contentId = createHash('sha256').update(encoded.bytes).digest('hex');
    return { contentId, manifestBytes: encoded.bytes, manifest: falseManifest, stamp };
  };
  Object.assign(engine, { digest: lying });
}

it("a download checks the sharer's SHA-1 by itself after it is complete", async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  await shareNew(alice);
  const { transferId } = await downloadWhole(bob);
  const view = await until(bob, transferId, ({ sha1Matches }) => sha1Matches !== null);
  expect(view).toMatchObject({ state: 'complete', sha1Matches: true, reason: null });
});

it('a SHA-1 that is not that of the bytes is told as an event, kept, and no failure', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  lie(alice.engine);
  await shareNew(alice);
  const events: TransferEvent[] = [];
  bob.transfers.onEvent((event) => events.push(event));
  const { transferId } = await downloadWhole(bob);
  const view = await until(bob, transferId, ({ sha1Matches }) => sha1Matches !== null);
  expect(view).toMatchObject({ state: 'complete', sha1: FALSE_SHA1, sha1Matches: false, reason: null });
  expect(events.at(-1)).toMatchObject({ type: 'transfer_changed', transfer: { sha1Matches: false } });
  const { recheck, state } = await recheckWhole(bob, transferId);
  expect({ recheck, state }).toMatchObject({
    state: 'complete',
    recheck: { verdict: 'sound', sha1Mismatches: ['film'] },
  });
  await stop(bob);
  const again = await startAgain(bob);
  expect(again.transfers.find(transferId)).toMatchObject({ sha1Matches: false });
});

it('what was not checked before the process ended is checked after the next start', async () => {
  const [alice, bob] = await startGroup('alice', 'bob');
  await shareNew(alice);
  const { transferId, path } = await downloadWhole(bob);
  await stop(bob);
  rewriteRecord(bob, transferId, { sha1Matches: undefined });
  utimesSync(path, 1, 1);
  const again = await startAgain(bob);
  const view = await until(again, transferId, ({ sha1Matches }) => sha1Matches !== null);
  expect(view.sha1Matches).toBe(true);
});
