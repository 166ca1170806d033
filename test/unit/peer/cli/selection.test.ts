import { beforeEach, expect, test } from 'vitest';
import { peerOfThisFile, runWords } from './recorded-peer.ts';

const peer = peerOfThisFile();
const ID = '0d4f2a52-1f9b-4c7e-8a61-6a1f0c5b7e11';
const VIEW = { transferId: ID, group: 'friends', file: 'album', totalBytes: 3000, wantedBytes: 1000 };

const run = (...words: string[]): ReturnType<typeof runWords> => runWords([...words, '--data-dir', peer.dataDirectory]);

const sent = () => peer.requests.at(-1);

beforeEach(() => {
  const items = [{ transferId: ID }];
  peer.answers.set('GET /transfers', { status: 200, body: { items, next: null, asOfOffset: null } });
});

test('prioritize sends every glob with its priority, and says what is wanted now', async () => {
  const priorities = [
    { path: 'c', priority: 'skip' },
    { path: 'd e', priority: 'low' },
    { path: 'b/**', priority: 'high' },
  ];
  peer.answers.set(`PATCH /transfers/${ID}`, { status: 200, body: { ...VIEW, only: ['a', 'b'], priorities } });
  const flags = ['--high', 'b/**', '--only', 'a', '--skip', 'c', '--only', 'b', '--low', 'd e'];
  const { exitCode, out } = await run('prioritize', ID, ...flags);
  expect(exitCode).toBe(0);
  expect(sent()).toMatchObject({ method: 'PATCH', path: `/transfers/${ID}`, body: { only: ['a', 'b'], priorities } });
  expect(out).toBe('Wanted of album of friends: 1000 B of 2.9 KiB (only a b, skip c, low d e, high b/**).\n');
});

test('prioritize without only leaves it as it was', async () => {
  peer.answers.set(`PATCH /transfers/${ID}`, {
    status: 200,
    body: { ...VIEW, wantedBytes: 3000, only: null, priorities: [] },
  });
  const { out } = await run('prioritize', ID, '--normal', '**');
  expect(sent()?.body).toEqual({ priorities: [{ path: '**', priority: 'normal' }] });
  expect(out).toBe('Wanted of album of friends: all.\n');
});

test('download_file sends what only is wanted', async () => {
  await run('download_file', 'friends', 'album', '/tmp', '--only', '*.jpg', '--only', 'films', '--detach');
  expect(sent()).toMatchObject({ path: '/commands/download_file', body: { only: ['*.jpg', 'films'] } });
  await run('download_file', 'friends', 'album', '/tmp', '--detach');
  expect(sent()?.body).not.toHaveProperty('only');
});
