// What a peer remembers of its session, by the offsets at which it was told.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, it } from 'vitest';
import { LinkMemory } from '../../../../apps/peer/src/tracker-link/link-memory.ts';
import { OwnSession } from '../../../../apps/peer/src/tracker-link/own-session.ts';
import { reports } from './started-link.ts';

const folder = mkdtempSync(join(tmpdir(), 'cohort-link-'));
let memory: LinkMemory;
let nowMs = 0;
afterEach(async () => {
  await memory.settled();
  rmSync(join(folder, 'link.json'), { force: true });
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A session of alice at offset 10 of a log, and what was asked to renew it. */
async function sessionOfAlice() {
  nowMs = 1_000;
  memory = await LinkMemory.open(join(folder, 'link.json'), { ...reports, now: () => nowMs });
  memory.follow('first log');
  const renewals: string[] = [];
  const session = new OwnSession({
    memory,
    peerId: 'p',
    renew: (commandId) => {
      renewals.push(commandId);
      return Promise.resolve({ status: 'accepted', offset: 20, result: {} });
    },
    tell: () => undefined,
  });
  session.is('alice', 10);
  const presented = (expiresAtMs: number, asOfOffset: number, isRenewalDue = false): void =>
    session.presented({ user: 'alice', term: { expiresAtMs, isRenewalDue } } as never, asOfOffset);
  return { session, presented, renewals };
}

it('a tracker that is behind does not bring back the end that the session had before it was renewed', async () => {
  const { session, presented } = await sessionOfAlice();
  presented(9_000, 30);
  presented(2_000, 15);
  nowMs = 5_000;
  session.is(null, 40);
  expect(memory.ended).toMatchObject({ user: 'alice', reason: 'ended_elsewhere' });
});

it('a session that ends after its time has expired, by the clock of the peer', async () => {
  const { session, presented } = await sessionOfAlice();
  presented(2_000, 15);
  nowMs = 2_000;
  session.is(null, 40);
  expect(memory.ended).toMatchObject({ user: 'alice', reason: 'expired' });
});

it('a renewal counts in its log alone', async () => {
  const { session, presented, renewals } = await sessionOfAlice();
  presented(9_000, 11, true);
  await Promise.resolve();
  await Promise.resolve();
  presented(9_000, 12, true);
  expect(renewals).toHaveLength(1);
  memory.follow('second log');
  session.is('alice', 1);
  presented(9_000, 2, true);
  expect(renewals).toHaveLength(2);
});
