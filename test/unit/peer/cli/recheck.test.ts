import { expect, test } from 'vitest';
import type { RecheckView, TransferView } from '#wire/control-api';
import { peerOfThisFile, runWords } from './recorded-peer.ts';

const ID = '33333333-3333-4333-8333-333333333333';
const STARTED: RecheckView = {
  ...{ startedAt: '2026-03-01T12:00:00.000Z', endedAt: null, verdict: null },
  ...{ checkedPieces: 0, damagedPieces: 0, repairedPieces: 0, absentFiles: [], misfitFiles: [] },
  ...{ treeDifferences: [], sha1Mismatches: [] },
};
const COPY = {
  ...{ transferId: ID, direction: 'download', group: 'friends', file: 'film', state: 'complete', reason: null },
  ...{ totalBytes: 10, verifiedBytes: 10, path: '/in/film', completedAt: '2026-03-01T11:00:00.000Z', peers: [] },
  recheck: null as RecheckView | null,
};

const peer = peerOfThisFile();

const run = (...words: readonly string[]) => runWords([...words, '--data-dir', peer.dataDirectory]);
const page = (...items: readonly object[]) => ({ status: 200, body: { items, next: null, asOfOffset: null } });

/** The peer has one copy, and a recheck of it that ends like this. */
function endsWith(change: Partial<RecheckView>, transfer: Partial<TransferView> = {}): void {
  const checking = { ...COPY, state: 'hashing', verifiedBytes: 5, recheck: STARTED };
  const over = {
    ...COPY,
    ...transfer,
    recheck: { ...STARTED, endedAt: STARTED.startedAt, checkedPieces: 4, ...change },
  };
  peer.answers.set('GET /transfers', page(COPY));
  peer.answers.set(`POST /transfers/${ID}/recheck`, { status: 202, body: checking });
  peer.answers.set(`GET /transfers/${ID}`, [
    { status: 200, body: checking },
    { status: 200, body: over },
  ]);
}

const REASON = {
  code: 'source_changed',
  detail: '1 of 4 pieces (2) are not it.',
  action: 'Recheck it later.',
  since: '2026-03-01T12:00:00.000Z',
} as const;

test.each([
  ['sound', 0, {}, 'all of its 4 pieces are sound'],
  ['repaired', 0, { damagedPieces: 1, repairedPieces: 1 }, 'damaged in 1 of 4 pieces, and is repaired'],
  ['repaired', 0, { treeDifferences: ['run'] }, 'all of its 4 pieces, and what differed beside them was put right'],
  ['damaged', 1, { damagedPieces: 1 }, '1 of 4 pieces (2) are not it. Recheck it later.'],
  ['damaged', 1, { treeDifferences: ['run', 'empty'] }, 'the right to run these files: run, empty.'],
  ['incomplete', 2, { absentFiles: ['film'] }, '/in/film is incomplete.'],
] as const)('a copy that is %s exits with %i', async (verdict, exitCode, change, words) => {
  endsWith({ verdict, ...change } as Partial<RecheckView>, exitCode === 0 ? {} : { reason: REASON });
  const ran = await run('recheck', 'friends', 'film');
  expect(ran).toMatchObject({ exitCode, note: '' });
  expect(ran.out).toContain(words);
  expect(peer.requests[1]).toMatchObject({ path: `/transfers/${ID}/recheck`, body: { repair: true } });
});

test('a transfer may be named by the beginning of its id, and only looked at', async () => {
  endsWith({ verdict: 'sound' });
  expect((await run('recheck', ID.slice(0, 6), '--no-repair')).exitCode).toBe(0);
  expect(peer.requests[1]).toMatchObject({ path: `/transfers/${ID}/recheck`, body: { repair: false } });
});

test('a name is the same however its accents are typed', async () => {
  endsWith({ verdict: 'sound' });
  peer.answers.set('GET /transfers', page({ ...COPY, file: 'caf\u00e9' }));
  expect(await run('recheck', 'friends', 'cafe\u0301')).toMatchObject({ exitCode: 0, note: '' });
});

test('--json says the verdict and the transfers', async () => {
  endsWith({ verdict: 'damaged', damagedPieces: 1 }, { reason: REASON });
  const { exitCode, out } = await run('recheck', 'friends', 'film', '--json');
  expect(exitCode).toBe(1);
  expect(JSON.parse(out)).toMatchObject({ verdict: 'damaged', transfers: [{ transferId: ID }] });
});

test('a SHA-1 that is not what the sharer said is shown', async () => {
  endsWith({ verdict: 'sound', sha1Mismatches: ['film'] });
  const { exitCode, out } = await run('recheck', 'friends', 'film');
  expect(exitCode).toBe(0);
  expect(out).toContain('The SHA-1 of film is not what was said when it was shared');
});

test('--detach does not wait for the end', async () => {
  endsWith({ verdict: 'damaged' });
  const { exitCode, out } = await run('recheck', 'friends', 'film', '--detach');
  expect(exitCode).toBe(0);
  expect(out).toMatch(/^Under way\. See it with: cohort .*transfers 33333333/);
});

test('a file that this peer does not have is unknown, and a recheck that was called off is a conflict', async () => {
  peer.answers.set('GET /transfers', page(COPY));
  expect(await run('recheck', 'friends', 'other')).toMatchObject({ exitCode: 66 });
  endsWith({ verdict: 'sound', startedAt: '2026-03-01T10:00:00.000Z' });
  const ran = await run('recheck', 'friends', 'film');
  expect(ran.exitCode).toBe(65);
  expect(ran.note).toContain('was called off');
});

test('of several copies the worst decides', async () => {
  endsWith({ verdict: 'sound' });
  const other = ID.replaceAll('3', '4');
  const over = { ...COPY, transferId: other, reason: REASON, recheck: { ...STARTED, verdict: 'damaged' } };
  peer.answers.set('GET /transfers', page(COPY, { ...COPY, transferId: other }, { ...COPY, group: 'others' }));
  peer.answers.set(`POST /transfers/${other}/recheck`, { status: 202, body: over });
  const { exitCode, out } = await run('recheck', 'friends', 'film');
  expect(exitCode).toBe(1);
  expect(out).toContain('pieces are sound');
  expect(out).toContain('/in/film is damaged.');
});
